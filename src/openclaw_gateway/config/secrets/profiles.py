"""The keys that OpenClaw and Clawdbot keep beside an agent: their stores of "auth profiles". Only read.

Each agent has a store; main's, or that of the agent which `agents.defaults.authInheritance` names, stands
behind all others. The oldest form is `agents/<id>/agent/auth-profiles.json`; since 2026.6 the same object is
a row of `openclaw-agent.sqlite` there, and the common one a row of `state/openclaw.sqlite`. A form that is
newer and not empty counts alone. Knows what is written there, not what it is good for.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
from msgspec import Struct

from openclaw_gateway.config.agent_id import DEFAULT_AGENT_ID, normal_agent_id
from openclaw_gateway.config.files import MAX_BYTES
from openclaw_gateway.config.forms import Wrong
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import Position, Problem
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.secrets.foreign_sqlite import Unreadable, one_text
from openclaw_gateway.config.secrets.references import SecretRef, read_reference, stored_reference

_JSON = "auth-profiles.json"


class Profile(Guarded, frozen=True):
    """One credential: its text, or the reference to it, or neither. `expires_ms` is Unix time; None = never.

    `account` is what else a provider needs to know of it, such as an account's id.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"secret"})

    kind: Literal["api_key", "token", "oauth"]
    provider: str
    secret: str = ""
    ref: SecretRef | None = None
    expires_ms: float | None = None
    account: Mapping[str, str] = {}


class Store(Struct, frozen=True):
    """Profiles by id. `order` and `last_good` are by provider, as written there."""

    profiles: Mapping[str, Profile] = {}
    order: Mapping[str, tuple[str, ...]] = {}
    last_good: Mapping[str, str] = {}

    def over(self, base: "Store") -> "Store":
        return Store(
            {**base.profiles, **self.profiles},
            {**base.order, **self.order},
            {**base.last_good, **self.last_good},
        )


class Stores(Struct, frozen=True):
    """`faults` are files that cannot be read; nothing else is wrong because of them."""

    common: Store = Store()
    own: Mapping[str, Store] = {}
    faults: tuple[Problem, ...] = ()

    def of(self, agent_id: str) -> Store:
        return self.own.get(agent_id, self.common)


def read_stores(loaded: LoadedConfig) -> Stores:
    """Those of all configured agents. Blocks as files do."""
    reader = _Reader()
    agents = loaded.state_dir / "agents"
    folders = {
        entry.id: Path(entry.agent_dir) if entry.agent_dir else agents / entry.id / "agent"
        for entry in loaded.config.agents.entries
    }
    written = loaded.config.agents.defaults.auth_inheritance.agent_id
    owner = normal_agent_id(written) if written else DEFAULT_AGENT_ID
    main = folders.pop(owner, agents / owner / "agent")
    common = reader.shared(loaded.state_dir / "state" / "openclaw.sqlite") or Store()
    mains = reader.of(main)
    if mains is not None:
        common = mains.over(common)
    found = {agent: reader.of(folder) for agent, folder in folders.items() if folder.is_absolute()}
    own = {agent: store.over(common) for agent, store in found.items() if store is not None}
    return Stores(common, own, tuple(reader.faults))


class _Reader:
    def __init__(self) -> None:
        self.faults: list[Problem] = []

    def shared(self, path: Path) -> Store | None:
        return self._rows(
            path,
            "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.store'",
            "SELECT value_json FROM config_machine_state WHERE state_key = 'authProfiles.state'",
        )

    def of(self, folder: Path) -> Store | None:
        """What an agent has in its folder."""
        newest = self._rows(
            folder / "openclaw-agent.sqlite",
            "SELECT store_json FROM auth_profile_store WHERE store_key = 'primary'",
            "SELECT state_json FROM auth_profile_state WHERE state_key = 'primary'",
        )
        return newest or self._file(folder / _JSON)

    def _rows(self, path: Path, store: str, state: str) -> Store | None:
        try:
            texts = [text for query in (store, state) if (text := one_text(path, query)) is not None]
        except Unreadable as error:
            self._fault(path, f"{error}; the keys in it are not used")
            return None
        return self._store(path, texts)

    def _file(self, path: Path) -> Store | None:
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            self._fault(path, "it cannot be read; the keys in it are not used")
            return None
        if len(data) > MAX_BYTES:
            self._fault(path, "it is too large; the keys in it are not used")
            return None
        return self._store(path, [data])

    def _store(self, path: Path, texts: Iterable[bytes | str]) -> Store | None:
        """None where there are no profiles in it."""
        whole: dict[str, Any] = {}
        for text in texts:
            try:
                part = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                self._fault(path, "is no JSON; the keys in it are not used")
                return None
            whole |= part if isinstance(part, dict) else {}
        written = whole.get("profiles")
        if not isinstance(written, dict):
            return None
        profiles = {}
        for name, profile in written.items():
            try:
                read = _profile(profile)
            except Wrong as wrong:
                self._fault(path, f'the profile "{name}" {wrong}')
                continue
            if read is not None:
                profiles[name] = read
        if not profiles:
            return None
        return Store(profiles, _order(whole.get("order")), _texts(whole.get("lastGood")))

    def _fault(self, path: Path, message: str) -> None:
        self.faults.append(Problem((), message, Position(str(path), 0)))


def _profile(written: Any) -> Profile | None:
    """None for what is no profile, or not in use yet. Raises Wrong."""
    if not isinstance(written, dict) or isinstance(written.get("setup"), dict):
        return None
    kind, provider = written.get("type"), written.get("provider")
    if kind not in ("api_key", "token", "oauth") or not isinstance(provider, str) or not provider.strip():
        return None
    expires = written.get("expires")
    account = _texts(written.get("metadata"))
    if kind == "oauth":
        return Profile("oauth", provider)
    field, ref_field = ("key", "keyRef") if kind == "api_key" else ("token", "tokenRef")
    text, ref = written.get(field), written.get(ref_field)
    reference = read_reference(ref) if isinstance(ref, dict) else None
    if reference is None and isinstance(text, dict):
        reference = read_reference(text)
    if reference is None and isinstance(text, str):
        reference = stored_reference(text)
    secret = text.strip() if isinstance(text, str) and reference is None else ""
    # What is no time has passed: so the older systems take it.
    until = None if expires is None else float(expires) if _is_number(expires) else 0.0
    return Profile(kind, provider, secret, reference, until, account)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def _order(written: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(written, dict):
        return {}
    lists = {key: value for key, value in written.items() if isinstance(value, list)}
    return {key: tuple(each for each in ids if isinstance(each, str)) for key, ids in lists.items()}


def _texts(written: Any) -> dict[str, str]:
    if not isinstance(written, dict):
        return {}
    return {key: value for key, value in written.items() if isinstance(value, str)}

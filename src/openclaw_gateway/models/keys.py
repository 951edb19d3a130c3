"""Which keys a provider is asked with, for each agent, first choice first; and why it has none.

Pure but for the secrets it asks for, when somebody first wants a provider. The order is OpenClaw's: the
profiles stored for the agent, in the order they were given there or in `auth.order`; then the key of the
configuration, or else of the environment. A reference that leads nowhere is not replaced by another key: it
says which one was meant.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar, TypeVar

from msgspec import Struct

from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.config.schema import Config, ProviderConfig
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.config.secrets.profiles import Profile, Store, Stores
from openclaw_gateway.config.secrets.references import SecretRef, Unresolved, Wanted
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.models.defaults import key_from, provider_id
from openclaw_gateway.models.providers import BUILT_IN, SETUP_TOKEN

T = TypeVar("T")

# OpenClaw's order where nobody has said another.
_KINDS = ("oauth", "token", "api_key")
_NO_KEY = (
    "is a token of `claude setup-token`, which Anthropic takes from its own programs only; make a key at "
    "console.anthropic.com instead"
)


class ProviderKeys(Guarded, frozen=True):
    """`account` is what the first profile knows of its account; `unused` says why what is there is not used,
    one sentence each. `signed_in`: a stored profile is an account's sign-in."""

    hidden: ClassVar[frozenset[str]] = frozenset({"keys"})

    keys: tuple[str, ...] = ()
    account: Mapping[str, str] = {}
    unused: tuple[str, ...] = ()
    signed_in: bool = False


class Outside(Struct, frozen=True):
    """What a configuration refers to and does not hold. `now_ms` is Unix time."""

    wanted: Mapping[KeyPath, Wanted]
    secrets: Secrets
    stores: Stores
    now_ms: float


class Keys:
    """Of one configuration. Without `outside`, only what stands in it and in the environment."""

    def __init__(self, config: Config, environ: Mapping[str, str], outside: Outside | None = None) -> None:
        self._config = config
        self._environ = environ
        self._outside = outside
        self._named = {provider_id(name): (name, entry) for name, entry in config.models.providers.items()}

    def of(self, provider: str, agent: str = "") -> ProviderKeys:
        """Raises Unresolved."""
        unused: list[str] = []
        found: list[str] = []
        account: Mapping[str, str] = {}
        for profile, key in self._profiles(provider, agent, unused):
            found.append(key)
            account = account or profile.account
        name, entry = self._named.get(provider, (provider, None))
        found += self._written(name, entry, provider, unused)
        keys = [key for key in dict.fromkeys(found) if not _is_setup_token(provider, key)]
        if len(keys) < len(set(found)):
            unused.append(f"The key of {provider} {_NO_KEY}.")
        return ProviderKeys(tuple(keys), account, tuple(unused), self._signed_in(provider, agent))

    def has(self, provider: str) -> bool:
        """Whether agents that have no keys of their own can ask it with one."""
        try:
            return bool(self.of(provider).keys)
        except Unresolved:
            return False

    def header(self, path: KeyPath) -> str:
        """What is to be looked up for a header. Raises Unresolved."""
        if self._outside is None:
            raise Unresolved("is not looked up here")
        return self._outside.secrets.line(self._outside.wanted[path])

    def wanted(self, name: str) -> Mapping[KeyPath, Wanted]:
        """What the entry of that name is still without."""
        here = ("models", "providers", name)
        every = self._outside.wanted if self._outside is not None else {}
        return {path: what for path, what in every.items() if path[:3] == here}

    def _written(
        self, name: str, entry: ProviderConfig | None, provider: str, unused: list[str]
    ) -> Iterator[str]:
        """The keys of the configuration, or the environment's. Raises Unresolved."""
        found = [entry.api_key] if entry is not None and entry.api_key else []
        further = list(entry.api_keys) if entry is not None else []
        for path, what in self.wanted(name).items():
            match path[3:]:
                case ("apiKey",) if isinstance(what, SecretRef):
                    try:
                        found = [self.header(path)]
                    except Unresolved as error:
                        raise Unresolved(f"models.providers.{name}.apiKey {error}.") from None
                case ("apiKey",) | ("apiKeys", _):
                    try:
                        further.append(self.header(path))
                    except Unresolved as error:
                        unused.append(f"models.providers.{name}.{path[3]} {error}.")
                case _:
                    pass
        if not found and (key := key_from(self._environ, provider)) is not None:
            found = [key[1]]
        yield from (key for key in (*found, *further) if key)

    def _profiles(self, provider: str, agent: str, unused: list[str]) -> Iterator[tuple[Profile, str]]:
        outside = self._outside
        if outside is None:
            return
        for profile in self._ordered(outside.stores.of(agent), provider):
            if profile.kind == "oauth":
                continue
            try:
                yield profile, _secret_of(profile, outside)
            except Unresolved as error:
                # Not which one: their names are often people's addresses.
                unused.append(f"A stored profile of {provider} {error}.")

    def _signed_in(self, provider: str, agent: str) -> bool:
        stores = self._outside.stores if self._outside is not None else Stores()
        return any(each.kind == "oauth" for each in self._ordered(stores.of(agent), provider))

    def _ordered(self, store: Store, provider: str) -> Iterator[Profile]:
        realm = _realm(provider)
        auth = self._config.auth
        fitting = [name for name, each in store.profiles.items() if _realm(each.provider) == realm]
        written = _of_realm(store.order, realm)
        if written is None:
            written = _of_realm(auth.order, realm)
        chosen = written
        if chosen is None:
            meant = auth.profiles.items()
            chosen = tuple(name for name, each in meant if _realm(str(each.get("provider", ""))) == realm)
        unknown = bool(chosen) and not store.profiles.keys() & set(chosen)
        if unknown or (written is None and not chosen):
            # Nobody has said, or what was said is of a time when they had other names.
            chosen, written = tuple(fitting), None
        usable = [name for name in dict.fromkeys(chosen) if name in fitting and self._is_meant(name, store)]
        if written is None:
            last = _of_realm(store.last_good, realm)
            usable.sort(key=lambda name: (_KINDS.index(store.profiles[name].kind), name != last))
        yield from (store.profiles[name] for name in usable)

    def _is_meant(self, name: str, store: Store) -> bool:
        """Whether a profile is of the kind that the configuration says it is."""
        mode = self._config.auth.profiles.get(name, {}).get("mode")
        kind = store.profiles[name].kind
        return not isinstance(mode, str) or mode == kind or (mode, kind) == ("oauth", "token")


def _secret_of(profile: Profile, outside: Outside) -> str:
    """Raises Unresolved."""
    if profile.expires_ms is not None and profile.expires_ms <= outside.now_ms:
        raise Unresolved("has expired")
    if profile.ref is not None:
        return outside.secrets.line(profile.ref)
    if not profile.secret:
        raise Unresolved("holds no key")
    return profile.secret


def _is_setup_token(provider: str, key: str) -> bool:
    return provider == SETUP_TOKEN[0] and key.startswith(SETUP_TOKEN[1])


def _realm(provider: str) -> str:
    """Providers that take the same key have one."""
    name = provider_id(provider)
    return BUILT_IN[name].variables[0] if name in BUILT_IN else name


def _of_realm(by_provider: Mapping[str, T], realm: str) -> T | None:
    return next((value for name, value in by_provider.items() if _realm(name) == realm), None)

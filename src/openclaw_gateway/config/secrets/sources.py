"""Where references to secrets lead: a variable, a file, a program, OpenClaw's own store. Reads, never writes.

Blocks as files and programs do, each within the time its provider gives it. A secret is looked up once, when
somebody first asks for it, and what went wrong is said again to the next. What is said names providers and
ids, never what was found.
"""

import os
import stat
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from openclaw_gateway.config.forms import Wrong, one_line
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema.secrets import SecretProvider, SecretsConfig
from openclaw_gateway.config.secrets.askings import Askings
from openclaw_gateway.config.secrets.foreign_sqlite import Unreadable, one_text
from openclaw_gateway.config.secrets.references import SecretRef, Unresolved, Unset, Wanted, unset_reference
from openclaw_gateway.config.wording import SET_IT

_WITHIN_REACH = {"env", "store"}
# What may be away for a moment.
_OUTSIDE = {"file", "exec", "store"}
_PRIVATE = 0o077


class Secrets:
    """Of one configuration, as long as it is being drawn.

    `before` are those of the configuration in force: where a source that was asked in the same way fails now,
    what it said then still counts. A vault that is away for a moment takes nobody's agents away.
    `together` are references that are looked up at once where a source allows it.
    """

    def __init__(
        self,
        config: SecretsConfig,
        environ: Mapping[str, str],
        state_dir: Path,
        before: "Secrets | None" = None,
        together: Iterable[Wanted] = (),
    ) -> None:
        self._config = config
        self._environ = environ
        self._state_dir = state_dir
        self._known: dict[Wanted, str | Unresolved] = {}
        self._last_good = before._good() if before is not None else {}
        ids = defaultdict[str, list[str]](list)
        for each in together:
            if isinstance(each, SecretRef) and each.source == "exec":
                ids[self._alias(each)].append(each.id)
        self._askings = Askings(ids, environ)
        # References for which what was known before is used, and why.
        self.stale: dict[Wanted, str] = {}

    @classmethod
    def of(cls, loaded: LoadedConfig, before: "Secrets | None" = None) -> "Secrets":
        return cls(loaded.config.secrets, loaded.environ, loaded.state_dir, before, loaded.wanted.values())

    def line(self, wanted: Wanted) -> str:
        """The secret, which is to be on one line. Raises Unresolved."""
        text = self.text(wanted).strip()
        try:
            return one_line(text)
        except Wrong as wrong:
            raise Unresolved(f"refers to what {wrong}") from None

    def text(self, wanted: Wanted) -> str:
        """The secret as it stands. Raises Unresolved."""
        found = self._known.get(wanted)
        if found is None:
            try:
                found = self._looked_up(wanted)
            except Unresolved as error:
                found = self._as_before(wanted, error)
            self._known[wanted] = found
        if isinstance(found, Unresolved):
            raise Unresolved(*found.args)
        return found

    def _good(self) -> dict[Wanted, tuple[SecretProvider | None, str]]:
        """What could be had from outside, and how it was asked for."""
        return {
            wanted: (self._configured(wanted), text)
            for wanted, text in self._known.items()
            if isinstance(wanted, SecretRef) and wanted.source in _OUTSIDE and isinstance(text, str)
        }

    def _as_before(self, wanted: Wanted, error: Unresolved) -> str | Unresolved:
        asked, text = self._last_good.get(wanted, (None, ""))
        if not text or not isinstance(wanted, SecretRef) or asked != self._configured(wanted):
            return error
        self.stale[wanted] = str(error)
        return text

    def _configured(self, ref: SecretRef) -> SecretProvider | None:
        return self._config.providers.get(self._alias(ref))

    def _alias(self, ref: SecretRef) -> str:
        return ref.provider or self._config.defaults.get(ref.source, "default")

    def _looked_up(self, wanted: Wanted) -> str:
        if isinstance(wanted, Unset):
            names = " and ".join(wanted.names)
            raise Unresolved(f"uses the environment variable {names}, which is not set; {SET_IT}")
        alias, provider = self._provider(wanted)
        readers: dict[str, Callable[[], str]] = {
            "env": lambda: self._variable(wanted.id, provider),
            "store": lambda: self._stored(wanted.id),
            "file": lambda: _of_file(wanted.id, alias, provider),
            "exec": lambda: self._askings.secret(alias, provider, wanted.id),
        }
        value = readers[wanted.source]()
        if not value.strip():
            raise Unresolved(f"refers to {wanted.id} of secrets.providers.{alias}, which is empty")
        return value

    def _provider(self, ref: SecretRef) -> tuple[str, SecretProvider]:
        default = self._config.defaults.get(ref.source, "default")
        alias = self._alias(ref)
        entry = self._configured(ref)
        if entry is not None and entry.source == ref.source:
            return alias, entry
        if ref.source in _WITHIN_REACH and alias in {default, "default"}:
            return alias, SecretProvider(ref.source)
        if entry is not None:
            raise Unresolved(
                f'refers to secrets.providers.{alias}, whose source is "{entry.source}", not "{ref.source}"'
            )
        raise Unresolved(f"refers to secrets.providers.{alias}, which is not there; add it")

    def _variable(self, name: str, provider: SecretProvider) -> str:
        if provider.allowlist is not None and name not in provider.allowlist:
            raise Unresolved(f"refers to the environment variable {name}, which its allowlist does not name")
        value = self._environ.get(name, "")
        if not value.strip():
            raise Unresolved(unset_reference(name))
        return value

    def _stored(self, name: str) -> str:
        path = self._state_dir / "state" / "openclaw.sqlite"
        try:
            value = one_text(
                path,
                "SELECT value FROM secret_store_entries"
                " WHERE scope_kind = 'team' AND scope_id = '' AND name = ? AND deleted_at_ms IS NULL",
                (name,),
            )
        except Unreadable as error:
            raise Unresolved(f"refers to the secret store, which cannot be read: {error}") from None
        if value is None:
            raise Unresolved(f"refers to {name} of the secret store, which has no entry of that name")
        return value


def _of_file(pointer: str, alias: str, provider: SecretProvider) -> str:
    where = f"secrets.providers.{alias}"
    text = _private_text(where, provider)
    if provider.mode == "singleValue":
        if pointer != "value":
            raise Unresolved(f'refers to {where}, which holds a single value; its id is "value"')
        return text.removesuffix("\n").removesuffix("\r")
    try:
        found: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise Unresolved(f"refers to {where}, whose file is no JSON") from None
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        match found:
            case dict() if key in found:
                found = found[key]
            case list() if key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            case _:
                raise Unresolved(f"refers to {pointer} in the file of {where}, which is not there")
    if not isinstance(found, str):
        raise Unresolved(f"refers to {pointer} in the file of {where}, which is no text")
    return found


def _private_text(where: str, provider: SecretProvider) -> str:
    """What the file holds, if nobody else can read or change it."""
    if provider.path is None or not Path(provider.path).is_absolute():
        raise Unresolved(f"refers to {where}, which needs a path that begins with / or ~")
    try:
        # Not even the opening of a pipe may wait.
        descriptor = os.open(provider.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or seen.st_nlink != 1:
                raise Unresolved(f"refers to {where}, whose path is no file of a single name")
            strange = seen.st_uid not in {os.geteuid(), 0} or seen.st_mode & _PRIVATE
            if strange and not provider.allow_insecure_path:
                raise Unresolved(f"refers to {where}, whose file is open to others; chmod 600 it")
            data = file.read(provider.max_bytes + 1)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise Unresolved(f"refers to {where}, whose file cannot be read: {reason}") from None
    if len(data) > provider.max_bytes:
        raise Unresolved(f"refers to {where}, whose file is larger than its maxBytes")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unresolved(f"refers to {where}, whose file is no UTF-8") from None

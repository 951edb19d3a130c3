"""The approvals: which commands the operator allows and denies, as one document.

Its shape is that of the other systems (version 1), with `denylist` added; the entry `*` of `agents` is for
all agents. The other systems' own file beside our folder is read when it is there, and can only make the
rules stricter. What cannot be understood allows nothing. Knows no tool, and not where the document is kept.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import ExecAsk, ExecSecurity
from openclaw_gateway.tools.exec.allowlist import Rules, stricter

R = TypeVar("R")

FILE_NAME = "exec-approvals.json"
ALL_AGENTS = "*"


class Entry(Struct, frozen=True):
    pattern: str


class Section(Struct, frozen=True, rename="camel"):
    security: ExecSecurity | None = None
    ask: ExecAsk | None = None
    ask_fallback: ExecSecurity | None = None
    allowlist: tuple[Entry, ...] = ()
    denylist: tuple[Entry, ...] = ()


class Approvals(Struct, frozen=True):
    """The file. Unknown keys are kept when it is written, because it is changed as a document."""

    version: Literal[1] = 1
    defaults: Section = Section()
    agents: dict[str, Section] = {}


class BrokenApprovals(Exception):
    """The file cannot be read as approvals; why, as a sentence for the operator."""


class KeptApprovals(Protocol):
    """Where the operator's approvals are kept. `place` says it to him."""

    @property
    def place(self) -> str: ...

    def document(self) -> dict[str, Any] | None:
        """As it is written, and fit to be read as approvals; None where there is none. Of any thread, and it
        may block. Raises BrokenApprovals."""

    async def change(self, act: Callable[[dict[str, Any]], R]) -> R:
        """What `act` gives, which changes the document in its place, and may be called several times.

        Raises BrokenApprovals, ApprovalsUnusable where it cannot be written, and what `act` raises: then
        nothing is changed."""


def approvals_in(document: Mapping[str, Any] | None, place: str) -> Approvals:
    """Nothing where there is none. Raises BrokenApprovals."""
    try:
        return msgspec.convert(document or {}, Approvals)
    except msgspec.ValidationError as error:
        raise BrokenApprovals(f"{place} is not a file of approvals: {error}") from None


def read_approvals(path: Path) -> Approvals:
    """Nothing when there is no such file. It blocks. Raises BrokenApprovals."""
    return approvals_in(read_document(path), str(path))


def parsed(data: bytes, place: str) -> dict[str, Any]:
    """Fit to be read as approvals. Raises BrokenApprovals."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BrokenApprovals(f"{place} is not JSON") from None
    if not isinstance(document, dict):
        raise BrokenApprovals(f"{place} is not a JSON object")
    approvals_in(document, place)
    return document


def encoded(document: dict[str, Any]) -> bytes:
    document.setdefault("version", 1)
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def rules_for(kept: KeptApprovals, theirs: Path, agent_id: str, settings: Mapping[str, Any]) -> Rules:
    """The effective rules: the stricter of configuration (`tools.exec`), what is kept, and `theirs`, which is
    the other systems' file. Raises BrokenApprovals."""
    own = approvals_in(kept.document(), kept.place)
    others = read_approvals(theirs)
    rules = stricter(_of_file(own, agent_id), _of_settings(settings))
    return rules if others == Approvals() else stricter(rules, _of_file(others, agent_id))


def allow(document: dict[str, Any], agent_id: str, pattern: str) -> bool:
    """Whether that changed anything. An equal pattern that was denied is so no longer."""
    removed = _remove(document, agent_id, "denylist", pattern)
    return _add(document, agent_id, "allowlist", pattern) or removed


def deny(document: dict[str, Any], agent_id: str, pattern: str) -> bool:
    removed = _remove(document, agent_id, "allowlist", pattern)
    return _add(document, agent_id, "denylist", pattern) or removed


def remove(document: dict[str, Any], agent_id: str, pattern: str) -> bool:
    """Neither allowed nor denied by name any more. Whether it was."""
    removed = [_remove(document, agent_id, which, pattern) for which in ("allowlist", "denylist")]
    return any(removed)


def _of_settings(settings: Mapping[str, Any]) -> Rules:
    """Where nothing is said, the list; `full` asks only when that is said too."""
    security: ExecSecurity = settings.get("security") or "allowlist"
    ask: ExecAsk = settings.get("ask") or ("off" if security == "full" else "on-miss")
    return Rules(security=security, ask=ask, trust_list_when_asked=True)


def _of_file(file: Approvals, agent_id: str) -> Rules:
    shared, mine = file.agents.get(ALL_AGENTS, Section()), file.agents.get(agent_id, Section())
    security = mine.security or shared.security or file.defaults.security or "full"
    fallback = mine.ask_fallback or shared.ask_fallback or file.defaults.ask_fallback
    return Rules(
        security=security,
        ask=mine.ask or shared.ask or file.defaults.ask or "off",
        allow=tuple(entry.pattern for entry in (*shared.allowlist, *mine.allowlist)),
        deny=tuple(entry.pattern for entry in (*shared.denylist, *mine.denylist)),
        # "full" would run anything exactly because nobody looks: it counts as the list.
        trust_list_when_asked=fallback in ("allowlist", "full"),
    )


def read_document(path: Path) -> dict[str, Any] | None:
    """None when there is no such file. It blocks. Raises BrokenApprovals."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BrokenApprovals(f"{path} cannot be read: {error.strerror}") from None
    return parsed(data, str(path))


def _add(document: dict[str, Any], agent_id: str, which: str, pattern: str) -> bool:
    entries = document.setdefault("agents", {}).setdefault(agent_id, {}).setdefault(which, [])
    if any(entry["pattern"] == pattern for entry in entries):
        return False
    entries.append({"pattern": pattern})
    return True


def _remove(document: dict[str, Any], agent_id: str, which: str, pattern: str) -> bool:
    entries = document.get("agents", {}).get(agent_id, {}).get(which, [])
    kept = [entry for entry in entries if entry["pattern"] != pattern]
    changed = len(kept) < len(entries)
    entries[:] = kept
    return changed

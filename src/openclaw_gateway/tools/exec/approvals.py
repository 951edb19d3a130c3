"""The approvals file: which commands the operator allows and denies; in our own folder, for him alone.

Its shape is that of the other systems (version 1), with `denylist` added; the entry `*` of `agents` is for
all agents. The other systems' own file beside our folder is read when it is there, and can only make the
rules stricter. A file that cannot be understood allows nothing. Knows no tool.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import ExecAsk, ExecSecurity
from openclaw_gateway.tools.exec.allowlist import Rules, stricter

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


def approvals_path(own_dir: Path) -> Path:
    return own_dir / FILE_NAME


def read_approvals(path: Path) -> Approvals:
    """Nothing when there is no such file. Raises BrokenApprovals."""
    document = _document(path)
    try:
        return msgspec.convert(document, Approvals)
    except msgspec.ValidationError as error:
        raise BrokenApprovals(f"{path} is not a file of approvals: {error}") from None


def read_document(path: Path) -> dict[str, Any]:
    """As it is written, and fit to be read as approvals; empty when there is no such file. Raises
    BrokenApprovals."""
    read_approvals(path)
    return _document(path)


def rules_for(own_dir: Path, agent_id: str, settings: Mapping[str, Any]) -> Rules:
    """The effective rules: the stricter of configuration (`tools.exec`) and files. Raises BrokenApprovals."""
    own = read_approvals(approvals_path(own_dir))
    theirs = read_approvals(own_dir.parent / FILE_NAME)
    rules = stricter(_of_file(own, agent_id), _of_settings(settings))
    return rules if theirs == Approvals() else stricter(rules, _of_file(theirs, agent_id))


@contextmanager
def changing(path: Path) -> Iterator[dict[str, Any]]:
    """The document, to be changed in place; written whole at the end, one writer at a time.

    Raises BrokenApprovals, and OSError when it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        read_approvals(path)
        document = _document(path)
        yield document
        document.setdefault("version", 1)
        temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


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


def _document(path: Path) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BrokenApprovals(f"{path} cannot be read: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BrokenApprovals(f"{path} is not JSON") from None
    if not isinstance(document, dict):
        raise BrokenApprovals(f"{path} is not a JSON object")
    return document


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

"""The approvals file as clients see it, and as they write it back. Pure.

Its shape is OpenClaw's, which knows no list of what is denied: that list is neither shown nor changed here,
and neither is what a socket is opened with. So nothing that a client writes takes a denial away.
"""

import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from openclaw_gateway.config.schema import ExecAsk, ExecSecurity
from openclaw_gateway.tools.exec.approvals import ALL_AGENTS
from openclaw_gateway.tools.exec.pattern_faults import fault_of
from openclaw_gateway.tools.exec.program_patterns import opened_by

_KEPT = ("denylist",)
_MOST_ENTRIES = 2_000
_RULES = ("security", "ask", "askFallback", "autoAllowSkills")
_ENTRY = ("id", "pattern", "source", "commandText", "lastUsedAt", "lastUsedCommand", "lastResolvedPath")
_MCP = ("server", "tool", "source", "addedAt", "lastUsedAt")

_Text = Annotated[str, Meta(max_length=4_096)]


class Entry(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    pattern: Annotated[str, Meta(max_length=1_024)]
    id: _Text | UnsetType = UNSET
    source: Literal["allow-always"] | UnsetType = UNSET
    command_text: _Text | UnsetType = UNSET
    arg_pattern: _Text | UnsetType = UNSET
    last_used_at: float | UnsetType = UNSET
    last_used_command: _Text | UnsetType = UNSET
    last_resolved_path: _Text | UnsetType = UNSET


class Rules(Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    security: ExecSecurity | UnsetType = UNSET
    ask: ExecAsk | UnsetType = UNSET
    ask_fallback: ExecSecurity | UnsetType = UNSET
    auto_allow_skills: bool | UnsetType = UNSET


class Section(Rules, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    allowlist: Annotated[tuple[Entry, ...], Meta(max_length=_MOST_ENTRIES)] | UnsetType = UNSET
    mcp_tools: Annotated[tuple[dict[str, Any], ...], Meta(max_length=_MOST_ENTRIES)] | UnsetType = UNSET


class Written(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a client writes. Its `socket` is passed over: there is none here."""

    version: Literal[1]
    socket: dict[str, Any] | UnsetType = UNSET
    defaults: Rules = Rules()
    agents: dict[str, Section] = {}


def shown(document: Mapping[str, Any]) -> dict[str, Any]:
    """The file of a snapshot, closed as it is published."""
    agents = {name: _section(section) for name, section in document.get("agents", {}).items()}
    defaults = _only(document.get("defaults", {}), _RULES)
    return {"version": 1, "defaults": defaults, "agents": agents}


def digest(document: Mapping[str, Any]) -> str:
    """Of all that rules, also of what is denied; of nothing that is secret."""
    ruling = {name: value for name, value in document.items() if name != "socket"}
    return hashlib.sha256(msgspec.json.encode(ruling, order="deterministic")).hexdigest()


def faults(
    written: Written, document: Mapping[str, Any], agents: Iterable[str], program: str
) -> Iterator[tuple[str, str]]:
    """(where, why it is not written). What stands there already is not asked about again. A command that is
    advised begins with `program`."""
    known = {ALL_AGENTS, *agents, *document.get("agents", {})}
    for name, section in written.agents.items():
        where = f"file.agents.{name[:80]}"
        if name not in known:
            yield where, "there is no such agent, and * is for all"
        for entry in section.allowlist or ():
            if entry.arg_pattern is not UNSET:
                yield (
                    f"{where}.allowlist",
                    "argPattern is not used here: write the arguments after the program",
                )
            elif entry.pattern not in _allowed(document, name):
                why = fault_of(entry.pattern)
                opened = None if why else opened_by(entry.pattern)
                if why or opened:
                    loose = f"{opened} It is allowed on the machine alone: {program} approvals allow … --yes"
                    yield f"{where}.allowlist", f"{entry.pattern[:80]!r}: {why or loose}"
    for where, rules in (("file.defaults", written.defaults), *written.agents.items()):
        if rules.auto_allow_skills is True:
            yield where[:80], "autoAllowSkills is not served: allow the programs by their names"


def replace(document: dict[str, Any], written: Written) -> None:
    """Everything that clients see becomes what is written; what they do not see stays."""
    before = document.get("agents", {})
    document["version"] = 1
    document["defaults"] = msgspec.to_builtins(written.defaults)
    after: dict[str, Any] = {}
    for name in dict.fromkeys((*before, *written.agents)):
        kept = {key: copy.copy(before[name][key]) for key in _KEPT if key in before.get(name, {})}
        section = written.agents.get(name)
        if kept or section is not None:
            after[name] = {**({} if section is None else msgspec.to_builtins(section)), **kept}
    document["agents"] = after


def _section(section: Mapping[str, Any]) -> dict[str, Any]:
    found = _only(section, _RULES)
    found["allowlist"] = [_only(entry, _ENTRY) for entry in section.get("allowlist", ())]
    if section.get("mcpTools"):
        found["mcpTools"] = [_only(entry, _MCP) for entry in section["mcpTools"]]
    return found


def _only(values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: values[name] for name in names if values.get(name) is not None}


def _allowed(document: Mapping[str, Any], agent: str) -> set[str]:
    entries = document.get("agents", {}).get(agent, {}).get("allowlist", ())
    return {entry["pattern"] for entry in entries}

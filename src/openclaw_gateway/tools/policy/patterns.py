"""Patterns in the configuration that match no tool: most likely a slip of the pen. Pure.

Such a pattern never opens anything, which also means that a misspelt deny denies nothing. Tools of the other
systems count as known. Of an MCP server only its name is known before it has been asked for its tools.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.rules import tool_scopes
from openclaw_gateway.config.substitute import substitute
from openclaw_gateway.config.wording import nearest
from openclaw_gateway.tools.mcp.naming import server_prefix
from openclaw_gateway.tools.name_pattern import matches
from openclaw_gateway.tools.policy.groups import BUILT_IN, ELSEWHERE, GROUPS, MCP_PREFIX
from openclaw_gateway.tools.policy.matching import normal_name

_KNOWN = BUILT_IN | ELSEWHERE
_LISTS = ("allow", "alsoAllow", "deny")


def unmatched_patterns(patterns: Iterable[str], servers: Iterable[str] = ()) -> tuple[str, ...]:
    """Those that match neither a tool we know of nor what the MCP `servers` may bring."""
    prefixes = tuple(server_prefix(name).lower() for name in servers)
    return tuple(dict.fromkeys(pattern for pattern in patterns if not _matched(pattern, prefixes)))


def pattern_problems(document: dict[str, Any], environ: Mapping[str, str]) -> list[Problem]:
    """One for every such pattern in a document that has passed the check of its keys and values."""
    servers = tuple(document.get("mcp", {}).get("servers", {}))
    found = [(path, substitute(written, environ)) for path, written in _patterns(document)]
    # A thousand agents have few different patterns.
    unmatched = frozenset(unmatched_patterns({pattern for _, pattern in found}, servers))
    return [
        Problem(path, f'the pattern "{pattern}" matches no tool{_hint(pattern, servers)}')
        for path, pattern in found
        if pattern in unmatched
    ]


def _matched(pattern: str, prefixes: tuple[str, ...]) -> bool:
    one = normal_name(pattern)
    if one in GROUPS or any(matches(name, (one,)) for name in _KNOWN):
        return True
    head, star, _ = one.partition("*")
    return any(head.startswith(prefix) or (star and prefix.startswith(head)) for prefix in prefixes)


def _hint(pattern: str, servers: tuple[str, ...]) -> str:
    if pattern.lower().startswith(MCP_PREFIX):
        named = ", ".join(servers) or "none"
        return f"; it names a server that mcp.servers does not have (it has: {named})"
    near = nearest(pattern, (*BUILT_IN, *GROUPS))
    return f'; did you mean "{near}"?' if near else "; remove it"


def _patterns(document: dict[str, Any]) -> Iterator[tuple[KeyPath, str]]:
    for path, tools in tool_scopes(document):
        for where, policy in _policies(path, tools):
            for key in _LISTS:
                for at, pattern in enumerate(policy.get(key, ())):
                    yield (*where, key, at), pattern


def _policies(path: KeyPath, tools: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    yield path, tools
    for key, policy in tools.get("byProvider", {}).items():
        yield (*path, "byProvider", key), policy
    for place in ("sandbox", "subagents"):
        yield (*path, place, "tools"), tools.get(place, {}).get("tools", {})

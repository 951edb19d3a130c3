"""Patterns in the configuration that match no tool: most likely a slip of the pen. Pure.

Such a pattern never opens anything, which also means that a misspelt deny denies nothing. Tools of the other
systems count as known. Of an MCP server only its name is known before it has been asked for its tools.
"""

from collections.abc import Iterable, Iterator

from openclaw_gateway.config.schema import AgentToolsConfig, Config, ToolPolicy, ToolsConfig
from openclaw_gateway.config.wording import nearest
from openclaw_gateway.tools.groups import BUILT_IN, ELSEWHERE, GROUPS, MCP_PREFIX
from openclaw_gateway.tools.matching import matches, normal_name
from openclaw_gateway.tools.naming import server_prefix

_KNOWN = BUILT_IN | ELSEWHERE


def unmatched_patterns(
    policy: ToolPolicy, known: Iterable[str] = (), servers: Iterable[str] = ()
) -> tuple[str, ...]:
    """Those that match neither a tool we know of, nor one of `known`, nor what `servers` may bring."""
    names = _KNOWN | {name.lower() for name in known}
    prefixes = tuple(server_prefix(name).lower() for name in servers)
    written = (*policy.allow, *policy.also_allow, *policy.deny)
    return tuple(dict.fromkeys(pattern for pattern in written if not _matched(pattern, names, prefixes)))


def pattern_problems(config: Config) -> list[str]:
    """One sentence for every such pattern in the configuration, with the place where it stands."""
    servers = tuple(config.mcp.servers)
    return [
        f'{place}: the pattern "{pattern}" matches no tool{_hint(pattern, servers)}'
        for place, policy in _scopes(config)
        for pattern in unmatched_patterns(policy, servers=servers)
    ]


def _matched(pattern: str, names: frozenset[str], prefixes: tuple[str, ...]) -> bool:
    one = normal_name(pattern)
    if one in GROUPS or any(matches(name, (one,)) for name in names):
        return True
    head, star, _ = one.partition("*")
    return any(head.startswith(prefix) or (star and prefix.startswith(head)) for prefix in prefixes)


def _hint(pattern: str, servers: tuple[str, ...]) -> str:
    if pattern.lower().startswith(MCP_PREFIX):
        named = ", ".join(servers) or "none"
        return f"; it names a server that mcp.servers does not have (it has: {named})"
    near = nearest(pattern, (*BUILT_IN, *GROUPS))
    return f'; did you mean "{near}"?' if near else "; remove it"


def _scopes(config: Config) -> Iterator[tuple[str, ToolPolicy]]:
    yield from _of("tools", config.tools)
    for entry in config.agents.entries:
        yield from _of(f"the agent {entry.id}: tools", entry.tools)


def _of(place: str, tools: ToolsConfig | AgentToolsConfig) -> Iterator[tuple[str, ToolPolicy]]:
    yield place, tools
    for key, scope in tools.by_provider.items():
        yield f"{place}.byProvider.{key}", scope
    for key, where in (("sandbox", tools.sandbox), ("subagents", tools.subagents)):
        if where and where.tools:
            yield f"{place}.{key}.tools", where.tools

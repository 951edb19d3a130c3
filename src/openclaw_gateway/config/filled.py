"""A loaded configuration with the secrets that a use of it needs: the gateway's own, those of MCP servers,
of skills and of search engines.

Those of model providers are looked up later, for the models that are served. An MCP server whose secrets
cannot be had is left out; without its own secret the gateway is not what was meant.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.schema import McpServer, SearchEngineSettings, WebSearchSettings
from openclaw_gateway.config.secrets.references import Unresolved, Wanted
from openclaw_gateway.config.secrets.sources import Secrets

_AUTH: KeyPath = ("gateway", "auth")
_MCP: KeyPath = ("mcp", "servers")
_SEARCH: KeyPath = ("tools", "web", "search")
_SKILLS: KeyPath = ("skills", "entries")
_SIGN_IN = (
    "is a sign-in, which this gateway cannot do, so the server is left out; write a token into its headers "
    "(Authorization), or set enabled to false"
)


def with_auth(loaded: LoadedConfig, secrets: Secrets) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """(with the gateway's own secret, why it cannot be had). Blocks as its source does."""
    auth = loaded.config.gateway.auth
    found: dict[str, str] = {}
    problems: list[Problem] = []
    # The other of the two is not needed where the mode names one; a proxy's word stands beside a password.
    kind = "password" if auth.mode == "trusted-proxy" else auth.mode
    for path, what in loaded.wanted.items():
        if path[:2] == _AUTH and kind in {None, path[2]}:
            try:
                found[str(path[2])] = secrets.line(what)
            except Unresolved as error:
                problems.append(Problem(path, str(error)))
    if found:
        gateway = replace(loaded.config.gateway, auth=replace(auth, **found))
        loaded = replace(loaded, config=replace(loaded.config, gateway=gateway))
    return loaded, tuple(problems)


def with_servers(loaded: LoadedConfig, secrets: Secrets) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """(with the secrets of its MCP servers and without the servers whose cannot be had, which those are and
    why). Blocks as their sources do."""
    of_server: dict[str, list[KeyPath]] = defaultdict(list)
    for path in loaded.wanted:
        if path[:2] == _MCP:
            of_server[str(path[2])].append(path)
    servers = dict(loaded.config.mcp.servers)
    left_out: list[Problem] = []
    for name, server in loaded.config.mcp.servers.items():
        told = _unreachable(name, server, loaded.wanted) if server.enabled else None
        if told is not None:
            left_out.append(told)
            if told.path[-1] != "url":
                del servers[name]
    for name, paths in of_server.items():
        filled = servers.get(name)
        if filled is None or not filled.enabled:
            continue
        for path in paths:
            try:
                filled = _with(filled, path[3:], loaded.wanted[path], secrets)
            except Unresolved as error:
                left_out.append(Problem(path, f"{error}; until then the server is left out"))
                del servers[name]
                break
        else:
            servers[name] = filled
    if servers != loaded.config.mcp.servers:
        config = replace(loaded.config, mcp=replace(loaded.config.mcp, servers=servers))
        loaded = replace(loaded, config=config)
    return loaded, tuple(left_out)


def _unreachable(name: str, server: McpServer, wanted: Mapping[KeyPath, Wanted]) -> Problem | None:
    """Why a server, or what is written of it, is not used."""
    path = (*_MCP, name)
    command = server.command is not None or (*path, "command") in wanted
    url = server.url is not None or (*path, "url") in wanted
    if not command and not url:
        return Problem(path, "has neither command nor url, so the server is left out; write one of them")
    if server.auth == "oauth":
        return Problem((*path, "auth"), _SIGN_IN)
    if command and url:
        return Problem((*path, "url"), "is not used, because there is a command; keep one of them")
    return None


def with_skills(loaded: LoadedConfig, secrets: Secrets) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """(with the secrets of its skills, those that cannot be had and why). Blocks as their sources do."""
    entries = dict(loaded.config.skills.entries)
    missing: list[Problem] = []
    for path, wanted in loaded.wanted.items():
        entry = entries.get(str(path[2])) if path[:2] == _SKILLS else None
        if entry is None or not entry.enabled:
            continue
        try:
            if path[3:] == ("apiKey",):
                entries[str(path[2])] = replace(entry, api_key=secrets.line(wanted))
            else:
                entries[str(path[2])] = replace(entry, env={**entry.env, str(path[4]): secrets.text(wanted)})
        except Unresolved as error:
            missing.append(Problem(path, f"{error}; until then the skill is without it"))
    if entries != loaded.config.skills.entries:
        skills = replace(loaded.config.skills, entries=entries)
        loaded = replace(loaded, config=replace(loaded.config, skills=skills))
    return loaded, tuple(missing)


def with_search(loaded: LoadedConfig, secrets: Secrets) -> tuple[LoadedConfig, tuple[Problem, ...]]:
    """(with the keys and addresses of its search engines, those that cannot be had and why). Blocks as their
    sources do."""
    missing: list[Problem] = []
    search = loaded.config.tools.web.search if loaded.config.tools.web is not None else None
    if search is None or search.enabled is False:
        return loaded, ()
    filled = search
    for path, wanted in loaded.wanted.items():
        if path[:3] != _SEARCH:
            continue
        try:
            filled = _with_engine(filled, path[3:], secrets.line(wanted))
        except Unresolved as error:
            missing.append(Problem(path, f"{error}; until then the search is without it"))
    if filled != search and loaded.config.tools.web is not None:
        tools = replace(loaded.config.tools, web=replace(loaded.config.tools.web, search=filled))
        loaded = replace(loaded, config=replace(loaded.config, tools=tools))
    return loaded, tuple(missing)


def _with_engine(search: WebSearchSettings, rest: KeyPath, value: str) -> WebSearchSettings:
    match rest:
        case ("apiKey",):
            return replace(search, api_key=value)
        case (str() as engine, str() as key):
            old = getattr(search, engine) or SearchEngineSettings()
            named = {"api_key": value} if key == "apiKey" else {"base_url": value}
            return replace(search, **{engine: replace(old, **named)})
        case _:
            return search


def _with(server: McpServer, rest: KeyPath, wanted: Wanted, secrets: Secrets) -> McpServer:
    """The server with the one value at `rest`. Raises Unresolved."""
    match rest:
        case ("env", str() as name):
            return replace(server, env={**server.env, name: secrets.text(wanted)})
        case ("headers", str() as name):
            return replace(server, headers={**server.headers, name: secrets.line(wanted)})
        case _:
            value: Any = secrets.text(wanted)
            return replace(server, **{str(rest[0]): value})

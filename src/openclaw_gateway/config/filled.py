"""A loaded configuration with the secrets that a use of it needs: the gateway's own, those of MCP servers.

Those of model providers are looked up later, for the models that are served. An MCP server whose secrets
cannot be had is left out; without its own secret the gateway is not what was meant.
"""

from collections import defaultdict
from typing import Any

from msgspec.structs import replace

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.places import KeyPath, Problem
from openclaw_gateway.config.schema import McpServer
from openclaw_gateway.config.secret_sources import Secrets
from openclaw_gateway.config.secrets import Unresolved, Wanted

_AUTH: KeyPath = ("gateway", "auth")
_MCP: KeyPath = ("mcp", "servers")


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
    for name, paths in of_server.items():
        server = servers.get(name)
        if server is None or not server.enabled:
            continue
        for path in paths:
            try:
                server = _with(server, path[3:], loaded.wanted[path], secrets)
            except Unresolved as error:
                left_out.append(Problem(path, f"{error}; until then the server is left out"))
                del servers[name]
                break
        else:
            servers[name] = server
    if of_server:
        config = replace(loaded.config, mcp=replace(loaded.config.mcp, servers=servers))
        loaded = replace(loaded, config=config)
    return loaded, tuple(left_out)


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

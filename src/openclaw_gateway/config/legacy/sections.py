"""Old shapes of the sections other than `agents`."""

import ipaddress
from typing import Any

from openclaw_gateway.config.forms import Wrong, age_s
from openclaw_gateway.config.legacy.draft import Draft, Part

_MOVED: tuple[tuple[str, str], ...] = (
    ("tools.bash", "tools.exec"),
    ("routing.agentToAgent", "tools.agentToAgent"),
    ("routing.bindings", "bindings"),
    ("routing.queue", "messages.queue"),
    ("defaultModel", "agents.defaults.model"),
    ("agents.defaults.tools", "tools"),
    ("agents.defaults.exec", "tools.exec"),
    ("agents.defaults.model.fallback", "agents.defaults.model.fallbacks"),
    ("session.maintenance.pruneDays", "session.maintenance.pruneAfter"),
)
_SERVER_KEYS = {
    "connect_timeout": "connectTimeout",
    "supports_parallel_tool_calls": "supportsParallelToolCalls",
    "ssl_verify": "sslVerify",
    "client_cert": "clientCert",
    "client_key": "clientKey",
    "working_directory": "workingDirectory",
}
_BINDS = {"*": "lan", "localhost": "loopback"}


def move_sections(draft: Draft) -> None:
    for old, new in _MOVED:
        draft.move(tuple(old.split(".")), tuple(new.split(".")))
    _token(draft)
    _host(draft)
    _bind(draft)
    _servers(draft)
    _no_age(draft)
    _pruning(draft)


def _token(draft: Draft) -> None:
    """`gateway.token`: from before there was `gateway.auth`."""
    if "token" in draft.object("gateway"):
        draft.move(("gateway", "token"), ("gateway", "auth", "token"))
        if not draft.object("gateway", "auth").get("mode"):
            draft.put(("gateway", "auth", "mode"), Part("token", None))


def _host(draft: Draft) -> None:
    """`gateway.host`: an address, where `gateway.bind` now names a kind of address."""
    gateway = draft.object("gateway")
    if "host" in gateway and _meaning(gateway["host"]) is not None:
        draft.move(("gateway", "host"), ("gateway", "bind"))


def _bind(draft: Draft) -> None:
    written = draft.object("gateway").get("bind")
    meant = _meaning(written)
    if meant is None:
        return
    bind, address = meant
    part = draft.take("gateway", "bind")
    place = part.place if part else None
    draft.put(("gateway", "bind"), Part(bind, place))
    if address and draft.at("gateway", "customBindHost") is None:
        draft.put(("gateway", "customBindHost"), Part(address, place))
    where = f" with gateway.customBindHost {address}" if address else ""
    draft.said.append(f'gateway.bind "{written}" -> "{bind}"{where}')


def _meaning(written: Any) -> tuple[str, str] | None:
    """(the kind of address, the address itself where it must be said) of what is or was an address."""
    if not isinstance(written, str):
        return None
    text = written.strip().lower().removeprefix("[").removesuffix("]")
    if text in _BINDS:
        return _BINDS[text], ""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if address.is_unspecified:
        return "lan", ""
    return ("loopback", "") if address.is_loopback else ("custom", text)


def _servers(draft: Draft) -> None:
    """MCP servers in the other spelling that one version took."""
    for name, server in draft.object("mcp", "servers").items():
        for old, new in _SERVER_KEYS.items():
            if isinstance(server, dict) and old in server:
                draft.move(("mcp", "servers", name, old), ("mcp", "servers", name, new))
        if isinstance(server, dict) and isinstance(server.get("disabled"), bool):
            part = draft.take("mcp", "servers", name, "disabled")
            if part is not None:
                draft.put(("mcp", "servers", name, "disabled"), Part(not part.value, part.place))
                draft.move(("mcp", "servers", name, "disabled"), ("mcp", "servers", name, "enabled"))


def _no_age(draft: Draft) -> None:
    """Kept for no time at all meant nothing but the default."""
    age = draft.object("session", "maintenance").get("pruneAfter")
    if isinstance(age, bool) or not isinstance(age, int | float | str):
        return
    try:
        kept = age_s(str(age))
    except Wrong:
        return
    if kept <= 0:
        draft.take("session", "maintenance", "pruneAfter")
        draft.said.append("session.maintenance.pruneAfter is left out, because it says for no time")


def _pruning(draft: Draft) -> None:
    """How much is pruned had names once; what they meant is what happens without one."""
    mode = ("agents", "defaults", "contextPruning", "mode")
    written = draft.at(*mode)
    if written in {"adaptive", "aggressive"}:
        draft.take(*mode)
        draft.said.append(f'{".".join(mode)} "{written}" is what happens without it')

"""A key that is neither served nor known: what was probably meant, as the end of a sentence. Pure.

A hint is given only when following it mends the fault: the value fits where the hint sends it, and it is
said when something stands there already.
"""

from collections.abc import Callable, Iterable
from typing import Any

from openclaw_gateway.config.places import KeyPath, dotted
from openclaw_gateway.config.wording import nearest

# Mistakes people make often enough to be told exactly where the key belongs.
MOVED: dict[str, str] = {
    "gateway.password": "gateway.auth.password",
    "gateway.cors": "gateway.http.cors",
    "gateway.endpoints": "gateway.http.endpoints",
    "gateway.chatCompletions": "gateway.http.endpoints.chatCompletions",
    "gateway.http.chatCompletions": "gateway.http.endpoints.chatCompletions",
    "http": "gateway.http",
    "port": "gateway.port",
    "bind": "gateway.bind",
    "token": "gateway.auth.token",
    "password": "gateway.auth.password",
    "limits": "gateway.limits",
    "agents.tools": "tools",
    "providers": "models.providers",
    "mcpServers": "mcp.servers",
    "model": "agents.defaults.model",
    "workspace": "agents.defaults.workspace",
}
_SAID: dict[str, str] = {
    "gateway.host": (
        'is not a key; gateway.bind says where to listen: "loopback", "lan", or "custom" with '
        "gateway.customBindHost"
    ),
}

# (path, value) -> whether the value may stand there.
Fits = Callable[[KeyPath, Any], bool]
Free = Callable[[KeyPath], bool]


def unknown_key(path: KeyPath, value: Any, known: Iterable[str], fits: Fits, free: Free) -> str:
    """`free` says whether nothing stands at a path yet."""
    written = dotted(path)
    if written in _SAID:
        return _SAID[written]
    if written in MOVED:
        target = MOVED[written]
        steps = tuple(target.split("."))
        if not free(steps):
            return f"is not a key; remove it: what counts is {target}, which is set"
        if fits(steps, value):
            return f"is not a key; it belongs at {target}"
        return f"is not a key; write what it means at {target}, which takes another kind of value"
    near = nearest(str(path[-1]), known)
    meant = (*path[:-1], near or "")
    if near and fits(meant, value):
        hint = f'did you mean "{near}"'
        said = f"{hint}?" if free(meant) else f"remove it, or {hint}, which is set?"
        return f"is not a known key; {said}"
    return "is not a known key; remove it"


def matters(key: str, served: Iterable[str]) -> bool:
    """Whether an unknown key of the outermost object is more likely a slip in writing a served one."""
    return key in MOVED or nearest(key, served, likeness=0.8) is not None

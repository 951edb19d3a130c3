"""What is said to a command that is not there: what was meant, or that it is the other systems'. Data, pure.

The names are those of OpenClaw 2026.9's command line (docs.openclaw.ai/cli) and of Clawdbot's.
"""

import difflib
from collections.abc import Iterable

_LIKENESS = 0.6
_NOT_HERE = "is not part of this program, which serves agents over HTTP, WebSocket and the terminal"
_CHANNELS = f"{_NOT_HERE}; it has no messaging channels"

# By the whole path of the command. What stands behind it ends the sentence; {program} is our name.
_THEIRS: dict[str, str] = {
    "audit": _NOT_HERE,
    "browser": _NOT_HERE,
    "capability": _NOT_HERE,
    "channels": _CHANNELS,
    "clawbot": _NOT_HERE,
    "commitments": _NOT_HERE,
    "configure": "is not part of this program; use {program} config set, or edit {program} config file",
    "cron": _NOT_HERE,
    "crestodian": _NOT_HERE,
    "daemon": "is the older name there of {program} gateway",
    "dashboard": "is not part of this program; its page is the gateway's address: {program} status shows it",
    "directory": _CHANNELS,
    "dns": _NOT_HERE,
    "docs": _NOT_HERE,
    "exec-policy": "is not part of this program; use {program} approvals",
    "fleet": _NOT_HERE,
    "flows": _NOT_HERE,
    "hooks": _NOT_HERE,
    "infer": _NOT_HERE,
    "memory": f"{_NOT_HERE}; an agent's memory is files in its workspace: {{program}} agents show",
    "message": _CHANNELS,
    "migrate": "is not part of this program, which reads the other systems' files as they are",
    "node": _NOT_HERE,
    "nodes": _NOT_HERE,
    "onboard": "is here {program} setup",
    "pairing": _CHANNELS,
    "plugins": f"{_NOT_HERE}; it has no plugins, but MCP servers (mcp.servers)",
    "proxy": _NOT_HERE,
    "qr": _NOT_HERE,
    "reset": f"{_NOT_HERE}; its own files are the folder gateway/ of the state directory",
    "sandbox": "is not part of this program; the sandbox is agents.defaults.sandbox: {program} config get",
    "secrets": "is not part of this program; {program} config validate names every secret that is missing",
    "system": _NOT_HERE,
    "tasks": _NOT_HERE,
    "terminal": "is here {program} chat",
    "tui": "is here {program} chat",
    "uninstall": f"{_NOT_HERE}; remove the package the way it was installed",
    "update": f"{_NOT_HERE}; update the package the way it was installed",
    "voicecall": _NOT_HERE,
    "webhooks": _NOT_HERE,
    "wiki": _NOT_HERE,
    "agents bind": _CHANNELS,
    "agents bindings": _CHANNELS,
    "agents delete": "is here {program} agents remove",
    "devices clear": "is not part of this program; {program} devices revoke takes one away",
    "devices join-code": _NOT_HERE,
    "devices remove": "is here {program} devices revoke",
    "devices rename": "is not part of this program",
    "devices rotate": "is not part of this program, which gives devices no tokens",
    "agents set-identity": "is not part of this program yet; use {program} config set agents.list",
    "agents unbind": _CHANNELS,
    "approvals get": "is here {program} approvals list",
    "approvals set": "is here {program} approvals allow and deny",
    "approvals allowlist": "is here {program} approvals allow and remove",
    "config patch": "is not part of this program; use {program} config set",
    "gateway discover": _NOT_HERE,
    "gateway probe": "is here {program} health",
    "gateway usage-cost": _NOT_HERE,
}


def about_unknown(program: str, path: tuple[str, ...], there: Iterable[str]) -> str:
    """`path` is the whole command as typed, its last word unknown among those that are `there`."""
    typed = " ".join(path)
    theirs = _THEIRS.get(typed)
    if theirs is not None:
        return f'OpenClaw\'s "{typed}" {theirs.format(program=program)}.'
    words = list(there)
    last = path[-1].lower()
    near = difflib.get_close_matches(last, words, n=len(words) or 1, cutoff=_LIKENESS)
    # Who stops early means what begins so.
    near.sort(key=lambda word: -_shared(last, word))
    if near:
        meant = " ".join((program, *path[:-1], near[0]))
        return f'There is no command "{typed}". Did you mean: {meant}'
    return f'There is no command "{typed}". There are: {", ".join(words)}.'


def _shared(one: str, other: str) -> int:
    """With how many same letters both begin."""
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)

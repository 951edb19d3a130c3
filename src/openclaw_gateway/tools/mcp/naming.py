"""The names MCP tools appear under: `mcp__<server>__<tool>`, in characters every vendor takes. Pure."""

import hashlib
import re
from collections.abc import Container

from openclaw_gateway.tools.policy.groups import MCP_PREFIX

_MOST = 64
_SERVER_MOST = 24
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")


def server_prefix(server: str) -> str:
    """What the names of all tools of this server begin with."""
    # Without two underscores in a row: they end the server's name.
    clean = re.sub("_+", "_", _OTHER.sub("_", server)).strip("_")
    return f"{MCP_PREFIX}{_cut(clean, _SERVER_MOST, server)}__"


def mcp_name(server: str, tool: str, *, taken: Container[str] = ()) -> str:
    """At most 64 characters of [A-Za-z0-9_-]. A name that is cut or taken ends in a mark of the whole."""
    prefix = server_prefix(server)
    clean = _OTHER.sub("_", tool)
    name = prefix + _cut(clean, _MOST - len(prefix), tool)
    return name if name not in taken else prefix + _marked(clean, _MOST - len(prefix), f"{server} {tool}")


def _cut(clean: str, most: int, whole: str) -> str:
    return clean if clean and len(clean) <= most else _marked(clean, most, whole)


def _marked(clean: str, most: int, whole: str) -> str:
    mark = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{clean[: most - 9]}_{mark}"

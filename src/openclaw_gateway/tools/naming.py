"""The names MCP tools appear under: `mcp__<server>__<tool>`, in characters every vendor takes. Pure."""

import hashlib
import re

from openclaw_gateway.tools.groups import MCP_PREFIX

_MOST = 64
_SERVER_MOST = 24
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")


def server_prefix(server: str) -> str:
    """What the names of all tools of this server begin with."""
    return f"{MCP_PREFIX}{_cut(_OTHER.sub('_', server), _SERVER_MOST, server)}__"


def mcp_name(server: str, tool: str) -> str:
    """At most 64 characters of [A-Za-z0-9_-]; a cut name ends in a mark of the whole, so no two are one."""
    prefix = server_prefix(server)
    return prefix + _cut(_OTHER.sub("_", tool), _MOST - len(prefix), tool)


def _cut(clean: str, most: int, whole: str) -> str:
    if len(clean) <= most and clean:
        return clean
    mark = hashlib.sha256(whole.encode("utf-8", "replace")).hexdigest()[:8]
    return f"{clean[: most - 9]}_{mark}"

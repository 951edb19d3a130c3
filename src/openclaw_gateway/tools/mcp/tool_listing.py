"""What a server lists as its tools, before the SDK looks at it: one bad tool costs itself, not its server.

The SDK refuses a whole list for one field of a wrong type. Pure, but for the log.
"""

from typing import Any

import mcp_types as types
import structlog
from pydantic import ValidationError

log = structlog.get_logger()

# Without these a tool is the same tool. (What its answers look like is not held against it: servers that
# promise a form and keep none are many.)
_NEEDED = frozenset({"name", "description", "inputSchema"})
_NO_ARGUMENTS = {"type": "object", "properties": {}}


def mend(result: Any) -> None:
    """In place, where `result` is that of tools/list."""
    if not isinstance(result, dict) or not isinstance(result.get("tools"), list):
        return
    result["tools"] = [tool for tool in map(_mended, result["tools"]) if tool is not None]


def _mended(tool: Any) -> dict[str, Any] | None:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str) or not tool["name"].strip():
        log.warning("mcp.tool_left_out", reason="it has no name")
        return None
    tool.pop("outputSchema", None)
    if not isinstance(tool.get("inputSchema"), dict):
        tool["inputSchema"] = _NO_ARGUMENTS
    # The SDK wants it said; a schema without a type is meant to be of an object.
    tool["inputSchema"] = {**tool["inputSchema"], "type": "object"}
    if not isinstance(tool.get("description"), str):
        tool.pop("description", None)
    for kept in (tool, {name: value for name, value in tool.items() if name in _NEEDED}):
        try:
            types.Tool.model_validate(kept)
        except (ValidationError, ValueError, RecursionError):
            continue
        return kept
    log.warning("mcp.tool_left_out", tool=tool["name"][:80], reason="its description is none")
    return None

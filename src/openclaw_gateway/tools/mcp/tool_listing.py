"""What a server lists as its tools, before the SDK looks at it: one bad tool costs itself, not its server.

The SDK refuses a whole list for one field of a wrong type. Pure.
"""

from typing import Any

import mcp_types as types
from pydantic import ValidationError

from openclaw_gateway.tools.mcp.connection import LeftOut

# Without these a tool is the same tool. (What its answers look like is not held against it: servers that
# promise a form and keep none are many.)
_NEEDED = frozenset({"name", "description", "inputSchema"})
_NO_ARGUMENTS = {"type": "object", "properties": {}}


def mend(result: Any) -> tuple[LeftOut, ...]:
    """In place, where `result` is that of tools/list; what of it cannot be offered."""
    if not isinstance(result, dict) or not isinstance(result.get("tools"), list):
        return ()
    mended = [_mended(tool) for tool in result["tools"]]
    result["tools"] = [tool for tool in mended if not isinstance(tool, LeftOut)]
    return tuple(tool for tool in mended if isinstance(tool, LeftOut))


def _mended(tool: Any) -> dict[str, Any] | LeftOut:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str) or not tool["name"].strip():
        return LeftOut("", "it has no name")
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
    return LeftOut(tool["name"][:80], "its description is none")

"""A call of an agent's tool that a client makes itself, for every door: found, and made into a request. Pure.

The shape of what comes back (`content`) is that of OpenClaw's tools.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.tools.base import Tool
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import Door, Invocation, RunRequest

_encode = msgspec.json.Encoder().encode
_PROPERTIES = msgspec.json.Decoder(type=dict[str, Any])


def invocation(
    principal: Principal,
    door: Door,
    route: Route,
    tool: Tool,
    arguments: Mapping[str, Any],
    *,
    action: str | None = None,
    idempotency_key: str | None = None,
) -> RunRequest:
    """`action` becomes an argument of a tool that has one."""
    if action is not None and "action" not in arguments and _takes_action(tool):
        arguments = {**arguments, "action": action}
    call = ToolCall("call_invoked", tool.spec.name, _encode(arguments).decode())
    asked = Invocation(call, route.session_key)
    question = Question((), idempotency_key=idempotency_key, invocation=asked)
    return run_request(principal, door, route, question)


def content(text: str) -> dict[str, Any]:
    """What a tool has said."""
    return {"content": [{"type": "text", "text": text}], "details": {}}


def not_there(name: str) -> str:
    """What is said of a tool that the agent has not, or that is closed to clients."""
    return f"Tool not available: {name[:80]}"


def _takes_action(tool: Tool) -> bool:
    return "action" in (_PROPERTIES.decode(tool.spec.parameters).get("properties") or {})

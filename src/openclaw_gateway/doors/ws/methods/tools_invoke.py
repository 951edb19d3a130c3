"""`tools.invoke`: one call of an agent's tool, without a model, as POST /tools/invoke makes it.

The same tools, the same that are closed, the same origin. Shapes as published; `output` is what HTTP calls
`result`. `confirm` is accepted and not used: what needs a person's word asks for it.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.invoking import content, invocation, not_there
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.run import CLIENT_LEFT
from openclaw_gateway.tools.builtin import registrations
from openclaw_gateway.tools.policy.groups import MCP_PREFIX
from openclaw_gateway.wire.error_info import ErrorInfo


class InvokeParams(Struct, frozen=True, rename="camel"):
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    args: dict[str, Any] = {}
    session_key: Annotated[str, Meta(min_length=1, max_length=512)] = "main"
    agent_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


async def _invoke(call: MethodCall, params: InvokeParams) -> object:
    """A client that leaves ends the call. Raises Forbidden, InvalidRequest, Overloaded, AgentUnavailable."""
    gateway, principal = call.gateway, call.principal
    name, key = params.name.strip(), params.idempotency_key
    if key is not None and not key.isprintable():
        raise invalid("tools.invoke", "idempotencyKey must be printable text", "idempotencyKey")
    route = gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    tool = gateway.tool(principal, "websocket", route, name)
    if tool is None:
        return _failed(name, "not_found", not_there(name))
    run = await gateway.start(
        principal, invocation(principal, "websocket", route, tool, params.args, idempotency_key=key)
    )
    run.join()
    try:
        result = await run.wait()
    finally:
        run.leave(CLIENT_LEFT)
    own = tool.spec.name
    if result.error is not None:
        return _failed(own, *_said(result.error))
    if result.is_error:
        return _failed(own, "tool_error", result.text)
    source = "mcp" if own.startswith(MCP_PREFIX) and own not in registrations() else "core"
    return {"ok": True, "toolName": own, "output": content(result.text), "source": source}


def _said(error: ErrorInfo) -> tuple[str, str]:
    return error.code, error.message


def _failed(name: str, code: str, message: str) -> dict[str, Any]:
    return {"ok": False, "toolName": name or "?", "error": {"code": code, "message": message or code}}


METHODS = (Method("tools.invoke", WRITE, InvokeParams, _invoke),)

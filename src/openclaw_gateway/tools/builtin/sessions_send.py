"""`sessions_send`: say something in another conversation and hear what its agent answers."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.arguments import text, whole_number
from openclaw_gateway.tools.base import Letter, Tool, ToolAgent, ToolContext, ToolResult, ToolServices
from openclaw_gateway.tools.clipped import clipped
from openclaw_gateway.tools.own_tool import own_tool
from openclaw_gateway.tools.registration import Registration
from openclaw_gateway.tools.scope import sandboxed
from openclaw_gateway.tools.session_reach import sight
from openclaw_gateway.tools.session_text import shown

REGISTRATION = Registration("sessions", profiles=("messaging",), sandbox=True, subagents=False)

_MAX_MESSAGE_CHARS = 32_000
_MAX_REPLY_CHARS = 32_000
_MAX_WAIT_S = 600


def build(services: ToolServices, agent: ToolAgent) -> tuple[Tool, ...]:
    async def work(arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        key = text(arguments, "sessionKey", "session_key")
        message = text(arguments, "message")
        wait_s = whole_number(
            arguments, "timeoutSeconds", "timeout_seconds", default=30, least=0, most=_MAX_WAIT_S, clamp=True
        )
        if len(message) > _MAX_MESSAGE_CHARS:
            raise ToolError(f"The message is longer than {_MAX_MESSAGE_CHARS:,} characters.")
        if key.lower() == (context.session_key or "").lower():
            # It would wait for its own end: a conversation does one run at a time.
            raise ToolError("This is the conversation you are in: answer in it instead.")
        letter = Letter(key, message, confined=sandboxed(agent, context.origin, context.session_key))
        reply = await services.sessions.send(context, sight(agent, context), letter, float(wait_s))
        if reply is None:
            return ToolResult(
                shown({"status": "accepted" if wait_s == 0 else "no answer yet", "sessionKey": key})
            )
        return ToolResult(
            shown({"status": "ok", "sessionKey": key, "reply": clipped(reply, _MAX_REPLY_CHARS)})
        )

    return (
        own_tool(
            "sessions_send",
            work,
            summary="Say something in another conversation",
            description="Send a message into another conversation and wait for its agent's answer.",
            properties={
                "sessionKey": {"type": "string", "description": "As sessions_list names it"},
                "message": {"type": "string"},
                "timeoutSeconds": {
                    "type": "integer",
                    "description": "How long to wait for the answer, 30 if not given; 0 does not wait. "
                    "What is not answered when you end is stopped",
                },
            },
            required=("sessionKey", "message"),
        ),
    )

"""`sessions.compact` and `chat.inject`: what is done to a session in its turn, without an answer.

Shapes are OpenClaw's. Both wait for the runs before them.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall, RunFailed
from openclaw_gateway.gateway.principal import ADMIN
from openclaw_gateway.gateway.routing import Ask, Route
from openclaw_gateway.sessions.places import place_id

_Key = Annotated[str, Meta(min_length=1, max_length=512)]
_Agent = Annotated[str, Meta(max_length=256)]


class CompactParams(Struct, frozen=True, rename="camel"):
    key: _Key
    agent_id: _Agent | None = None
    max_lines: Annotated[int, Meta(ge=1)] | None = None


class InjectParams(Struct, frozen=True, rename="camel"):
    """`label` stands before the note, in brackets."""

    session_key: _Key
    message: Annotated[str, Meta(min_length=1)]
    agent_id: _Agent | None = None
    label: Annotated[str, Meta(max_length=100)] | None = None


async def _compact(call: MethodCall, params: CompactParams) -> object:
    """Raises InvalidRequest, NotFound, RunFailed."""
    method = "sessions.compact"
    if params.max_lines is not None:
        why = "maxLines is not served: nothing of a transcript is thrown away. Without it the older part is "
        raise invalid(method, f"{why}summarised", "maxLines")
    route = _route(call, method, params.agent_id, params.key, "key")
    done = await call.gateway.session_errands.compact(call.principal, "websocket", route)
    if done.result.error is not None:
        raise RunFailed(done.run.shown_id, done.result.error)
    summary = done.result.text
    answer: dict[str, Any] = {"ok": True, "key": route.session_key, "compacted": bool(summary)}
    if not summary:
        return answer | {"reason": "there is nothing before the newest turn that is not summarised"}
    return answer | {"result": {"summary": summary}}


async def _inject(call: MethodCall, params: InjectParams) -> object:
    """Raises InvalidRequest, NotFound, RunFailed."""
    method = "chat.inject"
    text = params.message.strip()
    if not text:
        raise invalid(method, "message must not be blank", "message")
    if params.label is not None and params.label.strip():
        if not params.label.isprintable():
            raise invalid(method, "label must be printable text", "label")
        text = f"[{params.label.strip()}]\n\n{text}"
    route = _route(call, method, params.agent_id, params.session_key, "sessionKey")
    done = await call.gateway.session_errands.note(call.principal, "websocket", route, text)
    if done.result.error is not None:
        raise RunFailed(done.run.shown_id, done.result.error)
    sessions = call.gateway.held
    left = await sessions.said_in(call.principal, route.session_key or "", done.run.id)
    return {"ok": True, "messageId": place_id(left[-1]) if left else done.run.id}


def _route(call: MethodCall, method: str, agent: str | None, key: str, param: str) -> Route:
    """Raises InvalidRequest."""
    route = call.gateway.route(Ask(agent=agent, session_key=key))
    if route.session_key is None:
        raise invalid(method, f"{param} must not be blank", param)
    return route


METHODS = (
    Method("sessions.compact", ADMIN, CompactParams, _compact),
    Method("chat.inject", ADMIN, InjectParams, _inject),
)

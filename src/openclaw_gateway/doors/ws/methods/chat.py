"""`chat.send`, `chat.abort`: what a chat window says and stops.

Shapes are OpenClaw's: `chat.send` answers at once, and what comes of it is told by events. Its idempotency
key is what the run is called; sent again, it attaches to that run.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.asked import asked_in, invalid
from openclaw_gateway.doors.ws.attached import Attachment, taken_in
from openclaw_gateway.doors.ws.method import ANSWERED, Method, MethodCall
from openclaw_gateway.doors.ws.results import place_in_line
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.replayed import ReplayedRun
from openclaw_gateway.wire.run import Queue

_DAY_MS = 86_400_000
# What the protocol's modes are here.
_QUEUES: dict[str, Queue] = {
    "steer": "steer",
    "followup": "wait",
    "collect": "wait",
    "interrupt": "interrupt",
}


class SendParams(Struct, frozen=True, rename="camel"):
    """`deliver` and what else belongs to messengers is accepted and not used: there are none."""

    session_key: Annotated[str, Meta(min_length=1, max_length=512)]
    message: str
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=256)]
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    thinking: Annotated[str, Meta(max_length=32)] | None = None
    timeout_ms: Annotated[int, Meta(ge=0, le=30 * _DAY_MS)] | None = None
    queue_mode: Literal["steer", "followup", "collect", "interrupt"] | None = None
    attachments: tuple[Attachment, ...] | None = None


class AbortParams(Struct, frozen=True, rename="camel"):
    """With a run id only that run; the session key then need not be given."""

    session_key: Annotated[str, Meta(max_length=512)] | None = None
    run_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


async def _send(call: MethodCall, params: SendParams) -> object:
    gateway, key = call.gateway, params.idempotency_key
    message, sampling = asked_in("chat.send", key, params.message, params.thinking, params.attachments)
    route = gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    question = Question(
        (await taken_in(call, route, message),),
        sampling=sampling,
        idempotency_key=key,
        timeout_s=params.timeout_ms / 1000 if params.timeout_ms else None,
        queue=_QUEUES.get(params.queue_mode or "", "wait"),
    )
    known = gateway.find(call.principal, key)
    with call.events_after(key):
        run = await gateway.start(call.principal, run_request(call.principal, "websocket", route, question))
        # Also of before a restart.
        is_new = run is not known and not isinstance(run, ReplayedRun)
        status = "started" if is_new else "in_flight" if run.result is None else "ok"
        await call.reply({"runId": run.shown_id, "status": status, **place_in_line(run)})
    call.follow(run)
    return ANSWERED


async def _abort(call: MethodCall, params: AbortParams) -> object:
    gateway = call.gateway
    if params.run_id is not None:
        aborted = await gateway.abort(call.principal, params.run_id)
        run_ids: tuple[str, ...] = (params.run_id,) if aborted else ()
    elif params.session_key is not None and params.session_key.strip():
        route = gateway.route(Ask(session_key=params.session_key))
        run_ids = await gateway.abort_session(call.principal, route.session_key or "")
    else:
        raise invalid("chat.abort", "must have required property 'sessionKey' or 'runId'", "sessionKey")
    return {"ok": True, "aborted": bool(run_ids), "runIds": run_ids}


METHODS = (
    Method("chat.send", WRITE, SendParams, _send),
    Method("chat.abort", WRITE, AbortParams, _abort),
)

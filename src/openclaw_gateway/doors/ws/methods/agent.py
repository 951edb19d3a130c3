"""`agent` and `agent.wait`: have an agent answer, or hear how an earlier answer went.

The idempotency key is what the run is called here: the same request sent again attaches to it. A run goes
on when its client leaves; `agent.wait` finds it again.
"""

import asyncio
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import replace

from openclaw_gateway.doors.ws.asked import asked_in
from openclaw_gateway.doors.ws.attached import Attachment, taken_in
from openclaw_gateway.doors.ws.method import Method, MethodCall, RunFailed
from openclaw_gateway.doors.ws.results import accepted, completed, place_in_line
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.elsewhere.ending import Ending
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.wire.events import RunEnded, RunStarted
from openclaw_gateway.wire.run import RunRequest

_DAY_MS = 86_400_000
_MONTH_S = 30 * 86_400
_LOOK_S = 1.0


class AgentParams(Struct, frozen=True, rename="camel"):
    """What else companion apps send (deliver, channel, lane, …) is accepted and not used: there are no
    messengers. `session_id` is what `sessions.list` gives, or a name: the conversation of that name."""

    message: Annotated[str, Meta(min_length=1)]
    idempotency_key: Annotated[str, Meta(min_length=1, max_length=256)]
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    session_key: Annotated[str, Meta(max_length=512)] | None = None
    session_id: Annotated[str, Meta(max_length=512)] | None = None
    provider: Annotated[str, Meta(max_length=256)] | None = None
    model: Annotated[str, Meta(max_length=256)] | None = None
    thinking: Annotated[str, Meta(max_length=32)] | None = None
    timeout: Annotated[float, Meta(le=_MONTH_S)] | None = None
    extra_system_prompt: str | None = None
    attachments: tuple[Attachment, ...] | None = None


class WaitParams(Struct, frozen=True, rename="camel"):
    run_id: Annotated[str, Meta(min_length=1, max_length=256)]
    timeout_ms: Annotated[float, Meta(ge=0, le=_DAY_MS)] | None = None


async def _agent(call: MethodCall, params: AgentParams) -> object:
    request = await _run_request(call, params)
    with call.events_after(params.idempotency_key):
        run = await call.gateway.start(call.principal, request)
        await call.reply(accepted(run))
    call.follow(run)
    result = await run.wait()
    await call.delivered(run)
    if result.error is not None:
        raise RunFailed(run.shown_id, result.error)
    return completed(run, result)


async def _run_request(call: MethodCall, params: AgentParams) -> RunRequest:
    """Raises InvalidRequest, Overloaded."""
    key = params.idempotency_key
    message, sampling = asked_in("agent", key, params.message, params.thinking, params.attachments)
    model = "/".join(filter(None, (params.provider, params.model))) if params.model else None
    session = params.session_key or params.session_id
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=session, backend=model))
    if route.session_key is None:
        route = replace(route, session_key=main_key(route.agent_id))
    question = Question(
        (await taken_in(call, route, message),),
        params.extra_system_prompt or "",
        sampling,
        idempotency_key=key,
        timeout_s=params.timeout if params.timeout and params.timeout > 0 else None,
    )
    return run_request(call.principal, "websocket", route, question)


async def _wait(call: MethodCall, params: WaitParams) -> object:
    timeout_s = 30.0 if params.timeout_ms is None else params.timeout_ms / 1000
    run_id, run = params.run_id, None
    try:
        async with asyncio.timeout(timeout_s):
            while (run := call.gateway.find(call.principal, run_id)) is None:
                ending = await call.gateway.ending(call.principal, run_id)
                if ending is not None:
                    return _waited(run_id, ending)
                await _appearance(call, run_id)
            result = await run.wait()
    except TimeoutError:
        return {"runId": run_id, "status": "timeout", **({} if run is None else place_in_line(run))}
    started_ms, ended_ms = await _times(run)
    ended_ms = ended_ms or now_ms()
    return _waited(run_id, Ending(result.status, ended_ms, started_ms or run.created_ms, result.error))


def _waited(run_id: str, ending: Ending) -> dict[str, Any]:
    completed = ending.status == "completed"
    answer: dict[str, Any] = {"runId": run_id, "status": "ok" if completed else "error"}
    answer |= {"startedAt": ending.started_ms, "endedAt": ending.ended_ms}
    if ending.error is not None:
        answer |= {"error": ending.error.message, "code": ending.error.code}
    return answer


async def _appearance(call: MethodCall, run_id: str) -> None:
    """Until somebody here starts the run, or it is time to see whether another process has."""
    appeared = asyncio.Event()

    def heard(run: Run) -> None:
        if run_id in (run.shown_id, run.id):
            appeared.set()

    silence = call.gateway.listen(call.principal, Listener(heard))
    try:
        if call.gateway.find(call.principal, run_id) is None:
            async with asyncio.timeout(_LOOK_S):
                await appeared.wait()
    except TimeoutError:
        return
    finally:
        silence()


async def _times(run: Run) -> tuple[int | None, int | None]:
    """When an ended run began and ended, as far as its log still says so."""
    log = run.events()
    try:
        events = await log.batch(0)
    except LookupError:
        return None, None
    finally:
        log.close()
    began = next((event.at_ms for event in events if isinstance(event, RunStarted)), None)
    ended = next((event.at_ms for event in reversed(events) if isinstance(event, RunEnded)), None)
    return began, ended


METHODS = (
    Method("agent", WRITE, AgentParams, _agent),
    Method("agent.wait", WRITE, WaitParams, _wait),
)

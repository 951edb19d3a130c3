"""Sub-agents: runs that a run's tool starts for one task, and waits for.

Implements the capability `SubAgentsForTools`. Such a run has no session: what it was told and said is its
own, and its last answer is the tool's result. It has the audience of the run that starts it, shares that
one's depth, rounds and time, and ends with it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from weakref import WeakValueDictionary

from msgspec import UNSET

from openclaw_gateway.errors import EventsGone, GatewayError, RunTimeout, ToolError
from openclaw_gateway.runs.run import PARENT_ENDED, Run
from openclaw_gateway.tools.base import Errand, Returned, ToolContext
from openclaw_gateway.wire.events import RunEnded, ToolStarted
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import RunRequest, RunResult, Sampling

Start = Callable[[RunRequest], Awaitable[Run]]

_SITUATION = (
    "You are a sub-agent: an agent has given you the one task that the message holds. You see nothing of its "
    "conversation, and nobody answers questions. Your last answer goes to that agent: put into it what it "
    "needs to know."
)


class SubAgents:
    """`start` begins a run through the gateway's own door-less way in."""

    def __init__(self, start: Start) -> None:
        self._start = start
        # Of every run that has sub-agents now. They wait for each other, never for one above.
        self._rooms: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def run_errand(self, context: ToolContext, errand: Errand) -> Returned:
        room = self._rooms.get(context.run_id)
        if room is None:
            room = self._rooms[context.run_id] = asyncio.Semaphore(errand.at_once)
        async with room:
            try:
                run = await self._start(_request(context, errand))
            except GatewayError as error:
                raise ToolError(f"The sub-agent was not started: {error.message}") from None
            try:
                result = await _followed(run, context)
            finally:
                run.abort(PARENT_ENDED)
        return _returned(run, result)


def _request(context: ToolContext, errand: Errand) -> RunRequest:
    return RunRequest(
        context.origin.child(context.run_id, confined=errand.confined, spawned=True),
        errand.agent_id,
        (UserMessage(errand.task),),
        instructions=_SITUATION,
        sampling=Sampling(reasoning_effort=errand.thinking or UNSET),
        timeout_s=errand.timeout_s,
        model=errand.model,
    )


async def _followed(run: Run, context: ToolContext) -> RunResult:
    """Its result; what it does until then is told by the names of its tools."""
    with closing(run.events()) as log:
        try:
            while True:
                for event in await log.batch():
                    match event:
                        case ToolStarted(name=name):
                            context.update(f"uses {name}")
                        case RunEnded(result=result):
                            return result
                        case _:
                            pass
        except EventsGone:
            return await run.wait()


def _returned(run: Run, result: RunResult) -> Returned:
    error = result.error
    timed_out = error is not None and error.code == RunTimeout.default_code
    if error is not None and not timed_out:
        raise ToolError(f"The sub-agent did not come to an end: {error.message}")
    return Returned(run.id, result.model, result.text, run.elapsed_ms(), result.usage, timed_out)

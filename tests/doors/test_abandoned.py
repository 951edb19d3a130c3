"""Clients that leave without a word, thousands of them: nothing of theirs stays behind."""

import asyncio
import gc

from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalWatch
from openclaw_gateway.sessions.local.log import EventLog
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hang, ModelServer, says
from tests.doors.chat import say
from tests.doors.raw import chat_body, post, wire

ROUNDS = 40
AT_ONCE = 100


async def test_4000_abandoned_requests_leave_nothing(gateway: RunningGateway, models: ModelServer) -> None:
    """A quarter each: before the answer, in a stream, holding a session's lane, waiting in one."""
    assert (await say(gateway, "warm up", user="ada")).status == 200
    before = {task.get_name() for task in asyncio.all_tasks()}
    gone = asyncio.Semaphore(0)

    async def leave(number: int) -> None:
        kind = number % 4
        stream = kind == 1
        fields = {"user": f"u{number // 4 % 10}"} if kind >= 2 else {}
        async with wire(gateway) as raw:
            raw.send(post(gateway, chat_body("hi", stream=stream, **fields)))
            if stream:
                await raw.until(b"one")
            else:
                await gateway.wait_runs(1)
            raw.drop()
        gone.release()

    models.script("mock-echo", says("one", Hang()))
    for _ in range(ROUNDS):
        async with asyncio.timeout(30):
            await asyncio.gather(*(leave(number) for number in range(AT_ONCE)))
            await gateway.wait_no_runs()
    await models.wait_idle()

    models.script("mock-echo", says("still here"))
    for number in range(10):
        assert (await say(gateway, "hi", user=f"u{number}")).content == "still here"
    await gateway.wait_no_runs()
    gc.collect()
    kinds = (Run, EventLog, LocalWatch)
    assert [thing for thing in gc.get_objects() if isinstance(thing, kinds)] == []
    left = {task.get_name() for task in asyncio.all_tasks()} - before
    assert not [name for name in left if name.startswith("chatcmpl")]

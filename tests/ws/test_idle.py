"""A client that only listens is little more than its socket: there may be thousands."""

import asyncio
import gc
import tracemalloc
import weakref
from contextlib import AsyncExitStack
from unittest.mock import ANY

from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.doors.ws.feed import Feed
from openclaw_gateway.doors.ws.socket import Socket
from openclaw_gateway.testing.gateway import RunningGateway
from tests.doors.chat import ask, user
from tests.doors.served import until
from tests.ws.peer import connected, door, ws_tasks


async def test_it_has_one_task_and_is_still_told_of_the_end(gateway: RunningGateway) -> None:
    async with door(gateway.gateway, Timing()) as opened, connected(gateway, opened.url) as peer:
        assert ws_tasks() == {"ws.feed"}
        opened.closing.set()
        await peer.event("shutdown")
        assert await peer.close_code() == 1012
    assert ws_tasks() == set()


async def test_many_who_look_on_hear_all_of_it(gateway: RunningGateway) -> None:
    """They are told a few at a time, and less often than one alone."""
    async with AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connected(gateway)) for _ in range(40)]
        for peer in peers:
            await peer.result("sessions.subscribe")
        answer = await ask(gateway, {"messages": [user("one two three")], "stream": True})
        assert answer.frames[-1] == "[DONE]"
        for peer in peers:
            ended = await peer.event("agent", stream="lifecycle", data=ANY)
            while ended["payload"]["data"]["phase"] != "end":
                ended = await peer.event("agent", stream="lifecycle", data=ANY)
            told = peer.told(ended["payload"]["runId"])
            assert [each["seq"] for each in told] == sorted({each["seq"] for each in told})
            said = [each["data"] for each in told if each["stream"] == "assistant"]
            assert "".join(each["delta"] for each in said) == "one two three"


async def test_many_cost_little_memory(gateway: RunningGateway) -> None:
    """Of what the gateway makes for each; the client is in the same process, and not counted."""
    many = 40
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(connected(gateway))
        tracemalloc.start(25)
        try:
            before = tracemalloc.take_snapshot()
            for _ in range(many):
                await stack.enter_async_context(connected(gateway))
            await asyncio.sleep(0)
            gc.collect()
            after = tracemalloc.take_snapshot()
        finally:
            tracemalloc.stop()
    ours = tracemalloc.Filter(
        inclusive=True, filename_pattern="*/openclaw_gateway/doors/ws/*", all_frames=True
    )
    size = sum(
        each.size_diff
        for each in after.filter_traces([ours]).compare_to(before.filter_traces([ours]), "lineno")
    )
    assert size < many * 20_000


async def test_of_who_has_left_nothing_stays(gateway: RunningGateway) -> None:
    """Not even what only a search for circles would find: that is seldom made, and each would be 25 KB."""
    gone: list[weakref.ref[object]] = []
    async with door(gateway.gateway, Timing()) as opened:
        gc.collect()
        gc.disable()
        try:
            for _ in range(3):
                async with connected(gateway, opened.url) as peer:
                    await peer.result("sessions.subscribe")
                    response = peer.socket._response
                    assert response.connection is not None
                    assert response.connection.transport is not None
                    ours = (each for each in gc.get_objects() if isinstance(each, Feed | Socket))
                    gone += [weakref.ref(each) for each in ours]
                    response.connection.transport.abort()
                await opened.wait_served()
            await until(lambda: all(one() is None for one in gone))
        finally:
            gc.enable()
    assert len(gone) == 6

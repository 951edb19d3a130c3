"""A run as clients of the control protocol are told of it, where another process begins it anew."""

import asyncio

import msgspec

from openclaw_gateway.doors.ws.runview import Progress
from openclaw_gateway.doors.ws.telling import Telling
from openclaw_gateway.wire.events import RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult
from tests.runs.test_mirrored import mirror


async def test_a_second_beginning_is_not_told_behind_the_first() -> None:
    run = mirror("agent:main:s")
    telling = Telling(run)
    following = asyncio.create_task(telling.follow())
    started = RunStarted(run.id, "main", "agent:main:s", 0)
    heard = asyncio.Event()
    telling.hear(heard.set)
    run.emit([started, TextDelta("half of")])
    await asyncio.wait_for(heard.wait(), 5)
    run.begin_anew()
    run.emit([started, TextDelta("all of it")])
    run.end(RunResult("completed", "all of it"))
    await asyncio.wait_for(following, 5)
    telling.close()
    place, said, last = Progress(), "", ""
    while (told := telling.view.next(place)) is not None:
        name, payload = told
        event = msgspec.json.decode(payload)
        if name == "agent" and event["stream"] == "assistant":
            said += event["data"]["delta"]
        if name == "chat" and event["state"] == "final":
            last = event["message"]["content"][0]["text"]
    assert (said, last) == ("half of", "all of it")


async def test_what_is_said_as_the_time_for_it_is_up_is_told_before_the_end() -> None:
    run = mirror("agent:main:s")
    telling = Telling(run)
    following = asyncio.create_task(telling.follow())
    await asyncio.sleep(0)
    telling._reader.log.rouse()
    run.emit([RunStarted(run.id, "main", "agent:main:s", 0), TextDelta("said")])
    run.end(RunResult("completed", "said"))
    await asyncio.wait_for(following, 5)
    telling.close()
    place, said = Progress(), ""
    while (told := telling.view.next(place)) is not None:
        name, payload = told
        event = msgspec.json.decode(payload)
        if name == "agent" and event["stream"] == "assistant":
            said += event["data"]["delta"]
    assert said == "said"

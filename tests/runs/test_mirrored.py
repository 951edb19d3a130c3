"""What is told here of a run that another process executes, where that one loses it on the way."""

import asyncio
from contextlib import closing

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.elsewhere.mirrored import _meanwhile
from openclaw_gateway.runs.elsewhere.retold import Ends, Said
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Origin, RunRequest, RunResult

STARTED = RunStarted("r", "main", None, 0)


def mirror(session: str | None = None) -> Run:
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://none"), "m"),), PlainEquipment(agent))
    request = RunRequest(Origin("me", "http", "conversation"), "main", (UserMessage("hi"),), session)
    return Run(request, plan, LocalBus())


async def heard(run: Run) -> list[Event]:
    """What a reader hears who comes now."""
    reader = run.events()
    try:
        return list(await asyncio.wait_for(reader.batch(0), 5))
    finally:
        reader.close()


async def test_what_of_the_recorded_text_was_not_told_is_told_at_the_end() -> None:
    run = mirror()
    said = Said(run)
    said.take([STARTED, TextDelta("half of")])
    assert said.rest(RunResult("completed", "half of it"), ()).text == "half of it"
    assert [each.text for each in await heard(run) if isinstance(each, TextDelta)] == ["half of", " it"]


async def test_an_execution_that_was_not_recorded_is_not_heard_beside_the_one_that_was() -> None:
    run = mirror()
    early = run.events()
    said = Said(run)
    said.take([STARTED, TextDelta("half of")])
    assert await early.batch(0)
    said.rest(RunResult("completed", "another one"), ())
    anew = await heard(run)
    assert [type(each) for each in anew] == [RunStarted, TextDelta], "who reads knows that it begins again"
    assert anew[1] == TextDelta("another one")
    assert list(await early.batch(0)) == anew
    early.close()


async def test_a_second_execution_is_told_from_its_beginning_alone() -> None:
    run = mirror()
    said = Said(run)
    said.take([STARTED, TextDelta("half of")])
    said.take([STARTED, TextDelta("all of it")])
    assert await heard(run) == [STARTED, TextDelta("all of it")]


async def test_more_of_what_has_begun_is_told_on_without_anybody_being_woken_and_nothing_else() -> None:
    run, executor = mirror(), LocalBus()
    said, ended = Said(run), RunEnded(RunResult("completed", "abc"), 0)
    assert not said.taken([TextDelta("a")]), "its beginning was not told"
    here = executor.subscribe("r")
    here.offer(said.taken)
    waiting = asyncio.create_task(here.batch(5))
    await asyncio.sleep(0)
    executor.emit("r", 1, 0, [STARTED, TextDelta("a")])
    assert said.take(await waiting) is None
    waiting = asyncio.create_task(here.batch(5))
    await asyncio.sleep(0)
    executor.emit("r", 1, 2, [TextDelta("b")])
    assert await heard(run) == [STARTED, TextDelta("a"), TextDelta("b")]
    assert not waiting.done()
    executor.emit("r", 1, 3, [TextDelta("c"), ended])
    assert said.take(await waiting) == ended.result
    assert await heard(run) == [STARTED, *(TextDelta(each) for each in "abc")]
    here.close()


async def test_no_look_at_the_store_is_left_behind_where_the_end_comes_before_its_answer() -> None:
    executor, ended = LocalBus(), RunEnded(RunResult("completed", "a"), 0)
    looks, is_over = asyncio.Event(), asyncio.Event()

    async def look() -> None:
        looks.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            is_over.set()

    with closing(executor.subscribe("r")) as events:
        told = asyncio.create_task(_meanwhile(look(), events, Ends()))
        await looks.wait()
        executor.emit("r", 1, 0, [STARTED, ended])
        assert await told == (None, ended.result)
    assert is_over.is_set()


async def test_who_waits_for_an_end_alone_is_woken_by_nothing_else() -> None:
    ended = RunEnded(RunResult("completed", "a"), 0)
    assert Ends().taken([STARTED, TextDelta("a")])
    assert not Ends().taken([TextDelta("a"), ended])

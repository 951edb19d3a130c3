"""Two processes of one gateway, with one store and a bus between them: each waits for and stops the runs of
the other."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec import Struct

from openclaw_gateway.runs.elsewhere.ending import Elsewhere, Ending
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.bus import Subscription
from openclaw_gateway.testing.model_server import Hold, ModelServer, fails, says
from openclaw_gateway.testing.socket_bus import SocketBus
from openclaw_gateway.wire.messages import UserMessage
from tests.runs.house import SESSION, House, house

SOON = 10.0
HI = UserMessage("hi")


class Pair(Struct, frozen=True):
    """A house where the runs are, and what another process knows of them."""

    house: House
    other: House
    near: SocketBus
    far: SocketBus
    elsewhere: Elsewhere


@pytest.fixture
async def pair(models: ModelServer, tmp_path: Path) -> AsyncIterator[Pair]:
    async with contextlib.AsyncExitStack() as stack:
        near, far = SocketBus(tmp_path / "bus", host=True), SocketBus(tmp_path / "bus", host=False)
        for bus in (near, far):
            await bus.open()
            stack.push_async_callback(bus.close)
        await near.linked(1)
        first = await stack.enter_async_context(house(tmp_path, models, bus=near))
        (tmp_path / "other").mkdir()
        second = await stack.enter_async_context(
            house(tmp_path / "other", models, bus=far, faults=lambda _: first.store)
        )
        yield Pair(first, second, near, far, Elsewhere(first.store, far, look_every_s=0.05))


async def ended(waiting: "asyncio.Task[Ending | None]") -> Ending:
    ending = await asyncio.wait_for(waiting, SOON)
    assert ending is not None
    return ending


def wait(pair: Pair, run: Run) -> "asyncio.Task[Ending | None]":
    return asyncio.create_task(pair.elsewhere.ending(run.id, "me"))


async def test_the_end_of_a_run_elsewhere_is_waited_for(
    models: ModelServer, pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate)))
    run = await pair.house.start(HI)
    waits, subscribe = asyncio.Event(), pair.far.subscribe

    def subscribed(run_id: str, after: int = 0) -> Subscription:
        waits.set()
        return subscribe(run_id, after)

    monkeypatch.setattr(pair.far, "subscribe", subscribed)
    waiting = wait(pair, run)
    await models.wait_requests(1)
    # Not before it listens, and its start has come over the bus: the store alone does not tell when that was.
    await asyncio.wait_for(waits.wait(), SOON)
    assert not waiting.done()
    with contextlib.closing(subscribe(run.id)) as events:
        assert await events.batch(SOON)
        gate.set()
        ending = await ended(waiting)
    assert (ending.status, ending.error) == ("completed", None)
    assert run.created_ms <= ending.started_ms <= ending.ended_ms


async def test_its_failure_is_told(models: ModelServer, pair: Pair) -> None:
    models.enqueue(fails(401, "no such key"))
    run = await pair.house.start(HI)
    ending = await ended(wait(pair, run))
    assert ending.status == "failed"
    assert ending.error is not None
    assert ending.error.code == "provider_auth_failed"


async def test_the_store_is_looked_at_when_the_bus_is_cut(models: ModelServer, pair: Pair) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate)))
    run = await pair.house.start(HI)
    waiting = wait(pair, run)
    await models.wait_requests(1)
    await pair.far.close()
    gate.set()
    ending = await ended(waiting)
    assert ending.status == "completed"
    assert run.created_ms <= ending.started_ms <= ending.ended_ms


async def test_a_run_that_ended_long_ago_is_known(models: ModelServer, pair: Pair) -> None:
    models.enqueue(says("a"))
    run = await pair.house.start(HI)
    await pair.house.result(run)
    ending = await ended(wait(pair, run))
    assert ending.status == "completed"
    assert run.created_ms <= ending.started_ms <= ending.ended_ms


async def test_another_owners_run_is_not_known(models: ModelServer, pair: Pair) -> None:
    models.enqueue(says("a", Hold(asyncio.Event())))
    run = await pair.house.start(HI)
    assert await pair.elsewhere.ending(run.id, "you") is None
    assert await pair.elsewhere.ending("nobody", "me") is None
    assert not await pair.elsewhere.abort(run.id, "you")
    assert not await pair.elsewhere.abort("nobody", "me")
    assert await pair.elsewhere.abort_session(SESSION, "you") == ()
    assert run.abort_reason is None


async def test_a_run_elsewhere_is_stopped_at_once(models: ModelServer, pair: Pair) -> None:
    """The heartbeat would hear of it too, but not before the next renewal."""
    models.enqueue(says("a", Hold(asyncio.Event())))
    run = await pair.house.start(HI)
    await models.wait_requests(1)
    assert await pair.elsewhere.abort(run.id, "me")
    await models.wait_aborted(1)
    assert (await pair.house.result(run)).status == "aborted"
    assert (await ended(wait(pair, run))).status == "aborted"
    assert not await pair.elsewhere.abort(run.id, "me")


async def test_a_run_that_is_stopped_already_is_not_asked(models: ModelServer, pair: Pair) -> None:
    models.enqueue(says("a", Hold(asyncio.Event())), says("b"))
    first = await pair.house.start(HI)
    await models.wait_requests(1)
    waiting = await pair.other.start(HI)
    assert await pair.elsewhere.abort_session(SESSION, "me", but={waiting.id}) == (first.id,)
    assert (await pair.house.result(first)).status == "aborted"
    assert (await pair.other.result(waiting)).status == "completed"
    assert await pair.elsewhere.abort_session(SESSION, "me") == ()


async def test_who_waits_for_a_session_is_stopped_with_who_holds_it_wherever_they_are(
    models: ModelServer, pair: Pair
) -> None:
    models.enqueue(says("a", Hold(asyncio.Event())))
    first = await pair.house.start(HI)
    await models.wait_requests(1)
    queued = [await each.start(HI) for each in (pair.house, pair.other, pair.house)]
    everyone = (first.id, *(run.id for run in queued))
    assert await pair.elsewhere.abort_session(SESSION, "me") == everyone
    assert (await pair.house.result(first)).status == "aborted"
    for run in queued:
        assert (await pair.house.result(run)).status == "aborted"
    assert len(models.requests) == 1, "none of them had its turn"
    assert await pair.elsewhere.abort_session(SESSION, "me") == ()
    assert await pair.house.store.open_runs("me", SESSION) == ()


async def test_who_waits_is_stopped_by_the_store_when_the_signal_is_lost(
    models: ModelServer, pair: Pair
) -> None:
    models.enqueue(says("a", Hold(asyncio.Event())), says("b", Hold(asyncio.Event())))
    first = await pair.house.start(HI)
    await models.wait_requests(1)
    waiting = await pair.house.start(HI)
    await pair.far.close()
    assert await pair.elsewhere.abort_session(SESSION, "me") == (first.id, waiting.id)
    for run in (first, waiting):
        assert (await pair.house.result(run)).status == "aborted"


async def test_a_signal_that_is_lost_is_made_up_for_by_the_store(models: ModelServer, pair: Pair) -> None:
    models.enqueue(says("a", Hold(asyncio.Event())))
    run = await pair.house.start(HI)
    await models.wait_requests(1)
    await pair.far.close()
    assert await pair.elsewhere.abort(run.id, "me")
    assert (await pair.house.result(run)).status == "aborted"


async def test_a_lane_is_passed_on_between_processes(models: ModelServer, pair: Pair) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one", Hold(gate)))
    first = await pair.house.start(HI)
    await models.wait_requests(1)
    models.enqueue(says("two"))
    second = await pair.other.start(HI)
    gate.set()
    assert (await pair.house.result(first)).text == "one"
    assert (await pair.other.result(second)).text == "two"


async def test_a_holder_that_was_overtaken_stops(models: ModelServer, pair: Pair) -> None:
    """Somebody with a newer token writes to the run's log: this process has lost it."""
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate), "b"))
    run = await pair.house.start(HI)
    await models.wait_requests(1)
    assert pair.near.emit(run.id, 1_000, 0, [])
    gate.set()
    result = await pair.house.result(run)
    assert result.status == "aborted"
    assert result.error is not None
    assert "taken over" in result.error.message

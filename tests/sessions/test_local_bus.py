"""LocalBus: the contract, its bounds, and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.local_bus import LocalBus
from tests.sessions.bus_contract import ENDED, SOON, STARTED, BusContract, read_all, texts


class TestLocalBus(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]:
        bus = LocalBus()
        await bus.open()
        yield bus
        await bus.close()


async def kept(bus: LocalBus, *run_ids: str) -> list[bool]:
    return [not (await bus.read(run_id)).gone for run_id in run_ids]


async def test_a_log_keeps_its_newest_events() -> None:
    bus = LocalBus(max_events=8)
    behind, ahead = bus.subscribe("r"), bus.subscribe("r")
    for n in range(20):
        bus.emit("r", 1, n, texts(str(n)))
        assert list(await ahead.batch(SOON)) == texts(str(n))
    with pytest.raises(LookupError):
        await behind.batch(SOON)
    assert (await bus.read("r")).gone
    page = await bus.read("r", after=15)
    assert list(page.events) == texts("15", "16", "17", "18", "19")
    assert page.next == 20
    bus.emit("r", 1, 20, [ENDED])
    assert list(await ahead.batch(SOON)) == [ENDED]


async def test_a_jump_in_the_index_is_never_an_unseen_gap() -> None:
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r")
    assert bus.emit("r", 1, 5, texts("later"))
    with pytest.raises(LookupError):
        await reader.batch(SOON)
    assert list((await bus.read("r", after=5)).events) == texts("later")


async def test_ended_logs_are_bounded_by_number() -> None:
    bus = LocalBus(max_ended_logs=2)
    bus.emit("live", 1, 0, [STARTED])
    for run_id in ("a", "b", "c"):
        bus.emit(run_id, 1, 0, [STARTED, ENDED])
    assert await kept(bus, "a", "b", "c", "live") == [False, True, True, True]


async def test_ended_logs_are_bounded_by_size() -> None:
    bus = LocalBus(max_ended_events=5)
    bus.emit("a", 1, 0, [STARTED, ENDED])
    bus.emit("b", 1, 0, [STARTED, *texts("x"), ENDED])
    assert await kept(bus, "a", "b") == [True, True]
    bus.emit("c", 1, 0, [STARTED, ENDED])
    assert await kept(bus, "a", "b", "c") == [False, True, True]


async def test_ended_logs_are_bounded_by_age_and_readers_go_on() -> None:
    now = [0.0]
    bus = LocalBus(keep_ended_s=600, clock=lambda: now[0])
    bus.emit("a", 1, 0, [STARTED, ENDED])
    reader = bus.subscribe("a")
    now[0] = 601
    bus.emit("b", 1, 0, [STARTED, ENDED])
    assert await kept(bus, "a", "b") == [False, True]
    assert await read_all(reader) == [STARTED, ENDED]
    assert not bus.emit("a", 1, 2, texts("late"))


async def test_a_restarted_log_is_counted_once() -> None:
    bus = LocalBus(max_ended_logs=1)
    bus.emit("a", 1, 0, [STARTED, ENDED])
    bus.emit("a", 2, 0, [STARTED])
    bus.emit("b", 1, 0, [STARTED, ENDED])
    bus.emit("c", 1, 0, [STARTED, ENDED])
    assert await kept(bus, "a", "b", "c") == [True, False, True]


async def test_nothing_is_left_behind() -> None:
    bus = LocalBus(max_ended_logs=10)
    for n in range(200):
        run_id = f"r{n}"
        reader, watch = bus.subscribe(run_id), bus.watch(run_id)
        waiting = asyncio.create_task(reader.batch())
        await asyncio.sleep(0)
        if n % 2:
            bus.emit(run_id, 1, 0, [STARTED, ENDED])
            bus.forget(run_id)
            await waiting
        else:
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
        reader.close()
        reader.close()
        watch.close()
        bus.forget(run_id)
    assert (bus._logs, bus._ended, bus._ended_events) == ({}, {}, 0)
    assert bus._doorbells._watches == {}
    assert len(bus._dropped) <= 40

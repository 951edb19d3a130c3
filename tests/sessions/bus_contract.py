"""What every Bus must do. A second implementation is held to it by one subclass with a `bus` fixture."""

import asyncio

import pytest

from openclaw_gateway.sessions.bus import Bus, Subscription
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult

STARTED = RunStarted("r", "main", None, 0)
ENDED = RunEnded(RunResult("completed"), 1)
SOON = 10.0  # a deadline for what must happen; never waited out when all is well


def texts(*words: str) -> list[Event]:
    return [TextDelta(word) for word in words]


async def read_all(subscription: Subscription) -> list[Event]:
    seen: list[Event] = []
    while not seen or seen[-1] != ENDED:
        seen += await subscription.batch(SOON)
    subscription.close()
    return seen


class BusContract:
    @pytest.fixture
    async def bus(self) -> Bus:
        raise NotImplementedError

    async def test_a_reader_gets_what_was_and_what_comes(self, bus: Bus) -> None:
        assert bus.emit("r", 1, 0, [STARTED, *texts("a")])
        reader = bus.subscribe("r")
        assert list(await reader.batch(SOON)) == [STARTED, *texts("a")]
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        assert bus.emit("r", 1, 2, texts("b", "c"))
        assert list(await waiting) == texts("b", "c")
        assert bus.emit("r", 1, 4, [ENDED])
        assert list(await reader.batch(SOON)) == [ENDED]
        with pytest.raises(LookupError):
            await reader.batch(SOON)
        reader.close()

    async def test_a_reader_may_come_before_the_run(self, bus: Bus) -> None:
        reader = bus.subscribe("r")
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        bus.emit("r", 7, 0, [STARTED])
        assert list(await waiting) == [STARTED]
        reader.close()

    async def test_many_readers_each_at_its_own_pace(self, bus: Bus) -> None:
        readers = [bus.subscribe("r") for _ in range(20)]
        tasks = [asyncio.create_task(read_all(reader)) for reader in readers[:10]]
        expected: list[Event] = [STARTED]
        bus.emit("r", 1, 0, [STARTED])
        for n in range(50):
            expected += texts(str(n))
            bus.emit("r", 1, n + 1, texts(str(n)))
            await asyncio.sleep(0)
        bus.emit("r", 1, 51, [ENDED])
        expected.append(ENDED)
        slow = [await read_all(reader) for reader in readers[10:]]
        assert [*(await asyncio.gather(*tasks)), *slow] == [expected] * 20

    async def test_a_reader_goes_on_where_it_left(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("a", "b"), ENDED])
        reader = bus.subscribe("r", after=2)
        assert list(await reader.batch(SOON)) == [*texts("b"), ENDED]
        reader.close()

    async def test_a_repeated_index_is_dropped(self, bus: Bus) -> None:
        assert bus.emit("r", 1, 0, [STARTED, *texts("a")])
        assert bus.emit("r", 1, 1, texts("a"))
        assert bus.emit("r", 1, 1, texts("a", "b"))
        page = await bus.read("r")
        assert list(page.events) == [STARTED, *texts("a", "b")]

    async def test_an_older_holder_is_refused(self, bus: Bus) -> None:
        bus.emit("r", 2, 0, [STARTED])
        assert not bus.emit("r", 1, 1, texts("zombie"))
        assert (await bus.read("r")).events == (STARTED,)

    async def test_a_newer_holder_begins_again(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("old")])
        reader = bus.subscribe("r")
        await reader.batch(SOON)
        assert bus.emit("r", 2, 0, [STARTED])
        assert bus.emit("r", 2, 1, [*texts("new"), ENDED])
        assert await read_all(reader) == [STARTED, *texts("new"), ENDED]

    async def test_nothing_follows_the_end(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, ENDED])
        assert not bus.emit("r", 1, 2, texts("late"))
        assert (await bus.read("r")).next == 2

    async def test_reading_by_pages(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, texts("a", "b", "c"))
        first = await bus.read("r", limit=2)
        assert (list(first.events), first.next, first.gone) == (texts("a", "b"), 2, False)
        second = await bus.read("r", after=first.next, limit=2)
        assert (list(second.events), second.next, second.gone) == (texts("c"), 3, False)
        assert (await bus.read("r", after=3)).events == ()
        assert (await bus.read("nobody")).gone

    async def test_waiting_has_an_end(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = bus.subscribe("r", after=1)
        assert list(await reader.batch(0)) == []
        assert list(await reader.batch(0.001)) == []
        bus.emit("r", 1, 1, texts("a"))
        assert list(await reader.batch(SOON)) == texts("a")
        reader.close()

    async def test_a_cancelled_reader_loses_nothing(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = bus.subscribe("r", after=1)
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        bus.emit("r", 1, 1, texts("a"))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert list(await reader.batch(SOON)) == texts("a")
        reader.close()

    async def test_a_forgotten_log_serves_its_present_readers(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("a")])
        reader = bus.subscribe("r")
        bus.emit("r", 1, 2, [ENDED])
        bus.forget("r")
        assert await read_all(reader) == [STARTED, *texts("a"), ENDED]
        assert (await bus.read("r")).gone
        late = bus.subscribe("r")
        with pytest.raises(LookupError):
            await late.batch(SOON)
        late.close()

    async def test_a_log_forgotten_early_is_kept_until_its_end(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = bus.subscribe("r")
        bus.forget("r")
        assert bus.emit("r", 1, 1, [*texts("a"), ENDED])
        assert await read_all(reader) == [STARTED, *texts("a"), ENDED]
        assert (await bus.read("r")).gone
        bus.forget("r")
        bus.forget("unknown")

    async def test_a_ring_wakes_all_who_wait(self, bus: Bus) -> None:
        watches = [bus.watch("door") for _ in range(3)]
        waiting = [asyncio.create_task(watch.ring(SOON)) for watch in watches]
        await asyncio.sleep(0)
        bus.ring("window")
        bus.ring("door")
        assert await asyncio.gather(*waiting) == [True] * 3
        for watch in watches:
            watch.close()

    async def test_rings_before_the_wait_count_once(self, bus: Bus) -> None:
        watch = bus.watch("door")
        bus.ring("door")
        bus.ring("door")
        assert await watch.ring(SOON)
        assert not await watch.ring(0.001)
        assert not await watch.ring(0)
        watch.close()

    async def test_a_ring_is_not_lost_with_a_cancelled_wait(self, bus: Bus) -> None:
        watch = bus.watch("door")
        waiting = asyncio.create_task(watch.ring(SOON))
        await asyncio.sleep(0)
        bus.ring("door")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await watch.ring(SOON)
        watch.close()

    async def test_a_closed_watch_hears_nothing(self, bus: Bus) -> None:
        watch = bus.watch("door")
        waiting = asyncio.create_task(watch.ring(SOON))
        await asyncio.sleep(0)
        watch.close()
        assert not await waiting
        bus.ring("door")
        watch.close()

    async def test_a_signal_is_a_ring_at_the_runs_door(self, bus: Bus) -> None:
        watch = bus.watch("signal:r:abort")
        bus.signal("r", "steer")
        bus.signal("other", "abort")
        assert not await watch.ring(0)
        bus.signal("r", "abort")
        assert await watch.ring(SOON)
        watch.close()

    async def test_closing_sets_everyone_free(self, bus: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = bus.subscribe("r", after=1)
        watch = bus.watch("door")
        reading, watching = asyncio.create_task(reader.batch()), asyncio.create_task(watch.ring())
        await asyncio.sleep(0)
        await bus.close()
        with pytest.raises(LookupError):
            await reading
        assert not await watching
        reader.close()
        watch.close()

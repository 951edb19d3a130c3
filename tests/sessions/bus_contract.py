"""What every Bus must do. An implementation is held to it by one subclass with a `bus` fixture, and a `far`
one where the other end may be another process."""

import asyncio
import time
from collections.abc import Sequence

import pytest

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.bus import Bus, Signal, Subscription
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult

STARTED = RunStarted("r", "main", None, 0)
ENDED = RunEnded(RunResult("completed"), 1)
SOON = 10.0  # a deadline for what must happen; never waited out when all is well


def texts(*words: str) -> list[Event]:
    return [TextDelta(word) for word in words]


async def some(subscription: Subscription, count: int) -> list[Event]:
    """The next `count` events, in however many batches they come."""
    seen: list[Event] = []
    while len(seen) < count:
        batch = await subscription.batch(SOON)
        assert batch, "nothing came"
        seen += batch
    return seen


async def read_all(subscription: Subscription) -> list[Event]:
    seen: list[Event] = []
    while not seen or seen[-1] != ENDED:
        seen += await some(subscription, 1)
    subscription.close()
    return seen


async def kept(bus: Bus, run_id: str, after: int = 0, *, wait_s: float = 0) -> list[Event]:
    """What the log holds now from an index on. Raises LookupError when that is gone."""
    reader = bus.subscribe(run_id, after)
    try:
        return list(await reader.batch(wait_s))
    finally:
        reader.close()


async def gone(bus: Bus, run_id: str) -> None:
    """Until who comes to read a log is told that it is gone."""
    async with asyncio.timeout(SOON):
        with pytest.raises(EventsGone):
            while await kept(bus, run_id, wait_s=SOON):
                pass


async def refused(bus: Bus, run_id: str, token: int, seq: int) -> None:
    """Until somebody who emits under this token is told to stop."""
    async with asyncio.timeout(SOON):
        while bus.emit(run_id, token, seq, texts("zombie")):
            seq += 1
            await asyncio.sleep(0)


class BusContract:
    """`bus` is where things are done and `far` where they are heard of; also the other way round."""

    @pytest.fixture
    async def bus(self) -> Bus:
        raise NotImplementedError

    @pytest.fixture
    async def far(self, bus: Bus) -> Bus:
        return bus

    async def told(self, here: Bus, there: Bus) -> None:
        """Until what was done at one end has come to the other."""
        watch = there.watch("told")
        here.ring("told")
        assert await watch.ring(SOON)
        watch.close()

    async def test_a_reader_gets_what_was_and_what_comes(self, bus: Bus, far: Bus) -> None:
        assert bus.emit("r", 1, 0, [STARTED, *texts("a")])
        await self.told(bus, far)
        reader = far.subscribe("r")
        assert list(await reader.batch(SOON)) == [STARTED, *texts("a")]
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        assert bus.emit("r", 1, 2, texts("b", "c"))
        assert list(await waiting) == texts("b", "c")
        assert bus.emit("r", 1, 4, [ENDED])
        assert list(await reader.batch(SOON)) == [ENDED]
        with pytest.raises(EventsGone):
            await reader.batch(SOON)
        reader.close()

    async def test_a_reader_may_come_before_the_run(self, bus: Bus, far: Bus) -> None:
        reader = far.subscribe("r")
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        bus.emit("r", 7, 0, [STARTED])
        assert list(await waiting) == [STARTED]
        reader.close()

    async def test_many_readers_each_at_its_own_pace(self, bus: Bus, far: Bus) -> None:
        readers = [far.subscribe("r") for _ in range(20)]
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

    async def test_a_batch_is_one_batch_for_its_readers(self, bus: Bus, far: Bus) -> None:
        reader = far.subscribe("r")
        batch = [STARTED, *texts(*(str(n) for n in range(1000)))]
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        bus.emit("r", 1, 0, batch)
        assert list(await waiting) == batch
        reader.close()

    async def test_a_reader_goes_on_where_it_left(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("a", "b"), ENDED])
        reader = far.subscribe("r", after=2)
        assert await some(reader, 2) == [*texts("b"), ENDED]
        reader.close()

    async def test_a_repeated_index_is_dropped(self, bus: Bus, far: Bus) -> None:
        assert bus.emit("r", 1, 0, [STARTED, *texts("a")])
        assert bus.emit("r", 1, 1, texts("a"))
        assert bus.emit("r", 1, 1, texts("a", "b"))
        reader = far.subscribe("r")
        assert await some(reader, 3) == [STARTED, *texts("a", "b")]
        reader.close()

    async def test_an_older_holder_is_refused(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 2, 0, [STARTED])
        await self.told(bus, far)
        assert not bus.emit("r", 1, 1, texts("zombie"))
        await refused(far, "r", 1, 1)
        await self.told(far, bus)
        assert await kept(bus, "r", wait_s=SOON) == await kept(far, "r", wait_s=SOON) == [STARTED]

    async def test_who_reads_at_an_older_holder_goes_on_with_the_newer_one(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("old")])
        reader = bus.subscribe("r", here=True)
        assert list(await reader.batch(SOON)) == [STARTED, *texts("old")]
        await self.told(bus, far)
        assert far.emit("r", 2, 0, [STARTED, *texts("new")])
        await self.told(far, bus)
        await refused(bus, "r", 1, 2)
        far.emit("r", 2, 2, [ENDED])
        seen = await read_all(reader)
        assert seen[-3:] == [STARTED, *texts("new"), ENDED]
        assert seen[:-3] == texts("zombie") * (len(seen) - 3)

    async def test_a_newer_holder_begins_again(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("old")])
        reader = bus.subscribe("r")
        await reader.batch(SOON)
        await self.told(bus, far)
        assert far.emit("r", 2, 0, [STARTED])
        assert far.emit("r", 2, 1, [*texts("new"), ENDED])
        assert await read_all(reader) == [STARTED, *texts("new"), ENDED]

    async def test_a_new_beginning_is_never_offered(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("old")])
        reader = bus.subscribe("r", here=True)
        assert list(await reader.batch(SOON)) == [STARTED, *texts("old")]
        await self.told(bus, far)
        taken: list[Event] = []

        def take(events: Sequence[Event]) -> bool:
            taken.extend(events)
            return True

        reader.offer(take)
        waiting = asyncio.create_task(some(reader, 2))
        await asyncio.sleep(0)
        assert far.emit("r", 2, 0, [STARTED, *texts("new")])
        await self.told(far, bus)
        await refused(bus, "r", 1, 2)
        assert await waiting == [STARTED, *texts("new")]
        assert STARTED not in taken
        taken.clear()
        reader.offer(None)
        far.emit("r", 2, 2, [ENDED])
        assert await read_all(reader) == [ENDED]

    async def test_an_older_holder_that_comes_late_leads_no_reader_back(self, bus: Bus, far: Bus) -> None:
        far.emit("r", 2, 0, [STARTED, *texts("new")])
        await self.told(far, bus)
        reader = bus.subscribe("r")
        assert await some(reader, 2) == [STARTED, *texts("new")]
        assert not bus.emit("r", 1, 0, [STARTED, *texts("zombie")])
        far.emit("r", 2, 2, [ENDED])
        assert await read_all(reader) == [ENDED]

    async def test_nothing_follows_the_end(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, ENDED])
        assert not bus.emit("r", 1, 2, texts("late"))
        assert await read_all(far.subscribe("r")) == [STARTED, ENDED]

    async def test_waiting_has_an_end(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = far.subscribe("r", after=1)
        assert list(await reader.batch(0)) == []
        assert list(await reader.batch(0.001)) == []
        bus.emit("r", 1, 1, texts("a"))
        assert list(await reader.batch(SOON)) == texts("a")
        reader.close()

    async def test_a_cancelled_reader_loses_nothing(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = far.subscribe("r", after=1)
        waiting = asyncio.create_task(reader.batch(SOON))
        await asyncio.sleep(0)
        bus.emit("r", 1, 1, texts("a"))
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert list(await reader.batch(SOON)) == texts("a")
        reader.close()

    async def test_a_forgotten_log_serves_its_present_readers(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED, *texts("a")])
        reader = far.subscribe("r")
        bus.emit("r", 1, 2, [ENDED])
        await self.told(bus, far)
        bus.forget("r")
        assert await read_all(reader) == [STARTED, *texts("a"), ENDED]
        await self.told(bus, far)
        for end in (bus, far):
            await gone(end, "r")

    async def test_a_log_forgotten_early_is_kept_until_its_end(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        reader = far.subscribe("r")
        bus.forget("r")
        assert bus.emit("r", 1, 1, [*texts("a"), ENDED])
        assert await read_all(reader) == [STARTED, *texts("a"), ENDED]
        await gone(bus, "r")
        bus.forget("r")
        bus.forget("unknown")

    async def test_who_executes_a_run_reads_it_at_once(self, bus: Bus) -> None:
        reader = bus.subscribe("r", here=True)
        assert bus.emit("r", 1, 0, [STARTED])
        assert list(await reader.batch(0)) == [STARTED]
        bus.emit("r", 1, 1, [ENDED])
        assert list(await reader.batch(0)) == [ENDED]
        reader.close()

    async def test_many_runs_side_by_side(self, bus: Bus, far: Bus) -> None:
        runs = [f"run-{n}" for n in range(40)]
        readings = [asyncio.create_task(read_all(far.subscribe(run))) for run in runs]
        for n in range(30):
            for run in runs:
                bus.emit(run, 1, n, texts(f"{run} {n}"))
            await asyncio.sleep(0)
        for run in runs:
            bus.emit(run, 1, 30, [ENDED])
        for run, seen in zip(runs, await asyncio.gather(*readings), strict=True):
            assert seen == [*texts(*(f"{run} {n}" for n in range(30))), ENDED]

    async def test_a_ring_wakes_all_who_wait(self, bus: Bus, far: Bus) -> None:
        watches = [far.watch("door") for _ in range(3)]
        waiting = [asyncio.create_task(watch.ring(SOON)) for watch in watches]
        await asyncio.sleep(0)
        bus.ring("window")
        bus.ring("door")
        assert await asyncio.gather(*waiting) == [True] * 3
        for watch in watches:
            watch.close()

    async def test_rings_before_the_wait_count_once(self, bus: Bus, far: Bus) -> None:
        watch = far.watch("door")
        bus.ring("door")
        bus.ring("door")
        await self.told(bus, far)
        assert await watch.ring(SOON)
        assert not await watch.ring(0.001)
        assert not await watch.ring(0)
        watch.close()

    async def test_a_ring_is_not_lost_with_a_cancelled_wait(self, bus: Bus, far: Bus) -> None:
        watch = far.watch("door")
        waiting = asyncio.create_task(watch.ring(SOON))
        await asyncio.sleep(0)
        bus.ring("door")
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert await watch.ring(SOON)
        watch.close()

    async def test_a_closed_watch_hears_nothing(self, bus: Bus, far: Bus) -> None:
        watch = far.watch("door")
        waiting = asyncio.create_task(watch.ring(SOON))
        await asyncio.sleep(0)
        watch.close()
        assert not await waiting
        bus.ring("door")
        watch.close()

    async def test_a_signal_is_heard_at_every_end_until_nobody_heeds_it(self, bus: Bus, far: Bus) -> None:
        heard: list[tuple[str, str, Signal]] = []
        ignore = far.heed(lambda run_id, signal: heard.append(("far", run_id, signal)))
        bus.heed(lambda run_id, signal: heard.append(("near", run_id, signal)))
        bus.signal("r", "abort")
        await self.told(bus, far)
        assert sorted(heard) == [("far", "r", "abort"), ("near", "r", "abort")]
        ignore()
        ignore()
        bus.signal("other", "abort")
        await self.told(bus, far)
        assert heard[2:] == [("near", "other", "abort")]

    async def test_what_is_announced_the_others_hear_in_order(self, bus: Bus, far: Bus) -> None:
        near_heard: list[bytes] = []
        far_heard: list[bytes] = []
        bus.hear(near_heard.append)
        ignore = far.hear(far_heard.append)
        news = [b"%d" % n for n in range(100)]
        for each in news:
            bus.announce(each)
        await self.told(bus, far)
        assert far_heard == ([] if far is bus else news)
        assert near_heard == []
        ignore()
        ignore()
        bus.announce(b"more")
        await self.told(bus, far)
        assert len(far_heard) == (0 if far is bus else 100)

    async def test_it_says_that_it_is_well(self, bus: Bus, far: Bus) -> None:
        await self.told(bus, far)
        for end in (bus, far):
            assert end.health().connected
            assert end.health().since_ms <= time.time() * 1000
            assert end.health().reason is None

    async def test_closing_sets_everyone_free(self, bus: Bus, far: Bus) -> None:
        bus.emit("r", 1, 0, [STARTED])
        await self.told(bus, far)
        reader = far.subscribe("r", after=1)
        watch = far.watch("door")
        reading, watching = asyncio.create_task(reader.batch()), asyncio.create_task(watch.ring())
        await asyncio.sleep(0)
        await far.close()
        with pytest.raises(EventsGone):
            await reading
        assert not await watching
        reader.close()
        watch.close()

    async def test_who_reads_where_a_run_was_goes_on_where_it_is(self, bus: Bus, far: Bus) -> None:
        assert bus.emit("r", 1, 0, [STARTED, *texts("half")])
        heard, waits = bus.subscribe("r", here=True), bus.subscribe("q", here=True)
        assert await some(heard, 2) == [STARTED, *texts("half")]
        bus.went_elsewhere("r", 1)
        bus.went_elsewhere("q", 0)
        late = bus.subscribe("q")
        whole = [STARTED, *texts("all of it"), ENDED]
        assert far.emit("r", 2, 0, whole)
        assert far.emit("q", 3, 0, whole)
        for reader in (heard, waits, late):
            assert await read_all(reader) == whole
        await refused(bus, "r", 1, 2)

    async def test_the_end_of_what_another_goes_on_with_is_heard_in_one_process_only(
        self, bus: Bus, far: Bus
    ) -> None:
        assert bus.emit("r", 1, 0, [STARTED])
        near, elsewhere = bus.subscribe("r", here=True), far.subscribe("r")
        assert await some(elsewhere, 1) == [STARTED]
        bus.keep_here("r")
        assert bus.emit("r", 1, 1, [ENDED])
        assert await read_all(near) == [STARTED, ENDED]
        await self.told(bus, far)
        if far is not bus:
            whole = [STARTED, *texts("all of it"), ENDED]
            assert far.emit("r", 2, 0, whole)
            assert await read_all(elsewhere) == whole

"""LocalBus: the contract, its bounds, and that nothing is left behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.log import weight
from openclaw_gateway.wire.events import (
    Event,
    ReasoningDelta,
    RunEnded,
    TextDelta,
    ToolCallArguments,
    ToolEnded,
    ToolStarted,
    ToolUpdated,
)
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import RunResult
from tests.sessions.bus_contract import ENDED, SOON, STARTED, BusContract, kept, read_all, texts


class TestLocalBus(BusContract):
    @pytest.fixture
    async def bus(self) -> AsyncIterator[Bus]:
        bus = LocalBus()
        await bus.open()
        yield bus
        await bus.close()


async def there(bus: LocalBus, *run_ids: str) -> list[bool]:
    """Which of the logs are still there."""
    return [await _is_kept(bus, run_id) for run_id in run_ids]


async def _is_kept(bus: LocalBus, run_id: str) -> bool:
    try:
        return bool(await kept(bus, run_id))
    except LookupError:
        return False


@pytest.mark.promise("error.events_gone")
async def test_a_log_keeps_its_newest_events_by_number() -> None:
    bus = LocalBus(max_events=8)
    behind, ahead = bus.subscribe("r"), bus.subscribe("r")
    for n in range(20):
        bus.emit("r", 1, n, texts(str(n)))
        assert list(await ahead.batch(SOON)) == texts(str(n))
    with pytest.raises(EventsGone, match="too far behind"):
        await behind.batch(SOON)
    with pytest.raises(EventsGone):
        await kept(bus, "r")
    assert await kept(bus, "r", 15) == texts("15", "16", "17", "18", "19")
    bus.emit("r", 1, 20, [ENDED])
    assert list(await ahead.batch(SOON)) == [ENDED]


async def test_a_log_keeps_its_newest_events_by_size() -> None:
    bus = LocalBus(max_bytes=100_000, weigh_every=1)
    behind, ahead = bus.subscribe("r"), bus.subscribe("r")
    for n in range(100):
        word = str(n) * 5_000
        bus.emit("r", 1, n, texts(word))
        assert list(await ahead.batch(SOON)) == texts(word)
        assert bus._logs["r"].size <= 100_000
    with pytest.raises(EventsGone, match="too far behind"):
        await behind.batch(SOON)
    newest = await kept(bus, "r", bus._logs["r"].base)
    assert 80_000 < sum(len(event.text) for event in newest if isinstance(event, TextDelta)) <= 100_000
    assert bus._logs["r"].size == weight(newest)


async def test_one_event_larger_than_the_bound_is_still_told() -> None:
    bus = LocalBus(max_bytes=1_000, weigh_every=1)
    reader = bus.subscribe("r")
    bus.emit("r", 1, 0, texts("x" * 5_000))
    assert list(await reader.batch(SOON)) == texts("x" * 5_000)


async def test_the_end_of_a_long_answer_does_not_cut_off_its_readers() -> None:
    """The last event repeats all text; nothing comes after it, so nothing need make room."""
    bus = LocalBus(max_bytes=100_000, weigh_every=1)
    reader = bus.subscribe("r")
    text = "x" * 90_000
    ended = RunEnded(RunResult("completed", text), 1)
    bus.emit("r", 1, 0, texts(text))
    bus.emit("r", 1, 1, [ended])
    assert list(await reader.batch(SOON)) == [*texts(text), ended]


@pytest.mark.parametrize(
    "event",
    [
        TextDelta("x" * 10_000),
        TextDelta("\N{SNOWMAN}" * 5_000),
        ReasoningDelta("x" * 10_000),
        ToolCallArguments(0, "x" * 10_000),
        ToolStarted("c", "t", "x" * 10_000),
        ToolUpdated("c", "t", "x" * 10_000),
        ToolEnded("c", "t", "x" * 10_000, is_error=False, ms=1),
        RunEnded(RunResult("completed", "x" * 5_000, "x" * 5_000), 1),
        RunEnded(RunResult("completed", tool_calls=(ToolCall("c", "t", "x" * 10_000),)), 1),
    ],
)
def test_every_event_weighs_what_its_text_does(event: Event) -> None:
    assert 10_000 < weight([event]) < 11_000


async def test_a_jump_in_the_index_is_never_an_unseen_gap() -> None:
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r")
    assert bus.emit("r", 1, 5, texts("later"))
    with pytest.raises(LookupError):
        await reader.batch(SOON)
    assert await kept(bus, "r", 5) == texts("later")


async def test_ended_logs_are_bounded_by_number() -> None:
    bus = LocalBus(max_ended_logs=2)
    bus.emit("live", 1, 0, [STARTED])
    for run_id in ("a", "b", "c"):
        bus.emit(run_id, 1, 0, [STARTED, ENDED])
    assert await there(bus, "a", "b", "c", "live") == [False, True, True, True]


async def test_ended_logs_are_bounded_by_size() -> None:
    bus = LocalBus(max_ended_bytes=25_000, max_unweighed=0)
    for run_id in ("a", "b"):
        bus.emit(run_id, 1, 0, [STARTED, *texts("x" * 10_000), ENDED])
    assert await there(bus, "a", "b") == [True, True]
    bus.emit("c", 1, 0, [STARTED, *texts("x" * 10_000), ENDED])
    assert await there(bus, "a", "b", "c") == [False, True, True]


async def test_a_log_may_come_again_for_a_newer_holder() -> None:
    bus = LocalBus()
    bus.emit("r", 0, 0, [ENDED])
    bus.forget("r")
    assert not bus.emit("r", 0, 1, texts("late"))
    assert bus.emit("r", 1, 0, [STARTED])
    assert await kept(bus, "r") == [STARTED]


async def test_ended_logs_are_bounded_by_age_and_readers_go_on() -> None:
    now = [0.0]
    bus = LocalBus(keep_ended_s=600, clock=lambda: now[0])
    bus.emit("a", 1, 0, [STARTED, ENDED])
    reader = bus.subscribe("a")
    now[0] = 601
    bus.emit("b", 1, 0, [STARTED, ENDED])
    assert await there(bus, "a", "b") == [False, True]
    assert await read_all(reader) == [STARTED, ENDED]
    assert not bus.emit("a", 1, 2, texts("late"))


async def test_a_restarted_log_is_counted_once() -> None:
    bus = LocalBus(max_ended_logs=1)
    bus.emit("a", 1, 0, [STARTED, ENDED])
    bus.emit("a", 2, 0, [STARTED])
    bus.emit("b", 1, 0, [STARTED, ENDED])
    bus.emit("c", 1, 0, [STARTED, ENDED])
    assert await there(bus, "a", "b", "c") == [True, False, True]


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
    assert (bus._logs, bus._ended, bus._ended_bytes, bus._watches) == ({}, {}, 0, {})
    assert len(bus._dropped) <= 40


async def test_logs_that_ended_are_weighed_when_there_are_many() -> None:
    bus = LocalBus(max_ended_bytes=25_000, max_unweighed=3)
    for run_id in ("a", "b", "c"):
        bus.emit(run_id, 1, 0, [STARTED, *texts("x" * 10_000), ENDED])
    assert await there(bus, "a", "b", "c") == [True, True, True]
    bus.forget("c")
    for run_id in ("d", "e"):
        bus.emit(run_id, 1, 0, [STARTED, *texts("x" * 10_000), ENDED])
    assert await there(bus, "a", "b", "d", "e") == [False, False, True, True]


async def test_each_wait_of_a_reader_has_its_own_end_and_none_outlasts_it() -> None:
    """Though one timer serves them all."""
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r")
    assert await reader.batch(60) == [STARTED]
    for text in ("a", "b"):
        waiting = asyncio.create_task(reader.batch(60))
        await asyncio.sleep(0)
        bus.emit("r", 1, 1 if text == "a" else 2, texts(text))
        assert await waiting == texts(text)
        async with asyncio.timeout(10):
            assert await reader.batch(0.01) == ()
    waiting = asyncio.create_task(reader.batch(None))
    done, _ = await asyncio.wait({waiting}, timeout=0.05)
    assert not done
    bus.emit("r", 1, 3, texts("c"))
    assert await waiting == texts("c")
    reader.close()


async def test_what_is_offered_and_taken_is_read_and_wakes_nobody() -> None:
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r", 1)
    taken: list[Event] = []

    def take(events: Sequence[Event]) -> bool:
        if events[-1] == ENDED:
            return False
        taken.extend(events)
        return True

    reader.offer(take)
    waiting = asyncio.create_task(reader.batch())
    await asyncio.sleep(0)
    for n in range(3):
        assert bus.emit("r", 1, n + 1, texts(str(n)))
        await asyncio.sleep(0)
    assert taken == texts("0", "1", "2")
    assert not waiting.done()
    bus.emit("r", 1, 4, [ENDED])
    assert list(await waiting) == [ENDED], "what was not taken, and nothing twice"


async def test_what_fails_in_taking_is_raised_to_the_reader_not_to_who_emits() -> None:
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r", 1)

    def take(_: Sequence[Event]) -> bool:
        raise LookupError("worded wrongly")

    reader.offer(take)
    waiting = asyncio.create_task(reader.batch())
    await asyncio.sleep(0)
    assert bus.emit("r", 1, 1, texts("one"))
    with pytest.raises(LookupError, match="worded wrongly"):
        await waiting


async def test_what_fails_in_taking_is_raised_though_the_wait_was_over_in_the_same_breath() -> None:
    bus = LocalBus()
    bus.emit("r", 1, 0, [STARTED])
    reader = bus.subscribe("r", 1)

    def take(_: Sequence[Event]) -> bool:
        raise LookupError("worded wrongly")

    reader.offer(take)
    waiting = asyncio.create_task(reader.batch())
    await asyncio.sleep(0)
    reader.rouse()
    assert bus.emit("r", 1, 1, texts("one"))
    with pytest.raises(LookupError, match="worded wrongly"):
        await waiting


async def test_a_reader_that_is_roused_comes_back_empty() -> None:
    bus = LocalBus()
    reader = bus.subscribe("r")
    reader.rouse()
    waiting = asyncio.create_task(reader.batch())
    await asyncio.sleep(0)
    reader.rouse()
    assert list(await waiting) == []
    bus.emit("r", 1, 0, texts("one"))
    assert list(await reader.batch(SOON)) == texts("one")


async def test_and_so_does_one_whose_log_has_just_stirred_without_anything_new() -> None:
    """As when it is read anew after an outage: it waited on, and nobody roused it again."""
    bus = LocalBus()
    bus.emit("r", 1, 0, texts("one"))
    reader = bus.subscribe("r", 1)
    waiting = asyncio.create_task(reader.batch())
    await asyncio.sleep(0)
    log = bus.find("r")
    assert log is not None
    log.wake()
    reader.rouse()
    async with asyncio.timeout(5):
        assert list(await waiting) == []
    bus.emit("r", 1, 1, texts("two"))
    assert list(await reader.batch(SOON)) == texts("two")

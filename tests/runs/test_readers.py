"""What has reached a run's readers, and when the run waits for them."""

import asyncio
from contextlib import closing

from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.runs.emitted_text import EmittedText
from openclaw_gateway.runs.readers import AHEAD_CHARS, AHEAD_EVENTS, Reader, Readers
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta

batches = st.lists(st.lists(st.one_of(st.builds(TextDelta, st.text()), st.builds(ReasoningDelta, st.text()))))


def attach(readers: Readers, after: int, *, holds: bool) -> Reader:
    return readers.attach(LocalBus().subscribe("run"), after, holds=holds)


@given(batches, st.lists(st.integers(0, 3)))
def test_the_text_before_any_place_is_what_the_log_has_there(
    written: list[list[Event]], gaps: list[int]
) -> None:
    log: list[Event] = []
    text = EmittedText()
    for number, events in enumerate(written):
        # Other events stand between the batches.
        log += [ReasoningDelta("")] * (gaps[number] if number < len(gaps) else 0)
        text.add(len(log), events)
        log += events
    for place in range(len(log) + 2):
        assert text.before(place) == "".join(e.text for e in log[:place] if isinstance(e, TextDelta))
    assert str(text) == text.before(len(log))


async def test_what_was_shown_is_the_most_that_any_reader_has_or_had() -> None:
    readers = Readers()
    assert readers.shown == 0
    first, second = attach(readers, 0, holds=True), attach(readers, 2, holds=False)
    first.advance(7)
    assert readers.shown == 7
    first.close()
    assert readers.shown == 7
    second.advance(9)
    second.close()
    second.close()
    assert readers.shown == 9


async def test_nobody_holds_a_run_but_a_reader_that_says_so() -> None:
    readers = Readers()
    assert not readers.far_behind(AHEAD_EVENTS, 0)
    with closing(attach(readers, 0, holds=False)):
        assert not readers.far_behind(2 * AHEAD_EVENTS, 0)
    with closing(attach(readers, 0, holds=True)):
        assert readers.far_behind(3 * AHEAD_EVENTS, 0)
        assert not readers.far_behind(4 * AHEAD_EVENTS - 1, 0)
        assert readers.far_behind(4 * AHEAD_EVENTS - 1, AHEAD_CHARS)


async def test_a_run_goes_on_when_the_slowest_has_everything_or_has_gone() -> None:
    readers = Readers()
    slow, slower = attach(readers, 0, holds=True), attach(readers, 0, holds=True)
    waiting = asyncio.create_task(readers.caught_up(5))
    await asyncio.sleep(0)
    slow.advance(5)
    slower.advance(4)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waiting.done()
    slower.close()
    async with asyncio.timeout(5):
        await waiting
    assert readers.waiting is None


async def test_last_words_wait_for_those_who_are_there_and_not_for_ever() -> None:
    readers = Readers()
    reader = attach(readers, 0, holds=False)
    waiting = asyncio.create_task(readers.last_words(3))
    await asyncio.sleep(0)
    reader.advance(3)
    async with asyncio.timeout(5):
        await waiting
        await readers.last_words(4)
    assert readers.waiting is None

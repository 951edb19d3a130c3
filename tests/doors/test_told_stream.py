"""A stream under every schedule: nothing is lost, doubled or out of order, and what counts as shown has left.

The client, its socket and the room in it are simulated; the log, its readers and the stream are real.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

import pytest
from aiohttp.http import HttpVersion11
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.doors.openai.chunks import ChatVoice
from openclaw_gateway.doors.requests import Request
from openclaw_gateway.doors.told_stream import KEEPALIVE, ToldStream
from openclaw_gateway.errors import RunBegunAnew
from openclaw_gateway.runs.readers import Readers
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.events import Event, ModelCalled, ReasoningDelta, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.run import RunResult


class Client:
    """A request whose client takes `room` bytes and then reads only when it is told to."""

    def __init__(self, room: int) -> None:
        self.version = HttpVersion11
        self.answer_headers: dict[str, str] = {}
        self.stays_open = True
        self.protocol = self
        self.writing_paused = False
        self.has_left = False
        self.got = b""
        self._room = room
        self._unsent = b""
        self._changed = asyncio.Event()

    def bound_unsent(self) -> None: ...

    def put(self, data: bytes) -> None:
        if self.has_left:
            raise ConnectionResetError
        self._unsent += data
        self.read(0)

    async def taken(self) -> None:
        while self.writing_paused and not self.has_left:
            self._changed.clear()
            await self._changed.wait()
        if self.writing_paused:
            raise ConnectionResetError

    def read(self, more: int) -> None:
        if self.has_left:
            return
        self._room += more
        self.got += self._unsent[: self._room]
        self._room, self._unsent = (
            max(0, self._room - len(self._unsent)),
            self._unsent[self._room :],
        )
        self.writing_paused = bool(self._unsent)
        self._changed.set()

    def leave(self) -> None:
        self.has_left = True
        self._changed.set()

    @property
    def heard(self) -> str:
        """What of the answer has come in whole chunks."""
        body, said = self.got.partition(b"\r\n\r\n")[2], b""
        while b"\r\n" in body:
            size, _, rest = body.partition(b"\r\n")
            length = int(size, 16)
            if not length or len(rest) < length:
                break
            said += rest[:length]
            body = rest[length + 2 :]
        return said.replace(KEEPALIVE, b"").decode()


class Words(ChatVoice):
    """Words each event so that one sees which it was."""

    def __init__(self) -> None: ...

    def head(self) -> bytes:
        return b"head "

    def deltas(self, events: Iterable[Event]) -> bytes:
        return b"".join(worded(event).encode() for event in events)

    def end(self, result: RunResult) -> bytes:
        return b"end"


def worded(event: Event) -> str:
    return f"<{event.text}>" if isinstance(event, TextDelta) else ""


STEPS = st.one_of(
    st.tuples(st.just("emit"), st.lists(st.sampled_from([0, 1, 1, 50, 70_000]), min_size=1, max_size=3)),
    st.tuples(st.just("emit many"), st.just(300)),
    st.tuples(st.just("read"), st.sampled_from([1, 100, 100_000])),
    st.tuples(st.just("turn"), st.integers(1, 3)),
    st.tuples(st.sampled_from(["rouse", "leave"]), st.none()),
)


@example(
    room=1 << 30,
    steps=[
        ("emit", [1]),
        ("turn", 3),
        ("rouse", None),
        ("leave", None),
        ("emit", [1]),
        ("turn", 3),
    ],
)
@given(room=st.sampled_from([0, 500, 1 << 30]), steps=st.lists(STEPS, max_size=40))
def test_what_counts_as_shown_has_left_once_and_in_order(room: int, steps: list[tuple[str, Any]]) -> None:
    asyncio.run(_played(room, steps))


async def _played(room: int, steps: list[tuple[str, Any]]) -> None:
    client, bus, readers = Client(room), LocalBus(), Readers()
    log = bus.subscribe("r")
    reader = readers.attach(log, 0, holds=True)
    told = ToldStream(cast(Request, client), Words(), reader, after=0, keepalive_s=60)
    telling = asyncio.create_task(told.tell(()))
    events: list[Event] = []

    def emit(new: Sequence[Event]) -> None:
        bus.emit("r", 1, len(events), new)
        events.extend(new)

    def delta(size: int) -> Event:
        return TextDelta(str(len(events)) * size) if size else ReasoningDelta("hm")

    does: dict[str, Callable[[Any], None]] = {
        "emit": lambda sizes: emit([delta(size) for size in sizes]),
        "emit many": lambda count: emit([delta(1)] * count),
        "read": client.read,
        "rouse": lambda _: log.rouse(),
        "leave": lambda _: client.leave(),
    }
    for step, argument in steps:
        if step == "turn":
            for _ in range(argument):
                await asyncio.sleep(0)
        else:
            does[step](argument)
        whole = "head " + "".join(map(worded, events))
        assert whole.startswith(client.heard)
        assert not reader.shown or client.heard.startswith(
            "head " + "".join(map(worded, events[: reader.shown]))
        )
    emit([RunEnded(RunResult("completed"), 0)])
    client.read(1 << 30)
    async with asyncio.timeout(5):
        with suppress(ConnectionResetError):
            await telling
    if not client.has_left:
        assert client.heard == "head " + "".join(map(worded, events)) + "end"
    reader.close()


async def test_a_run_that_is_over_and_whose_end_nobody_tells_is_not_waited_for() -> None:
    client, bus, readers = Client(1 << 30), LocalBus(), Readers()
    reader = readers.attach(bus.subscribe("r"), 0, holds=True)
    told = ToldStream(
        cast(Request, client), Words(), reader, after=0, keepalive_s=0.01, is_over=lambda: bool(over)
    )
    over: list[bool] = []
    telling = asyncio.create_task(told.tell(()))
    async with asyncio.timeout(5):
        while KEEPALIVE not in client.got:  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
        assert not telling.done()
        over.append(True)
        with pytest.raises(RunBegunAnew):
            await telling
    reader.close()


@pytest.mark.parametrize("is_anew", [False, True])
async def test_what_is_said_as_the_time_for_it_is_up_is_told_and_the_run_not_given_up(is_anew: bool) -> None:
    client, bus, readers = Client(1 << 30), LocalBus(), Readers()
    reader = readers.attach(bus.subscribe("r"), 0, holds=True)

    def is_over() -> bool:
        """It is, in the same moment in which the log has all of it."""
        started = RunStarted("r", "main", None, 0)
        if is_anew:
            bus.emit("r", 1, 0, [started])
        bus.emit("r", 2, 0, [started, TextDelta("said"), RunEnded(RunResult("completed"), 0)])
        return True

    told = ToldStream(cast(Request, client), Words(), reader, after=0, keepalive_s=0.01, is_over=is_over)
    async with asyncio.timeout(5):
        await told.tell(())
    assert client.heard == "head <said>end"
    reader.close()


@pytest.mark.parametrize(("has_heard", "begun"), [(False, False), (True, False), (False, True)])
async def test_an_answer_that_another_process_begins_anew_is_told_once_or_said_to_be_broken_off(
    has_heard: bool, begun: bool
) -> None:
    client, bus, readers = Client(1 << 30), LocalBus(), Readers()
    reader = readers.attach(bus.subscribe("r"), 0, holds=True)
    told = ToldStream(cast(Request, client), Words(), reader, after=0, keepalive_s=60, begun=begun)
    telling = asyncio.create_task(told.tell(()))
    started, called = RunStarted("r", "main", None, 0), ModelCalled("p", "m")
    first: list[Event] = [started, called, *([TextDelta("fir")] if has_heard else [])]
    bus.emit("r", 1, 0, first)
    async with asyncio.timeout(5):
        while reader.shown < len(first):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0)
        bus.emit("r", 2, 0, [started, called, TextDelta("sec"), TextDelta("ond")])
        bus.emit("r", 2, 4, [RunEnded(RunResult("completed"), 0)])
        if has_heard or begun:
            with pytest.raises(RunBegunAnew):
                await telling
            assert client.heard == ("head <fir>" if has_heard else "head ")
        else:
            await telling
            assert client.heard == "head <sec><ond>end"
    reader.close()

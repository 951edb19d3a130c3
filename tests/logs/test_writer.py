"""The thread that writes: it may hang or fail, who puts lines never notices, and what is lost is told."""

import errno
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.logs.writer import LONGEST, MAX_WAITING, Writer


class Place:
    """Takes `most` bytes at a time, or nothing while `broken`; hangs until `open` is set."""

    def __init__(self, most: int = 1_000_000) -> None:
        self.written = b""
        self.broken: BaseException | None = None
        self.open = threading.Event()
        self.open.set()
        self.asked = threading.Event()
        self._most = most

    def write(self, data: memoryview) -> int:
        self.asked.set()
        self.open.wait()
        if self.broken is not None:
            raise self.broken
        self.written += data[: self._most]
        return min(self._most, len(data))

    @property
    def lines(self) -> list[str]:
        return self.written.decode().splitlines()


@pytest.fixture
def place() -> Iterator[Place]:
    place = Place()
    yield place
    place.open.set()


def telling(place: Place) -> Writer:
    writer = Writer(place.write)
    writer.told = b"lost %d\n".__mod__
    return writer


def test_lines_come_out_in_order_though_the_place_takes_them_piece_by_piece() -> None:
    place = Place(most=3)
    with closing(telling(place)) as writer:
        for number in range(1000):
            writer.put(b"line %d\n" % number)
        assert writer.flush(5)
    assert place.lines == [f"line {number}" for number in range(1000)]


def test_a_place_that_hangs_holds_up_nobody_and_what_did_not_fit_is_told(place: Place) -> None:
    place.open.clear()
    writer = telling(place)
    writer.put(b"first\n")
    assert place.asked.wait(5)
    for number in range(MAX_WAITING + 7):
        writer.put(b"%d\n" % number)
    assert not writer.flush(0.01)
    place.open.set()
    assert writer.flush(5)
    writer.close()
    assert len(place.lines) == 1 + MAX_WAITING + 1
    assert "lost 7" in place.lines


def test_a_place_that_hangs_is_left_behind_at_the_end(place: Place) -> None:
    place.open.clear()
    writer = telling(place)
    writer.put(b"first\n")
    assert place.asked.wait(5)
    writer.close(0.01)
    writer.put(b"second\n")
    place.open.set()
    assert writer.flush(5)
    assert place.lines[0] == "first"


@pytest.mark.parametrize("code", [errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF])
def test_what_the_place_does_not_take_is_told_when_it_takes_something_again(place: Place, code: int) -> None:
    place.broken = OSError(code, "no")
    with closing(telling(place)) as writer:
        for _ in range(5):
            writer.put(b"gone\n")
            assert writer.flush(5)
        place.broken = None
        writer.put(b"back\n")
        assert writer.flush(5)
        writer.put(b"on\n")
    assert place.lines == ["back", "lost 5", "on"]


def test_a_line_that_is_torn_is_lost_and_the_next_one_is_whole() -> None:
    taken = [b"a\nb", None]
    written = b""

    def write(data: memoryview) -> int:
        nonlocal written
        piece = taken.pop(0) if taken else bytes(data)
        if piece is None:
            raise OSError(errno.ENOSPC, "full")
        written += piece
        return len(piece)

    writer = Writer(write)
    writer.told = b"lost %d\n".__mod__
    writer.put(b"a\n")
    writer.put(b"bcd\n")
    assert writer.flush(5)
    writer.put(b"e\n")
    writer.close()
    assert written == b"a\nb\ne\nlost 1\n"


def test_a_line_without_end_is_cut(place: Place) -> None:
    with closing(telling(place)) as writer:
        writer.put(b"x" * (10 * LONGEST) + b"\n")
    assert len(place.written) == LONGEST
    assert place.written.endswith(b"x\n")


def test_no_thread_is_started_for_nothing_and_the_place_is_given_back(place: Place) -> None:
    before = threading.active_count()
    given_back = threading.Event()
    writer = Writer(place.write, release=given_back.set)
    assert writer.flush(5)
    assert threading.active_count() == before
    writer.close()
    assert given_back.is_set()


def test_a_system_without_threads_costs_the_lines(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    writer = telling(place)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        writer.put(b"gone\n")
    writer.put(b"back\n")
    writer.close()
    assert place.lines == ["back", "lost 1"]


@example([1, 36, 40, 40], {9})
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.sets(st.integers(0, 80)))
def test_every_line_comes_out_whole_or_is_counted(sizes: list[int], faults: set[int]) -> None:
    written = b""
    calls = 0

    def write(data: memoryview) -> int:
        nonlocal written, calls
        calls += 1
        if calls in faults:
            raise OSError(errno.ENOSPC, "full")
        written += data[:17]
        return min(17, len(data))

    writer = Writer(write)
    writer.told = b"lost %d\n".__mod__
    for number, size in enumerate(sizes):
        writer.put(b"<%d %s>\n" % (number, b"x" * size))
    writer.put(b"<last>\n")
    writer.flush(5)
    faults.clear()
    writer.put(b"<end>\n")
    writer.close()
    lines = written.splitlines()
    whole = [line for line in lines if line.startswith(b"<") and line.endswith(b">")]
    lost = sum(int(line[5:]) for line in lines if line.startswith(b"lost "))
    assert len(whole) + lost == len(sizes) + 2
    assert whole[-1] == b"<end>"

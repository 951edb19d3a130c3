"""The splitter agrees with a slow reading of the specification, however the bytes are cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import sse
from openclaw_gateway.models.sse import SseSplitter


def slow(stream: bytes) -> list[bytes]:
    """The specification, line by line; an event whose blank line is missing at the end counts."""
    lines = stream.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    events: list[bytes] = []
    data: list[bytes] = []
    for line in [*lines, b""]:
        if not line:
            if data:
                events.append(b"\n".join(data))
            data = []
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
    return events


def fast(pieces: list[bytes]) -> list[bytes]:
    splitter = SseSplitter("p")
    events = [event for piece in pieces for event in splitter.feed(piece)]
    return events + splitter.finish()


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(i, len(stream)) for i in at), len(stream)]
    return [stream[a:b] for a, b in pairwise(edges)]


TOKENS = [
    b"data: ",
    b"data:",
    b"data",
    b"datax: ",
    b": c",
    b"event: e",
    b"id: 1",
    b"retry: 5",
    b"{}",
    b"x",
    b" ",
    b"\n",
    b"\n\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\xef\xbb\xbf",
    b"\xc3\xa9",
]
streams = st.lists(st.sampled_from(TOKENS), max_size=40).map(b"".join)
cuts = st.lists(st.integers(0, 120), max_size=12)


@given(streams, cuts)
def test_any_cut_gives_what_the_specification_says(stream: bytes, at: list[int]) -> None:
    assert fast(cut(stream, at)) == slow(stream)


@given(streams, cuts)
def test_the_same_when_events_are_too_long_to_keep_whole(stream: bytes, at: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sse, "_KEEP", 3)
        assert fast(cut(stream, at)) == slow(stream)


@given(streams)
def test_byte_by_byte(stream: bytes) -> None:
    assert fast([stream[i : i + 1] for i in range(len(stream))]) == slow(stream)


@given(st.binary(max_size=200), cuts)
def test_any_bytes(stream: bytes, at: list[int]) -> None:
    assert fast(cut(stream, at)) == slow(stream)


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\rdata:c", [b"a", b"b", b"c"]),
        (b": ping\n\nevent: x\nid: 1\ndata: a\ndata: b\n\n", [b"a\nb"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a", [b"a"]),
        (b"data\n\n", [b""]),
        (b"", []),
    ],
)
def test_examples(stream: bytes, events: list[bytes]) -> None:
    assert fast([stream]) == events


def test_an_endless_line_is_refused_at_the_bound() -> None:
    splitter = SseSplitter("acme")
    fed = 0
    with pytest.raises(ProviderError, match="acme sent a stream event of more than 8 MB") as caught:
        while True:
            fed += 1 << 16
            splitter.feed(b"x" * (1 << 16))
    assert caught.value.reason == "bad_response"
    assert fed == sse.MAX_EVENT_BYTES + (1 << 16)


def test_an_endless_event_of_short_lines_is_refused_too() -> None:
    splitter = SseSplitter("acme", max_event_bytes=1 << 20)
    fed = 0
    with pytest.raises(ProviderError):
        while True:
            fed += 1 << 14
            splitter.feed(b"data:\n" * ((1 << 14) // 6))
    assert fed < 3 << 19


def test_a_long_stream_of_short_events_is_not() -> None:
    splitter = SseSplitter("acme", max_event_bytes=1000)
    for _ in range(100):
        assert splitter.feed(b"data: 0123456789\n\n" * 10) == [b"0123456789"] * 10

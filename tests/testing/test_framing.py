"""Where messages end, whatever pieces they come in; and what could be read in two ways is refused."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.testing.framing import (
    BadMessage,
    Body,
    Chunked,
    Sized,
    UntilClosed,
    answer_body,
    head_of,
    request_body,
    stays_open,
)

CHUNKED = b'5\r\nhello\r\n1A;name="value"\r\n' + b"0\r\n\r\n" * 5 + b"x" + b"\r\n0\r\nTrailer: yes\r\n\r\n"
NEXT = b"GET /next HTTP/1.1\r\n\r\n"


def request(*fields: str, line: str = "POST / HTTP/1.1") -> Body:
    return request_body(head_of("\r\n".join((line, *fields, "", "")).encode()))


@given(st.lists(st.integers(0, len(CHUNKED + NEXT)), max_size=12))
def test_a_body_in_chunks_ends_where_it_ends(cuts: list[int]) -> None:
    whole = CHUNKED + NEXT
    at = [0, *sorted(cuts), len(whole)]
    body, own = Chunked(), 0
    for start, end in itertools.pairwise(at):
        own += body.feed(whole[start:end])
    assert (own, body.ended) == (len(CHUNKED), True)


@pytest.mark.parametrize("end", range(len(CHUNKED)))
def test_a_body_that_was_cut_has_not_ended(end: int) -> None:
    body = Chunked()
    assert (body.feed(CHUNKED[:end]), body.ended) == (end, False)


@pytest.mark.parametrize(
    "wrong", [b"\r\n", b"g\r\n", b"-1\r\n", b"0x5\r\n", b"5\n", b"123456789\r\n", b"1" * 2000]
)
def test_a_size_that_is_none_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadMessage):
        Chunked().feed(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        b"1\r\nxGE0\r\n\r\n",
        b"1\r\nx\n\n0\r\n\r\n",
        b"1\r\nx\r0\r\n\r\n",
        b"0\r\n\n",
        b"0\r\nTrailer: yes\n\r\n",
        b"0\r\nGET / HTTP/1.1\r\n\r\n",
    ],
)
@pytest.mark.parametrize("pieces", [1, 1000], ids=["by one", "whole"])
def test_a_chunk_and_a_trailer_end_as_they_have_to(wrong: bytes, pieces: int) -> None:
    body = Chunked()
    with pytest.raises(BadMessage):
        for at in range(0, len(wrong), pieces):
            body.feed(wrong[at : at + pieces])


def test_a_body_has_the_length_that_is_said() -> None:
    body = request("Content-Length: 5", "content-length: 5")
    assert (body.feed(b"hel"), body.ended) == (3, False)
    assert (body.feed(b"lo" + NEXT), body.ended) == (2, True)
    assert request().ended


@pytest.mark.parametrize(
    "fields",
    [
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5, 6"],
        ["Content-Length: +5"],
        ["Content-Length: "],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        [" folded: yes"],
        ["No field"],
        ["Spaced : yes"],
        ["Content-Length: 5\nTransfer-Encoding: chunked"],
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(fields: list[str]) -> None:
    with pytest.raises(BadMessage):
        request(*fields)


def test_a_message_of_an_older_version_has_no_chunks() -> None:
    with pytest.raises(BadMessage):
        request("Transfer-Encoding: chunked", line="POST / HTTP/1.0")


@pytest.mark.parametrize("line", ["GET /", "GET / HTTP/2.0", "GET  / HTTP/1.1", "G(T / HTTP/1.1", ""])
def test_what_is_no_request_is_refused(line: str) -> None:
    with pytest.raises(BadMessage):
        request(line=line)


@pytest.mark.parametrize(
    ("line", "method", "fields", "kind"),
    [
        ("HTTP/1.1 200 OK", b"GET", "Content-Length: 3", Sized),
        ("HTTP/1.1 200", b"POST", "Transfer-Encoding: Chunked", Chunked),
        ("HTTP/1.1 200 OK", b"POST", "A: b", UntilClosed),
    ],
)
def test_an_answer_has_the_body_it_says(line: str, method: bytes, fields: str, kind: type[Body]) -> None:
    body = answer_body(head_of(f"{line}\r\n{fields}\r\n\r\n".encode()), method=method)
    assert isinstance(body, kind)
    assert not body.ended


@pytest.mark.parametrize(("status", "method"), [(204, b"GET"), (304, b"GET"), (200, b"HEAD"), (100, b"POST")])
def test_an_answer_without_a_body_has_ended(status: int, method: bytes) -> None:
    head = head_of(f"HTTP/1.1 {status} So\r\nContent-Length: 3\r\n\r\n".encode())
    assert answer_body(head, method=method).ended


@pytest.mark.parametrize(
    ("version", "said", "stays"),
    [("1.1", "", True), ("1.1", "TE, Close", False), ("1.0", "", False), ("1.0", "Keep-Alive", True)],
)
def test_who_means_to_send_another_request_says_so(version: str, said: str, stays: bool) -> None:
    head = head_of(f"GET / HTTP/{version}\r\nConnection: {said}\r\n\r\n".encode())
    assert stays_open(head) is stays


def test_what_is_passed_on_says_nothing_of_the_old_connection() -> None:
    head = head_of(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nKeep-Alive: 5\r\nX:  spaced \r\n\r\n")
    passed = head.passed_on((b"Connection", b"close"))
    assert passed == b"GET / HTTP/1.1\r\nHost: a\r\nX: spaced\r\nConnection: close\r\n\r\n"

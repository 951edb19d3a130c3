"""The newest lines of a log file: whole, bounded, and one behind the other."""

import os
from pathlib import Path

import pytest

from openclaw_gateway.logs.tail import Piece, read_tail


def tail(path: Path, after: int | None = None, *, most_lines: int = 100, most_bytes: int = 1000) -> Piece:
    return read_tail(path, after=after, most_lines=most_lines, most_bytes=most_bytes)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "log"
    file.write_bytes(b"one\ntwo\nthree\n")
    return file


def test_a_line_on_its_way_is_left_until_it_is_whole(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"fo")
    assert tail(path) == Piece(cursor=14, size=16, lines=("one", "two", "three"))
    assert tail(path, 14) == Piece(cursor=14, size=16, lines=())
    with path.open("ab") as file:
        file.write(b"ur\nfive")
    assert tail(path, 14) == Piece(cursor=19, size=23, lines=("four",))


def test_the_newest_are_kept_and_the_rest_is_said_to_be_missing(path: Path) -> None:
    assert tail(path, most_lines=2) == Piece(14, 14, ("two", "three"), truncated=True)
    # In the middle of a line, and where one begins.
    assert tail(path, most_bytes=8) == Piece(14, 14, ("three",), truncated=True)
    assert tail(path, most_bytes=10) == Piece(14, 14, ("two", "three"), truncated=True)
    assert tail(path, most_bytes=14) == Piece(14, 14, ("one", "two", "three"))
    assert tail(path, most_bytes=3) == Piece(14, 14, (), truncated=True)


def test_whoever_cannot_go_on_where_he_was_is_told(path: Path) -> None:
    assert tail(path, 4, most_bytes=6) == Piece(14, 14, ("three",), truncated=True, is_reset=True)
    path.write_bytes(b"anew\n")
    assert tail(path, 14) == Piece(5, 5, ("anew",), is_reset=True)
    path.write_bytes(b"")
    assert tail(path, 14) == Piece(0, 0, (), is_reset=True)
    assert tail(path) == Piece(0, 0, ())


def test_bytes_that_are_no_text_are_replaced(path: Path) -> None:
    path.write_bytes(b"a\xff\n")
    assert tail(path).lines == ("a\N{REPLACEMENT CHARACTER}",)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "nothing"):
        with pytest.raises(OSError, match=r".+"):
            tail(path)

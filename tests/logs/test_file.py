"""The log's file: begun anew when it is full or was moved away; no line is lost, none is torn."""

from pathlib import Path

import pytest

from openclaw_gateway.logs.file import ARCHIVES, open_log
from openclaw_gateway.logs.writer import Writer

DEADLINE_S = 10.0


def _put(log: Writer, *lines: str) -> None:
    for line in lines:
        log.put(f"{line}\n".encode())
        assert log.flush(DEADLINE_S)


def _whole(folder: Path) -> list[str]:
    """All lines, the oldest first."""
    files = sorted(folder.iterdir(), key=lambda path: (len(path.name), path.name))
    return [line for path in [*reversed(files[1:]), files[0]] for line in path.read_text().splitlines()]


@pytest.mark.promise("log-rotation")
def test_a_full_file_is_put_away_and_no_line_is_lost_or_torn(tmp_path: Path) -> None:
    lines = [f"line {number:04}" for number in range(7)]  # ten bytes each
    with open_log(tmp_path / "log", max_bytes=25) as log:
        _put(log, *lines)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2", "log.3"]
    assert all(path.stat().st_size <= 25 for path in tmp_path.iterdir())
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    assert _whole(tmp_path) == lines


@pytest.mark.promise("log-rotation")
def test_only_so_many_are_kept(tmp_path: Path) -> None:
    with open_log(tmp_path / "log", max_bytes=1) as log:
        _put(log, *(f"{number}" for number in range(ARCHIVES + 4)))
    assert len(list(tmp_path.iterdir())) == ARCHIVES + 1
    assert _whole(tmp_path) == [str(number) for number in range(3, ARCHIVES + 4)]


@pytest.mark.promise("log-reopened")
def test_a_file_that_was_moved_away_is_begun_anew(tmp_path: Path) -> None:
    """As logrotate does it, without a signal and without `copytruncate`."""
    path = tmp_path / "log"
    with open_log(path) as log:
        _put(log, "before")
        path.rename(tmp_path / "moved")
        _put(log, "after")
        path.unlink()
        _put(log, "again")
    assert (tmp_path / "moved").read_text() == "before\n"
    assert path.read_text() == "again\n"


def test_where_nothing_can_be_put_away_lines_go_on_into_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (tmp_path / f"log.{ARCHIVES - 1}").touch()
    (tmp_path / f"log.{ARCHIVES}").mkdir()
    with open_log(path, max_bytes=4) as log:
        _put(log, "one", "two")
    assert path.read_text() == "one\ntwo\n"

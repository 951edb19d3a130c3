"""Log lines: where they go, how they look, and what they never say."""

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import structlog

from openclaw_gateway.errors import ConfigError, StartupError
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.logs.file import open_log
from openclaw_gateway.logs.writer import LONGEST
from tests.doors.logged import Log


@pytest.fixture(autouse=True)
def _silent_afterwards() -> Iterator[None]:
    yield
    configure_logging(level="silent")


def test_the_file_gets_json_from_its_own_level_on(tmp_path: Path) -> None:
    console = Log()
    path = tmp_path / "logs" / "gateway.log"
    with open_log(path) as file:
        configure_logging(level="info", console_level="error", stream=console.writer, file=file)
        log = structlog.get_logger()
        log.debug("quiet")
        log.info("run.ended", run="r1")
        log.error("bad", error="token=abcdefgh12345")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["run.ended", "bad"]
    assert "abcdefgh" not in path.read_text()
    assert [line["event"] for line in console.all()] == ["bad"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_own_patterns_are_masked_everywhere() -> None:
    console = Log()
    configure_logging(stream=console.writer, patterns=[r"acct-\d+"])
    structlog.get_logger().info("hello acct-12345", who="acct-9")
    assert len(console.all()) == 1
    assert b"acct-" not in console.written


def test_a_pattern_that_is_none_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"logging\.redactPatterns"):
        configure_logging(stream=Log().writer, patterns=["("])


def test_silent_says_nothing() -> None:
    console = Log()
    configure_logging(level="silent", stream=console.writer)
    structlog.get_logger().critical("boom")
    assert console.all() == []


def test_a_log_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match=r"logging\.file"):
        open_log(tmp_path / "file" / "x.log")


class Unshowable:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def endless() -> list[object]:
    inside: list[object] = []
    inside.append(inside)
    return inside


@pytest.mark.parametrize("style", ["json", "pretty"])
@pytest.mark.parametrize("value", [Unshowable(), "\ud800", endless(), {1: "x"}, b"\xff", 2**80, float("nan")])
def test_whatever_a_line_holds_it_comes_out(style: Literal["json", "pretty"], value: object) -> None:
    console = Log()
    configure_logging(stream=console.writer, style=style)
    structlog.get_logger().info("said", value=value, run="r1", error="token=abcdefgh12345")
    assert console.writer.flush(5)
    assert console.written.count(b"\n") == 1
    assert b"r1" in console.written
    assert b"abcdefgh" not in console.written


def test_an_exception_whose_text_cannot_be_had_is_logged_and_its_secrets_are_not() -> None:
    class Sore(Exception):
        def __str__(self) -> str:
            raise ValueError

    console = Log()
    configure_logging(stream=console.writer)
    for error in (Sore(), KeyError("password=hunter2hunter2")):
        try:
            raise error
        except (Sore, KeyError):
            structlog.get_logger().exception("crashed")
    first, second = console.all()
    assert "Sore" in first["exception"]
    assert "KeyError" in second["exception"]
    assert b"hunter2" not in console.written


def test_a_long_line_is_shortened_and_still_json() -> None:
    console = Log()
    configure_logging(stream=console.writer)
    structlog.get_logger().info("said", text="x" * 1_000_000, more="y" * 1_000_000, run="r1")
    (line,) = console.all()
    assert line["run"] == "r1"
    assert len(console.written) < LONGEST


def test_a_named_pipe_that_nobody_reads_stops_the_start_and_does_not_hang_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StartupError, match=r"logging\.file"):
        open_log(tmp_path / "pipe")


def test_a_full_disk_costs_the_file_s_lines_and_no_others() -> None:
    console = Log()
    with open_log(Path("/dev/full")) as file:
        configure_logging(stream=console.writer, file=file)
        for number in range(100):
            structlog.get_logger().info("said", number=number)
    assert [line["number"] for line in console.all()] == list(range(100))

"""Log lines: where they go, how they look, and what they never say."""

import io
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from openclaw_gateway.errors import ConfigError, StartupError
from openclaw_gateway.logs import configure_logging, open_log


@pytest.fixture(autouse=True)
def _silent_afterwards() -> Iterator[None]:
    yield
    configure_logging(level="silent")


def test_the_file_gets_json_from_its_own_level_on(tmp_path: Path) -> None:
    console = io.StringIO()
    path = tmp_path / "logs" / "gateway.log"
    with open_log(path) as file:
        configure_logging(level="info", console_level="error", stream=console, file=file)
        log = structlog.get_logger()
        log.debug("quiet")
        log.info("run.ended", run="r1")
        log.error("bad", error="token=abcdefgh12345")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["event"] for line in lines] == ["run.ended", "bad"]
    assert "abcdefgh" not in path.read_text()
    assert [json.loads(line)["event"] for line in console.getvalue().splitlines()] == ["bad"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_own_patterns_are_masked_everywhere() -> None:
    console = io.StringIO()
    configure_logging(stream=console, patterns=[r"acct-\d+"])
    structlog.get_logger().info("hello acct-12345", who="acct-9")
    assert "acct-" not in console.getvalue()


def test_a_pattern_that_is_none_is_a_fault_of_the_configuration() -> None:
    with pytest.raises(ConfigError, match=r"logging\.redactPatterns"):
        configure_logging(stream=io.StringIO(), patterns=["("])


def test_silent_says_nothing() -> None:
    console = io.StringIO()
    configure_logging(level="silent", stream=console)
    structlog.get_logger().critical("boom")
    assert console.getvalue() == ""


def test_a_log_file_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match=r"logging\.file"):
        open_log(tmp_path / "file" / "x.log")

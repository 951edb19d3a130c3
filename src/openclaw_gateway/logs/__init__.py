"""Log lines: one per event, to stderr and perhaps a file, and nothing that goes wrong with one matters.

`configure_logging` is called once by whoever starts the process, and again when the settings change.
Everybody else only says `structlog.get_logger()`. A line is made where it is said and written by a thread
(writer.py): saying it never blocks and never raises, and a line that cannot be written is lost, counted and
told of later. A log file (file.py) gets JSON lines whatever the terminal shows.
"""

import logging
from collections.abc import Sequence
from typing import Any, Literal

import structlog
from msgspec import Struct

from openclaw_gateway.logs.line import Finish, Line, Render, as_json, lost, plain, pretty
from openclaw_gateway.logs.writer import LONGEST, Writer, standard

Style = Literal["pretty", "json"]
_LEVELS = {"fatal": 50, "error": 40, "warn": 30, "info": 20, "debug": 10, "trace": 10}
_SILENT = 60
# Of one value, in a line that is too long or cannot be shown as it is.
_MOST_CHARS = 8_000
_PROCESSORS: list[Any] = []


def configure_logging(
    *,
    level: str = "info",
    console_level: str | None = None,
    style: Style | None = None,
    stream: Writer | None = None,
    file: Writer | None = None,
    patterns: Sequence[str] = (),
    colors: bool = True,
) -> None:
    """Send log lines to `stream` (stderr) and, from `level` on, to `file`.

    `style` None means pretty on a terminal, else JSON; `console_level` None means `level`. What fits one
    of the regular expressions in `patterns` is masked; `colors` are for a terminal alone. Raises
    ConfigError for a pattern that is none.
    """
    finish = Finish(patterns)
    console = stream or standard(2)
    shown = _LEVELS.get(console_level or level, _SILENT)
    is_pretty = style == "pretty" if style else console.is_terminal
    outlets = [
        _outlet(console, shown, pretty(colors=colors and console.is_terminal) if is_pretty else as_json)
    ]
    if file is not None:
        outlets.append(_outlet(file, _LEVELS.get(level, _SILENT), as_json))
    # In place: every logger that has said something holds this list, and needs no new one for each line.
    _PROCESSORS[:] = [_Say(finish, outlets)]
    structlog.configure(
        processors=_PROCESSORS,
        wrapper_class=_Logger,
        cache_logger_on_first_use=True,
    )


def flush_log(seconds: float) -> None:
    """Have what was said so far come out on stderr, at most so long."""
    standard(2).flush(seconds)


class _Outlet(Struct, frozen=True):
    """A place that lines from `level` on go to."""

    level: int
    render: Render
    writer: Writer


def _outlet(writer: Writer, level: int, render: Render) -> _Outlet:
    writer.told = lambda count: render(lost(count))
    return _Outlet(level, render, writer)


class _Say:
    """The whole way of a line. The edge of the log: nothing gets out of here."""

    def __init__(self, finish: Finish, outlets: Sequence[_Outlet]) -> None:
        self._finish = finish
        self._outlets = outlets
        self._of: dict[str, list[_Outlet]] = {}

    def __call__(self, _: Any, method: str, line: Line) -> str:
        outlets = self._of.get(method)
        if outlets is None:
            level = structlog.processors.NAME_TO_LEVEL.get(method, logging.ERROR)
            outlets = self._of[method] = [outlet for outlet in self._outlets if level >= outlet.level]
        if not outlets:
            return ""
        try:
            line = self._finish(method, line)
        except Exception:  # noqa: BLE001
            line = {**plain(line, _MOST_CHARS), "level": method}
        for outlet in outlets:
            try:
                outlet.writer.put(_rendered(line, outlet.render))
            except Exception:  # noqa: BLE001
                outlet.writer.lose()
        return ""


def _rendered(line: Line, render: Render) -> bytes:
    try:
        data = render(line)
    except Exception:  # noqa: BLE001
        data = render(plain(line, _MOST_CHARS))
    return data if len(data) <= LONGEST else render(plain(line, _MOST_CHARS // 10))


class _Logger(structlog.BoundLoggerBase):
    """A line goes to `_Say` and nowhere else; structlog's own logger takes three times as long to get there.
    What is said below the levels of all outlets, `_Say` drops."""

    def _say(self, method: str, event: str, values: dict[str, Any]) -> None:
        line = {**self._context, **values, "event": event}
        for processor in self._processors:
            processor(None, method, line)

    def log(self, level: int, event: str, **values: Any) -> None:
        self._say(logging.getLevelName(level).lower(), event, values)

    def debug(self, event: str, **values: Any) -> None:
        self._say("debug", event, values)

    def info(self, event: str, **values: Any) -> None:
        self._say("info", event, values)

    def warning(self, event: str, **values: Any) -> None:
        self._say("warning", event, values)

    def error(self, event: str, **values: Any) -> None:
        self._say("error", event, values)

    def critical(self, event: str, **values: Any) -> None:
        self._say("critical", event, values)

    def exception(self, event: str, **values: Any) -> None:
        self._say("error", event, {"exc_info": True, **values})

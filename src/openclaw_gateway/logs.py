"""How log lines look and where they go: one line per event, JSON or pretty, secrets masked.

Called once by whoever starts the process. Everybody else only says `structlog.get_logger()`. A log file
gets JSON lines whatever the terminal shows.
"""

import logging
import os
import re
import sys
from collections.abc import MutableMapping, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

import msgspec
import structlog

from openclaw_gateway.errors import ConfigError, StartupError
from openclaw_gateway.redaction import redact

Style = Literal["pretty", "json"]
Line = MutableMapping[str, Any]
_LEVELS = {"fatal": 50, "error": 40, "warn": 30, "info": 20, "debug": 10, "trace": 10}
_SILENT = 60
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def configure_logging(
    *,
    level: str = "info",
    console_level: str | None = None,
    style: Style | None = None,
    stream: TextIO | None = None,
    file: TextIO | None = None,
    patterns: Sequence[str] = (),
) -> None:
    """Send log lines to `stream` (stderr) and, from `level` on, to `file`.

    `style` None means pretty on a terminal, else JSON; `console_level` None means `level`. What fits one
    of the regular expressions in `patterns` is masked. Raises ConfigError for one that is none.
    """
    out = stream or sys.stderr
    shown = _LEVELS.get(console_level or level, _SILENT)
    kept = _LEVELS.get(level, _SILENT) if file is not None else _SILENT
    lowest = min(shown, kept)
    if lowest == _SILENT:
        structlog.configure(
            processors=[_drop], wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
        )
        return
    pretty = style == "pretty" if style else out.isatty()
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _Mask(patterns),
            structlog.processors.format_exc_info,
            *([_Tee(file, kept)] if file is not None else []),
            _From(shown),
            structlog.dev.ConsoleRenderer(colors=out.isatty()) if pretty else _render_json,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def open_log(path: Path) -> TextIO:
    """The log file, for appending, readable by its owner only. Raises StartupError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StartupError(
            f"Cannot write the log file {path}: {error.strerror}. Make it writable, or change logging.file.",
            exit_code=73,
        ) from None
    return os.fdopen(descriptor, "a", buffering=1, encoding="utf-8", errors="backslashreplace")


def _drop(_: Any, __: str, line: Line) -> Line:
    raise structlog.DropEvent


def _render_json(_: Any, __: str, line: Line) -> str:
    return _encode(line).decode()


class _Mask:
    """Texts we did not write lose their secrets; the operator's patterns hold for every text."""

    def __init__(self, patterns: Sequence[str]) -> None:
        try:
            self._patterns = [re.compile(pattern) for pattern in patterns]
        except re.error as error:
            raise ConfigError([f"logging.redactPatterns: not a regular expression ({error})"]) from None

    def __call__(self, _: Any, __: str, line: Line) -> Line:
        for key in ("error", "message", "detail"):
            value = line.get(key)
            if isinstance(value, str):
                line[key] = redact(value)
        for pattern in self._patterns:
            for key, value in line.items():
                if isinstance(value, str):
                    line[key] = pattern.sub("***", value)
        return line


class _Tee:
    def __init__(self, file: TextIO, level: int) -> None:
        self._file = file
        self._level = level

    def __call__(self, _: Any, method: str, line: Line) -> Line:
        if structlog.processors.NAME_TO_LEVEL.get(method, 40) >= self._level:
            self._file.write(_encode(line).decode() + "\n")
        return line


class _From:
    """Only lines from this level on go further."""

    def __init__(self, level: int) -> None:
        self._level = level

    def __call__(self, _: Any, method: str, line: Line) -> Line:
        if structlog.processors.NAME_TO_LEVEL.get(method, 40) < self._level:
            raise structlog.DropEvent
        return line

"""How log lines look and where they go: one line per event, JSON or pretty, secrets masked.

Called once by whoever starts the process. Everybody else only says `structlog.get_logger()`.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import IO, Any, Literal

import msgspec
import structlog

from openclaw_gateway.redaction import redact

Style = Literal["pretty", "json"]
_LEVELS = {
    "fatal": 50,
    "error": 40,
    "warn": 30,
    "info": 20,
    "debug": 10,
    "trace": 10,
}
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def configure_logging(
    *, level: str = "info", style: Style | None = None, stream: IO[str] | None = None
) -> None:
    """Send log lines to `stream` (stderr); `style` None means pretty on a terminal, else JSON."""
    if level == "silent":
        structlog.configure(
            processors=[_drop], wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)
        )
        return
    out = stream or sys.stderr
    pretty = style == "pretty" if style else out.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty()) if pretty else _render_json
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if pretty else "iso", utc=not pretty),
            _mask,
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS.get(level, 20)),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )


def _drop(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    raise structlog.DropEvent


def _mask(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in ("error", "message", "detail"):
        value = line.get(key)
        if isinstance(value, str):
            line[key] = redact(value)
    return line


def _render_json(_: Any, __: str, line: MutableMapping[str, Any]) -> str:
    return _encode(line).decode()

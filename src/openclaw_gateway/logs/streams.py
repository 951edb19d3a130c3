"""The process's own stdout and stderr, handed to the threads that write: for a process that serves.

What prints by itself (a library, a warning, an exception that nobody caught) then waits for no reader and
fails for no terminal that has gone. Libraries that log get a line in our log.
"""

import io
import logging
import sys
from typing import TextIO

import structlog

from openclaw_gateway.logs.writer import Writer, standard

log = structlog.get_logger()


def hand_over_standard_streams() -> None:
    """For the rest of this process. Safe to repeat."""
    if not isinstance(sys.stdout, _Stream):
        sys.stdout = _Stream(sys.stdout, standard(1))
    if not isinstance(sys.stderr, _Stream):
        sys.stderr = _Stream(sys.stderr, standard(2))
    logging.captureWarnings(capture=True)
    root = logging.getLogger()
    if not any(isinstance(handler, _Library) for handler in root.handlers):
        root.addHandler(_Library(logging.WARNING))


class _Stream(io.TextIOBase):
    """Text for a writer. In all else it is like the stream it stands for."""

    def __init__(self, original: TextIO, writer: Writer) -> None:
        super().__init__()
        self._original = original
        self._encoding = original.encoding or "utf-8"
        self._writer = writer

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):  # some ask a stream this way whether it takes bytes
            raise TypeError("text is written here")
        if text:
            self._writer.put(text.encode(self._encoding, "replace"))
        return len(text)

    def fileno(self) -> int:
        return self._original.fileno()

    def isatty(self) -> bool:
        return self._writer.is_terminal

    def writable(self) -> bool:
        return True


class _Library(logging.Handler):
    """What asyncio and other libraries log, as lines of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - the edge: a library's format and a library's values
            message = str(record.msg)
        level = logging.ERROR if record.levelno >= logging.ERROR else logging.WARNING
        log.log(level, "library.said", logger=record.name, message=message, exc_info=record.exc_info)

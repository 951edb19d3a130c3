"""What a gateway writes to its log while a block lasts, after masking, line by line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from openclaw_gateway.logs import configure_logging
from openclaw_gateway.logs.writer import Writer


class Log:
    """A place to write to that takes everything."""

    def __init__(self) -> None:
        self.written = b""
        self.writer = Writer(self._take)

    def _take(self, data: memoryview) -> int:
        self.written += data
        return len(data)

    def all(self) -> list[dict[str, Any]]:
        """Every line so far."""
        assert self.writer.flush(5)
        return [msgspec.json.decode(line) for line in self.written.splitlines()]

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind so far."""
        return [line for line in self.all() if line["event"] == event]


@contextmanager
def logged() -> Iterator[Log]:
    log = Log()
    configure_logging(stream=log.writer, style="json")
    try:
        yield log
    finally:
        configure_logging(level="silent")
        log.writer.close()

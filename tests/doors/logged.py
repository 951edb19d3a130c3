"""What a gateway writes to its log while a block lasts, after masking, line by line."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from openclaw_gateway.logs import configure_logging


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()

    def lines(self, event: str) -> list[dict[str, Any]]:
        """The lines of one kind so far."""
        lines = map(msgspec.json.decode, self.stream.getvalue().splitlines())
        return [line for line in lines if line["event"] == event]


@contextmanager
def logged() -> Iterator[Log]:
    log = Log()
    configure_logging(stream=log.stream, style="json")
    try:
        yield log
    finally:
        configure_logging(level="silent")

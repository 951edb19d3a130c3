"""What a log line says and how it looks: level, time, secrets masked, JSON or pretty. Does no IO.

Whatever a line holds, it can be made: a value that cannot be shown is replaced by its type's name.
"""

import re
import time
from collections.abc import Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from openclaw_gateway.errors import ConfigError
from openclaw_gateway.redaction import redact

Line = MutableMapping[str, Any]
Render = Callable[[Line], bytes]

# Texts that others wrote.
_FOREIGN = ("error", "message", "detail", "exception")
_encode = msgspec.json.Encoder(enc_hook=repr).encode


def as_json(line: Line) -> bytes:
    return _encode(line) + b"\n"


def pretty(*, colors: bool) -> Render:
    """For people at a terminal."""
    console = structlog.dev.ConsoleRenderer(colors=colors)

    def render(line: Line) -> bytes:
        # It takes out of the line what it shows.
        return f"{console(None, '', dict(line))}\n".encode("utf-8", "backslashreplace")

    return render


def lost(count: int) -> Line:
    """The line that stands for those that could not be written."""
    return {"count": count, "event": "log.lost", "level": "warning", "timestamp": _now()}


def _now() -> str:
    """The time in UTC, as ISO 8601 says it, with microseconds."""
    at_us = time.time_ns() // 1000
    return f"{_second(at_us // 1_000_000)}.{at_us % 1_000_000:06d}Z"


@lru_cache(maxsize=1)
def _second(at: int) -> str:
    # Many lines are said in one second.
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at))


class Finish:
    """Completes a line: level, time, the text of an exception, the masks.

    Texts we did not write lose their secrets; the operator's `patterns` hold for every text. Raises
    ConfigError for a pattern that is none.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        try:
            self._patterns = [re.compile(pattern) for pattern in patterns]
        except re.error as error:
            raise ConfigError([f"logging.redactPatterns: not a regular expression ({error})"]) from None

    def __call__(self, method: str, line: Line) -> Line:
        line["level"] = "warning" if method == "warn" else method
        line["timestamp"] = _now()
        if "exc_info" in line:
            line = structlog.processors.format_exc_info(None, method, line)
        for key in _FOREIGN:
            value = line.get(key)
            if isinstance(value, str):
                line[key] = redact(value)
        for pattern in self._patterns:
            for key, value in line.items():
                if isinstance(value, str):
                    line[key] = pattern.sub("***", value)
        return line


def plain(line: Line, most: int) -> Line:
    """The same as texts of at most `most` characters that every form can show."""
    return {_shown(key, most): _shown(value, most) for key, value in line.items() if key != "exc_info"}


def _shown(value: object, most: int) -> str:
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:  # noqa: BLE001 - the edge: a value of anybody's, with code of anybody's
        text = f"<{type(value).__name__}: {type(error).__name__}>"
    if len(text) > most:
        text = f"{text[: most // 4]} … {text[-most * 3 // 4 :]}"
    return text.encode("utf-8", "backslashreplace").decode()

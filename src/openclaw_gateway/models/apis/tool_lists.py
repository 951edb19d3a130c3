"""Lists of tools as JSON, encoded once while an agent keeps its tools: they are most of a short request.

Pure but for what it keeps, which changes no answer. A list is known by being the same tuple, because
comparing it would cost as much as encoding it.
"""

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.wire.run import ToolSpec

_MOST = 256
# A client's own list is another tuple each time: one that is larger is not kept.
_MOST_BYTES = 32 << 10
_encode = msgspec.json.Encoder().encode


class ToolLists:
    """`write` gives what stands for a list of tools in a dialect, with the same `more` words each time."""

    def __init__(self, write: Callable[..., Any]) -> None:
        self._write = write
        self._kept: dict[tuple[int, tuple[str, ...]], tuple[tuple[ToolSpec, ...], Raw]] = {}

    def __call__(self, tools: tuple[ToolSpec, ...], *more: str) -> Raw:
        """The JSON of what `write(tools, *more)` returns."""
        key = (id(tools), more)
        kept = self._kept.get(key)
        # Kept with the tuple itself, so that no other can have its id meanwhile.
        if kept is not None and kept[0] is tools:
            return kept[1]
        encoded = _encode(self._write(tools, *more))
        raw = Raw(encoded)
        if len(encoded) <= _MOST_BYTES:
            if len(self._kept) >= _MOST:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (tools, raw)
        return raw

"""The parts of one model message, put together while it comes.

Pure. A part goes on until another kind begins, or until its vendor's payload has closed it; so the order in
which a model thought, spoke and called is kept.
"""

from collections.abc import Sequence
from typing import Literal

from msgspec import UNSET, Raw, UnsetType

from openclaw_gateway.wire.events import Sealed
from openclaw_gateway.wire.messages import Part, Reasoning, Text, ToolCall

_Kind = Literal["text", "reasoning", "call"]


class _Open:
    __slots__ = ("kind", "payload", "pieces")

    def __init__(self, kind: _Kind) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.payload: Raw | UnsetType = UNSET


class Parts:
    def __init__(self) -> None:
        self._open: list[_Open] = []
        # The pieces of the last part, where it is of that kind and may go on.
        self._text: list[str] | None = None
        self._reasoning: list[str] | None = None
        self.has_text = False

    def say(self, text: str) -> None:
        if self._text is None:
            self._text, self._reasoning = self._begin("text").pieces, None
            self.has_text = True
        self._text.append(text)

    def think(self, text: str) -> None:
        if self._reasoning is None:
            self._reasoning, self._text = self._begin("reasoning").pieces, None
        self._reasoning.append(text)

    def call(self) -> None:
        """A call begins. What it says is known in the end."""
        self._begin("call")
        self._text = self._reasoning = None

    def seal(self, event: Sealed) -> None:
        last = next((part for part in reversed(self._open) if part.kind == event.of), None)
        if last is None or last.payload is not UNSET:
            last = self._begin(event.of)
        last.payload = event.payload
        self._text = self._reasoning = None

    @property
    def text(self) -> str:
        return self._all("text")

    @property
    def reasoning(self) -> str:
        return self._all("reasoning")

    def complete(self, calls: Sequence[ToolCall]) -> tuple[Part, ...]:
        """`calls` are those of the message in their order; none where they are not to be executed."""
        made: list[Part] = []
        left = iter(calls)
        for part in self._open:
            if part.kind == "call":
                call = next(left, None)
                if call is not None:
                    made.append(call)
            elif part.kind == "text":
                made.append(Text("".join(part.pieces), part.payload))
            else:
                made.append(Reasoning("".join(part.pieces), part.payload))
        return (*made, *left)

    def _all(self, kind: _Kind) -> str:
        pieces: list[str] = []
        for part in self._open:
            if part.kind == kind:
                pieces += part.pieces
        return "".join(pieces)

    def _begin(self, kind: _Kind) -> _Open:
        part = _Open(kind)
        self._open.append(part)
        return part

"""What the model has said so far in a run: collected from its events, one pass, no copies.

Pure. The loop feeds every batch; at the end `text` and `reasoning` become the turn and the result.
"""

from collections.abc import Sequence

from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, UsageReported
from openclaw_gateway.wire.run import Usage


class Answer:
    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self.usage = Usage()

    def take(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, TextDelta):
                self._text.append(event.text)
            elif isinstance(event, ReasoningDelta):
                self._reasoning.append(event.text)
            elif isinstance(event, UsageReported):
                self.usage += event.usage

    @property
    def text(self) -> str:
        return "".join(self._text)

    @property
    def reasoning(self) -> str:
        return "".join(self._reasoning)

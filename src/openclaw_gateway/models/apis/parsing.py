"""What the parsers of all dialects have in common: how an answer ended, and how events are read one by one.

Pure. It must not know what any dialect says.
"""

from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.calls import Calls
from openclaw_gateway.models.apis.reading import UNREADABLE, not_ours, repaired
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import FinishReason

E = TypeVar("E")


class AnswerParser:
    """See `dialect.Parser`. `finishes` are the vendor's words for an end that is neither stop nor calls."""

    api: ClassVar[str]
    finishes: ClassVar[Mapping[str, FinishReason]]

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._finish: str | None = None
        self._calls = Calls()
        self.done = False
        self.failure: ProviderError | None = None

    @property
    def finished(self) -> bool:
        return self.done or self._finish is not None

    @property
    def finish_reason(self) -> FinishReason:
        return self.finishes.get(self._finish or "") or ("tool_calls" if self._calls else "stop")

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        # What was cut off or filtered is not to be executed.
        return self._calls.complete() if self.finish_reason == "tool_calls" else ()

    def _not_ours(self, what: str) -> ProviderError:
        return not_ours(self._vendor, what, self.api)


class EventParser(AnswerParser, Generic[E]):
    """For dialects whose events are decoded (`decode`) and taken (`_take`) one by one."""

    decode: "staticmethod[[bytes], E]"

    def feed(self, payloads: list[bytes]) -> list[Event]:
        events: list[Event] = []
        decode = self.decode
        for payload in payloads:
            if payload == b"[DONE]":
                # So the oldest of these APIs ends, and with it those who copied another one.
                self.done = True
                break
            event: E | None
            try:
                event = decode(payload)
            except UNREADABLE:
                event = repaired(decode, payload)
            if event is None:
                self.failure = self._not_ours("something that is no event of an answer")
                break
            self._take(event, events)
            if self.done or self.failure:
                break
        return events

    def _take(self, event: E, events: list[Event]) -> None:
        raise NotImplementedError

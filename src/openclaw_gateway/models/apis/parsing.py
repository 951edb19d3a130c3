"""What the parsers of all dialects have in common: how an answer ended, and how events are read one by one.

Pure. It must not know what any dialect says.
"""

from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.calls import Calls
from openclaw_gateway.models.apis.finish_words import FinishWords
from openclaw_gateway.models.apis.reading import UNREADABLE, not_ours, repaired
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import FinishReason, ToolSpec

E = TypeVar("E")


class AnswerParser:
    """See `dialect.Parser`. `words` are how the vendor says that an answer ends."""

    api: ClassVar[str]
    words: ClassVar[FinishWords]
    in_lines: ClassVar[bool] = False

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._finish: str | None = None
        self._calls = Calls()
        self.done = False
        self.understood = False
        self.failure: ProviderError | None = None

    def offer(self, tools: Sequence[ToolSpec]) -> None:
        self._calls.offered = tools

    @property
    def finished(self) -> bool:
        return self.done or self._finish is not None

    @property
    def finish_reason(self) -> FinishReason:
        word = self._finish
        if word is not None and word not in self.words.stop:
            meaning = self.words.meaning(word)
            if meaning in {"length", "content_filter"}:
                return meaning
        return "tool_calls" if self._calls else "stop"

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        # What was cut off or filtered is not to be executed.
        return self._calls.complete() if self.finish_reason == "tool_calls" else ()

    @property
    def cut_calls(self) -> tuple[ToolCall, ...]:
        return self._calls.complete() if self.finish_reason == "length" else ()

    def verdict(self, *, spoke: bool, may_be_silent: bool) -> ProviderError | None:
        if spoke and (self._finish is None or self._finish in self.words.stop):
            return None
        meaning = self.words.meaning(self._finish or "")
        if meaning == "failed" or (meaning == "unknown" and not spoke):
            return from_stream(self._vendor, {"message": f"finish reason {self._finish}"})
        if spoke or (self.understood and (may_be_silent or meaning in {"length", "content_filter"})):
            return None
        if not self.understood:
            return self._not_ours("a stream in which there is no answer")
        return ProviderError(
            "empty",
            f"The provider {self._vendor.provider} ended its answer without a word, a thought or a call. Try "
            "again, or ask in other words.",
        )

    @property
    def unknown_word(self) -> str | None:
        word = self._finish
        if word is None or word in self.words.stop:
            return None
        return word if self.words.meaning(word) == "unknown" else None

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

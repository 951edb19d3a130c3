"""The answers of `anthropic-messages`: its stream events in, ours out.

Pure; half of the dialect of that name. Rule: one typed decode per event; events and blocks of kinds that
are not known yet are passed over, because the vendor adds some.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.models.apis.calls import OpenCall, as_text
from openclaw_gateway.models.apis.counts import count
from openclaw_gateway.models.apis.finish_words import ANTHROPIC_MESSAGES
from openclaw_gateway.models.apis.parsing import EventParser
from openclaw_gateway.models.apis.reading import OddError, read
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, Sealed, TextDelta, UsageReported
from openclaw_gateway.wire.run import Usage

NAME = "anthropic-messages"


class _Block(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Any = None


class _Delta(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Usage(Struct):
    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_input_tokens: float | None = None
    cache_creation_input_tokens: float | None = None


class _Message(OddError):
    usage: _Usage | None = None
    content: list[_Block] | None = None
    stop_reason: str | None = None


class _Event(_Message):
    """Any event, or a whole message: their fields do not clash."""

    type: str = ""
    index: int | None = None
    message: _Message | str | None = None
    content_block: _Block | None = None
    delta: _Delta | None = None


_decode = msgspec.json.Decoder(_Event).decode
_encode = msgspec.json.Encoder().encode


class MessageParser(EventParser[_Event]):
    """See `dialect.Parser`."""

    api = NAME
    words = ANTHROPIC_MESSAGES
    decode = staticmethod(_decode)

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._usage: dict[str, int] = {}
        self._call_at: dict[int, OpenCall] = {}
        self._input_at: dict[int, str] = {}
        self._seals: dict[int, list[str]] = {}  # in pieces; of thinking, by a block's index

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        message = read(_decode, body)
        if message is not None and message.content is None and message.said is not None:
            self.failure = from_stream(self._vendor, message.said)
        elif message is None or message.content is None:
            self.failure = self._not_ours("a JSON answer without content")
        else:
            self._take_whole(message, events)
        return events

    def _take_whole(self, message: _Message, events: list[Event]) -> None:
        for index, block in enumerate(message.content or ()):
            self._begin(index, block, events)
            self._close(index, events)
        self._finish = message.stop_reason
        self._count(message.usage)
        self.understood = self.done = True

    def ending(self) -> list[Event]:
        events: list[Event] = []
        for index in list(self._input_at):
            self._close(index, events)
        self._calls.end(events)
        if used := self._usage:
            cached = used.get("cache_read_input_tokens", 0)
            written = used.get("cache_creation_input_tokens", 0)
            prompt = used.get("input_tokens", 0) + cached + written
            completion = used.get("output_tokens", 0)
            events.append(UsageReported(Usage(prompt, completion, prompt + completion, cached, 0, written)))
        return events

    def _take(self, event: _Event, events: list[Event]) -> None:  # noqa: C901, PLR0912 - one case per kind
        index = event.index or 0
        match event.type:
            case "content_block_delta":
                self.understood = True
                if event.delta is not None:
                    self._continue(index, event.delta, events)
            case "content_block_start":
                if event.content_block is not None:
                    self._begin(index, event.content_block, events)
            case "content_block_stop":
                self._close(index, events)
            case "message_start":
                self.understood = True
                self._count(event.message.usage if isinstance(event.message, _Message) else None)
            case "message_delta":
                self._count(event.usage)
                if event.delta is not None and event.delta.stop_reason:
                    self._finish = event.delta.stop_reason
            case "message_stop":
                self.done = True
            case "message" if event.content is not None:
                if not self.understood:
                    self._take_whole(event, events)
            case kind:
                if kind == "error" or event.said is not None:
                    self.failure = from_stream(self._vendor, event.said or event.bare)

    def _begin(self, index: int, block: _Block, events: list[Event]) -> None:
        match block.type:
            case "text":
                if block.text:
                    events.append(TextDelta(block.text))
            case "thinking":
                self._seals[index] = [block.signature or ""]
                if block.thinking:
                    events.append(ReasoningDelta(block.thinking))
            case "redacted_thinking":
                events.append(Sealed("reasoning", Raw(_encode({"data": block.data or ""}))))
            case "tool_use":
                self._call_at[index] = self._calls.begin(block.id or "", block.name or "", events)
                # Some say here what the deltas will say, or instead of them.
                self._input_at[index] = as_text(block.input) if block.input else ""
            case _:
                pass

    def _continue(self, index: int, delta: _Delta, events: list[Event]) -> None:
        if delta.text:
            events.append(TextDelta(delta.text))
        elif delta.partial_json:
            if (call := self._call_at.get(index)) is not None:
                self._calls.argue(call, delta.partial_json, events)
        elif delta.thinking:
            events.append(ReasoningDelta(delta.thinking))
        elif delta.signature:
            self._seals.setdefault(index, []).append(delta.signature)

    def _close(self, index: int, events: list[Event]) -> None:
        call = self._call_at.get(index)
        if call is not None and not call.arguments:
            self._calls.argue(call, self._input_at.pop(index, ""), events)
        # The vendor takes back only what it has sealed.
        if signature := "".join(self._seals.pop(index, ())):
            events.append(Sealed("reasoning", Raw(_encode({"signature": signature}))))

    def _count(self, usage: _Usage | None) -> None:
        if usage is None:
            return
        for name in usage.__struct_fields__:
            # Later figures are totals, but say nothing (or 0) about what was told at the start.
            if tokens := count(getattr(usage, name)):
                self._usage[name] = tokens

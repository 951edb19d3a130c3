"""The answers of `openai-responses`: its stream events in, ours out.

Pure; half of the dialect of that name. Rule: one typed decode per event; text is taken from the deltas,
and from the finished item only where no delta came; kinds of events that are not known are passed over.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.models.apis.calls import OpenCall, as_text
from openclaw_gateway.models.apis.counts import Cached, Reasoned, spent
from openclaw_gateway.models.apis.finish_words import OPENAI_RESPONSES
from openclaw_gateway.models.apis.parsing import EventParser
from openclaw_gateway.models.apis.reading import OddError, read
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, Sealed, TextDelta

NAME = "openai-responses"


class _Item(Struct):
    """There are more kinds than those that are read here, with values of other types."""

    type: str = ""
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: Any = None
    content: Any = None
    summary: Any = None
    encrypted_content: str | None = None


class _Usage(Struct):
    input_tokens: float | None = None
    output_tokens: float | None = None
    total_tokens: float | None = None
    input_tokens_details: Cached | None = None
    output_tokens_details: Reasoned | None = None


class _Incomplete(Struct):
    reason: str | None = None


class _Response(OddError):
    status: str | None = None
    output: list[_Item] | None = None
    usage: _Usage | None = None
    incomplete_details: _Incomplete | None = None


class _Event(_Response):
    """Any event, or a whole response: their fields do not clash."""

    type: str = ""
    delta: Any = None
    output_index: int | None = None
    item: _Item | None = None
    response: _Response | None = None
    arguments: Any = None
    text: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_encode = msgspec.json.Encoder().encode

_TEXTS = {"response.output_text.delta", "response.refusal.delta"}
_ARGUMENTS = "response.function_call_arguments.delta"
_WHOLE = {"response.function_call_arguments.done", "response.output_text.done"}
_THOUGHTS = {"response.reasoning_summary_text.delta", "response.reasoning_text.delta"}
_ENDS = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}


class ResponseParser(EventParser[_Event]):
    """See `dialect.Parser`."""

    api = NAME
    words = OPENAI_RESPONSES
    decode = staticmethod(_decode)

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._usage: _Usage | None = None
        self._call_at: dict[int, OpenCall] = {}
        self._told: set[int] = set()  # items some text of which has come
        self._thought = False
        self._closed: set[int] = set()
        self._answered = False  # in words or by a call

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        response = read(_decode, body)
        if response is not None and response.said and (response.error or response.output is None):
            self.failure = from_stream(self._vendor, response.said)
        elif response is None or response.output is None:
            self.failure = self._not_ours("a JSON answer without output")
        else:
            self._take_whole(response, events)
        return events

    def _take_whole(self, response: _Response, events: list[Event]) -> None:
        self.understood = True
        self._end(response, events)

    def _take_items(self, response: _Response, events: list[Event]) -> None:
        for index, item in enumerate(response.output or ()):
            if index not in self._closed:
                self._begin(index, item, events)
                self._close(index, item, events)

    def ending(self) -> list[Event]:
        events: list[Event] = []
        self._calls.end(events)
        if (usage := self._usage) is not None:
            total = usage.total_tokens
            cached, reasoned = usage.input_tokens_details, usage.output_tokens_details
            events.append(spent(usage.input_tokens, usage.output_tokens, total, cached, reasoned))
        return events

    def _take(self, event: _Event, events: list[Event]) -> None:
        kind, index = event.type, event.output_index or 0
        if kind.startswith("response."):
            self.understood = True
        if type(event.delta) is str:
            self._add(kind, index, event.delta, events)
        elif kind.startswith("response.output_item.") and event.item is not None:
            (self._close if kind.endswith(".done") else self._begin)(index, event.item, events)
        elif kind in _WHOLE:
            self._add_whole(index, event, events)
        elif kind == "response.reasoning_summary_part.added":
            if self._thought:
                # The parts of a summary are paragraphs.
                events.append(ReasoningDelta("\n\n"))
        elif kind == "error" or (event.said is not None and not kind.startswith("response.")):
            self.failure = from_stream(self._vendor, event.said or event.bare)
        elif event.output is not None and not self.understood:
            self._take_whole(event, events)
        elif kind in _ENDS:
            self._end(event.response or _Response(), events)

    def _add_whole(self, index: int, event: _Event, events: list[Event]) -> None:
        """What comes whole, behind its deltas or in their place."""
        call = self._call_at.get(index)
        if call is not None and not call.arguments:
            self._calls.argue(call, as_text(event.arguments), events)
        if isinstance(event.text, str) and index not in self._told:
            self._add("response.output_text.delta", index, event.text, events)

    def _add(self, kind: str, index: int, text: str, events: list[Event]) -> None:
        if kind in _TEXTS and text:
            self._told.add(index)
            self._answered = True
            events.append(TextDelta(text))
        elif kind in _THOUGHTS and text:
            self._thought = True
            self._told.add(index)
            events.append(ReasoningDelta(text))
        elif kind == _ARGUMENTS and (call := self._call_at.get(index)) is not None:
            self._calls.argue(call, text, events)

    def _begin(self, index: int, item: _Item, events: list[Event]) -> None:
        if item.type == "function_call":
            call = self._calls.begin(item.call_id or item.id or "", item.name or "", events)
            self._call_at[index] = call
            self._answered = True

    def _close(self, index: int, item: _Item, events: list[Event]) -> None:
        self._closed.add(index)
        match item.type:
            case "function_call":
                if index not in self._call_at:
                    self._begin(index, item, events)
                call = self._call_at[index]
                if item.arguments and not call.arguments:
                    self._calls.argue(call, as_text(item.arguments), events)
            case "message":
                text = "".join(_texts(item.content))
                if text and index not in self._told:
                    self._answered = True
                    events.append(TextDelta(text))
            case "reasoning":
                text = "\n\n".join(_texts(item.summary or item.content))
                if text and index not in self._told:
                    events.append(ReasoningDelta(text))
                if item.encrypted_content:
                    sealed = {"encrypted_content": item.encrypted_content}
                    payload = {"id": item.id, **sealed} if item.id else sealed
                    events.append(Sealed("reasoning", Raw(_encode(payload))))
            case _:
                pass

    def _end(self, response: _Response, events: list[Event]) -> None:
        self._usage = response.usage
        if response.status in {"failed", "cancelled"} or response.error:
            error = response.error or {"message": f"the response was {response.status}"}
            self.failure = from_stream(self._vendor, error)
            return
        if not self._answered:
            # Some tell all of it only here.
            self._take_items(response, events)
        if response.status == "incomplete":
            details = response.incomplete_details
            reason = details.reason if details else None
            self._finish = reason or "max_output_tokens"
        self.done = True


def _texts(content: Any) -> list[str]:
    """What the parts of an item say."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") or part.get("refusal") for part in parts if isinstance(part, dict))
    return [text for text in texts if isinstance(text, str)]

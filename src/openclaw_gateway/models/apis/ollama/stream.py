"""The answers of `ollama`: its lines of JSON in, events of ours out.

Pure; half of the dialect of that name. Rule: one typed decode per line. Calls come whole, with their
arguments as an object and mostly without an id; an error is a line like any other. Source:
docs.ollama.com/api/chat.
"""

from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.models.apis.counts import count
from openclaw_gateway.models.apis.finish_words import OLLAMA
from openclaw_gateway.models.apis.parsing import EventParser
from openclaw_gateway.models.apis.reading import read
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, UsageReported
from openclaw_gateway.wire.run import Usage

NAME = "ollama"


class _Function(Struct):
    name: str = ""
    arguments: Any = None


class _Call(Struct):
    function: _Function | None = None
    id: str | None = None


class _Message(Struct):
    content: str | None = None
    thinking: str | None = None
    tool_calls: list[_Call] | None = None


class _Line(Struct):
    message: _Message | None = None
    done: bool | None = None
    done_reason: str | None = None
    prompt_eval_count: float | None = None
    eval_count: float | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Line).decode
_encode = msgspec.json.Encoder().encode


class LineParser(EventParser[_Line]):
    """See `dialect.Parser`."""

    api = NAME
    words = OLLAMA
    decode = staticmethod(_decode)
    in_lines = True

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._usage: Usage | None = None

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        answer = read(_decode, body)
        if answer is not None:
            self._take(answer, events)
        if not self.failure and not self.finished:
            self.failure = self._not_ours("a JSON answer that is not done")
        self.done = not self.failure
        return events

    def ending(self) -> list[Event]:
        events: list[Event] = []
        self._calls.end(events)
        if self._usage is not None:
            events.append(UsageReported(self._usage))
        return events

    def _take(self, line: _Line, events: list[Event]) -> None:
        if line.error:
            self.failure = from_stream(self._vendor, line.error)
            return
        if line.message is not None:
            self.understood = True
            self._add(line.message, events)
        if line.done:
            self.understood = True
            self._finish = line.done_reason or "stop"
            prompt, completion = count(line.prompt_eval_count), count(line.eval_count)
            if prompt or completion:
                self._usage = Usage(prompt, completion, prompt + completion)
            self.done = True

    def _add(self, message: _Message, events: list[Event]) -> None:
        if message.thinking:
            events.append(ReasoningDelta(message.thinking))
        if message.content:
            events.append(TextDelta(message.content))
        for said in message.tool_calls or ():
            if said.function is None:
                continue
            call = self._calls.begin(said.id or "", said.function.name, events)
            arguments = said.function.arguments
            text = arguments if isinstance(arguments, str) else _encode(arguments or {}).decode()
            self._calls.argue(call, text, events)

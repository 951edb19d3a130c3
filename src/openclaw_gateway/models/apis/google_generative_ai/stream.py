"""The answers of `google-generative-ai`: its stream events in, ours out.

Pure; half of the dialect of that name. Rule: one typed decode per event. Calls come whole and mostly
without an id; a signature belongs to the part it stands on and goes back there.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.models.apis.calls import as_text
from openclaw_gateway.models.apis.counts import count
from openclaw_gateway.models.apis.finish_words import GOOGLE_GENERATIVE_AI
from openclaw_gateway.models.apis.parsing import EventParser
from openclaw_gateway.models.apis.reading import OddError, read
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, Sealed, TextDelta, UsageReported
from openclaw_gateway.wire.run import Usage

NAME = "google-generative-ai"


class _Call(Struct):
    name: str = ""
    args: Any = None
    id: str | None = None


class _Part(Struct, rename="camel"):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _Call | None = None


class _Content(Struct):
    parts: list[_Part] | None = None


class _Candidate(Struct, rename="camel"):
    content: _Content | None = None
    finish_reason: str | None = None
    finish_message: str | None = None


class _Usage(Struct, rename="camel"):
    prompt_token_count: float | None = None
    candidates_token_count: float | None = None
    thoughts_token_count: float | None = None
    tool_use_prompt_token_count: float | None = None
    cached_content_token_count: float | None = None
    total_token_count: float | None = None


class _Feedback(Struct, rename="camel"):
    block_reason: str | None = None


class _Chunk(OddError, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: _Usage | None = None
    prompt_feedback: _Feedback | None = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_whole = msgspec.json.Decoder(_Chunk | list[_Chunk]).decode
_encode = msgspec.json.Encoder().encode


class ContentParser(EventParser[_Chunk]):
    """See `dialect.Parser`."""

    api = NAME
    words = GOOGLE_GENERATIVE_AI
    decode = staticmethod(_decode)

    def __init__(self, vendor: Vendor) -> None:
        super().__init__(vendor)
        self._usage: _Usage | None = None

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        answer = read(_decode_whole, body)
        for chunk in answer if isinstance(answer, list) else [answer]:
            if chunk is not None and not self.failure:
                self._take(chunk, events)
        if not self.failure and not self.finished:
            self.failure = self._not_ours("a JSON answer without candidates")
        self.done = not self.failure
        return events

    def ending(self) -> list[Event]:
        events: list[Event] = []
        self._calls.end(events)
        if (usage := self._usage) is not None:
            prompt = count(usage.prompt_token_count) + count(usage.tool_use_prompt_token_count)
            thought = count(usage.thoughts_token_count)
            completion = count(usage.candidates_token_count) + thought
            total = count(usage.total_token_count) or prompt + completion
            cached = count(usage.cached_content_token_count)
            events.append(UsageReported(Usage(prompt, completion, total, cached, thought)))
        return events

    def _take(self, chunk: _Chunk, events: list[Event]) -> None:
        if chunk.candidates or chunk.prompt_feedback is not None or chunk.usage_metadata is not None:
            self.understood = True
        if (error := chunk.said) is not None and (chunk.error or not chunk.candidates):
            self.failure = from_stream(self._vendor, error)
            return
        if chunk.usage_metadata is not None:
            # Every event has it; the last one is the total.
            self._usage = chunk.usage_metadata
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self._finish = "SAFETY"
        for candidate in (chunk.candidates or ())[:1]:
            for part in (candidate.content and candidate.content.parts) or ():
                self._add(part, events)
            word = candidate.finish_reason
            if word and self.words.meaning(word) == "failed":
                # A call nobody can read, most often: another try works.
                self.failure = from_stream(self._vendor, {"message": candidate.finish_message or word})
            elif word:
                self._finish = word

    def _add(self, part: _Part, events: list[Event]) -> None:
        if part.function_call is not None:
            said = part.function_call
            call = self._calls.begin(said.id or "", said.name, events)
            self._calls.argue(call, as_text(said.args) if said.args else "{}", events)
            if part.thought_signature:
                call.payload = _seal(part.thought_signature)
            return
        if part.text:
            events.append(ReasoningDelta(part.text) if part.thought else TextDelta(part.text))
        if part.thought_signature:
            events.append(Sealed("reasoning" if part.thought else "text", _seal(part.thought_signature)))


def _seal(signature: str) -> Raw:
    return Raw(_encode({"thoughtSignature": signature}))

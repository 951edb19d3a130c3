"""The answers of `google-generative-ai`: its stream events in, ours out.

Pure; half of the dialect of that name. Rule: one typed decode per event. Calls come whole and mostly
without an id; a signature belongs to the part it stands on and goes back there, so it is stored under
the id of its call ("" = on the text).
"""

from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.calls import Calls
from openclaw_gateway.models.apis.counts import count
from openclaw_gateway.models.apis.reading import not_ours, read
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, UsageReported
from openclaw_gateway.wire.messages import ReasoningBlock, ToolCall
from openclaw_gateway.wire.run import FinishReason, Usage

NAME = "google-generative-ai"

_FILTERED: FinishReason = "content_filter"
_FINISH: dict[str, FinishReason] = {
    "MAX_TOKENS": "length",
    "SAFETY": _FILTERED,
    "RECITATION": _FILTERED,
    "BLOCKLIST": _FILTERED,
    "PROHIBITED_CONTENT": _FILTERED,
    "SPII": _FILTERED,
    "IMAGE_SAFETY": _FILTERED,
    "LANGUAGE": _FILTERED,
}
# The model wrote a call nobody can read: another try most often works.
_BROKEN = {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"}


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


class _Chunk(Struct, rename="camel"):
    candidates: list[_Candidate] | None = None
    usage_metadata: _Usage | None = None
    prompt_feedback: _Feedback | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_decode_whole = msgspec.json.Decoder(_Chunk | list[_Chunk]).decode
_encode = msgspec.json.Encoder().encode


class ContentParser:
    """See `dialect.Parser`."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._finish: str | None = None
        self._usage: _Usage | None = None
        self._calls = Calls()
        self._text_seal = ""
        self._blocks: list[ReasoningBlock] = []
        self.done = False
        self.failure: ProviderError | None = None

    @property
    def finished(self) -> bool:
        return self.done or self._finish is not None

    @property
    def finish_reason(self) -> FinishReason:
        return _FINISH.get(self._finish or "") or ("tool_calls" if self._calls else "stop")

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self._calls.complete() if self.finish_reason == "tool_calls" else ()

    @property
    def blocks(self) -> tuple[ReasoningBlock, ...]:
        sealed = (ReasoningBlock(NAME, signature=self._text_seal),) if self._text_seal else ()
        return (*self._blocks, *sealed)

    def feed(self, payloads: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for payload in payloads:
            if payload == b"[DONE]":
                # Google does not say it; some who copied this API do.
                self.done = True
                break
            chunk = read(_decode, payload)
            if chunk is None:
                self.failure = not_ours(self._vendor, "something that is no part of an answer", NAME)
                break
            self._take(chunk, events)
            if self.failure:
                break
        return events

    def whole(self, body: bytes) -> list[Event]:
        events: list[Event] = []
        answer = read(_decode_whole, body)
        for chunk in answer if isinstance(answer, list) else [answer]:
            if chunk is not None and not self.failure:
                self._take(chunk, events)
        if not self.failure and not self.finished:
            self.failure = not_ours(self._vendor, "a JSON answer without candidates", NAME)
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
        if chunk.error:
            self.failure = from_stream(self._vendor, chunk.error)
            return
        if chunk.usage_metadata is not None:
            # Every event has it; the last one is the total.
            self._usage = chunk.usage_metadata
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            self._finish = "SAFETY"
        for candidate in (chunk.candidates or ())[:1]:
            for part in (candidate.content and candidate.content.parts) or ():
                self._add(part, events)
            if candidate.finish_reason in _BROKEN:
                error = {"message": candidate.finish_message or candidate.finish_reason}
                self.failure = from_stream(self._vendor, error)
            elif candidate.finish_reason:
                self._finish = candidate.finish_reason

    def _add(self, part: _Part, events: list[Event]) -> None:
        if part.function_call is not None:
            said = part.function_call
            call = self._calls.begin(said.id or "", said.name, events)
            self._calls.argue(call, _encode(said.args).decode() if said.args else "{}", events)
            if part.thought_signature:
                self._blocks.append(ReasoningBlock(NAME, signature=part.thought_signature, id=call.id))
            return
        if part.text:
            events.append(ReasoningDelta(part.text) if part.thought else TextDelta(part.text))
        if part.thought_signature:
            self._text_seal = part.thought_signature

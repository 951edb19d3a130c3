"""The dialect `openai-completions`: POST /chat/completions, as OpenAI defined it and everybody speaks it.

Pure: a conversation in, the bytes of a request out; the data of stream events in, our events out. It
must not know sockets, retries or configuration. Rule: one typed decode per event, and whatever bytes a
provider sends, the outcome is events or a ProviderError.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor, from_stream
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, UsageReported
from openclaw_gateway.wire.messages import AssistantMessage, Message, SystemMessage
from openclaw_gateway.wire.run import FinishReason, Sampling, Usage

PATH = "/chat/completions"

_FINISH: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


class _Function(Struct):
    name: str
    arguments: str


class _ToolCall(Struct, tag_field="type", tag="function"):
    id: str
    function: _Function


class _Assistant(Struct, tag_field="role", tag="assistant"):
    content: str | None
    tool_calls: list[_ToolCall] | UnsetType = UNSET
    name: str | UnsetType = UNSET


class _StreamOptions(Struct):
    include_usage: bool = True


class _Request(Struct):
    model: str
    messages: list[Any]
    stream: bool = True
    stream_options: _StreamOptions | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    max_completion_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    response_format: Any = UNSET


_encode = msgspec.json.Encoder().encode
_STREAM_OPTIONS = _StreamOptions()


def request_body(
    target: ModelTarget,
    system: str,
    messages: Sequence[Message],
    sampling: Sampling,
    *,
    stream_usage: bool,
) -> bytes:
    """The request as JSON. System messages among `messages` join the one leading system message."""
    told = [system or target.system]
    told += [message.content for message in messages if type(message) is SystemMessage]
    said: list[Any] = [_wire(message) for message in messages if type(message) is not SystemMessage]
    if instructions := "\n\n".join(filter(None, told)):
        said.insert(0, _system(instructions))
    under, compat = target.sampling, target.compat
    request = _Request(
        target.model,
        said,
        temperature=_first(sampling.temperature, under.temperature),
        top_p=_first(sampling.top_p, under.top_p),
        stop=_first(sampling.stop, under.stop),
        seed=_first(sampling.seed, under.seed),
        frequency_penalty=_first(sampling.frequency_penalty, under.frequency_penalty),
        presence_penalty=_first(sampling.presence_penalty, under.presence_penalty),
        response_format=_first(sampling.response_format, under.response_format),
    )
    if stream_usage and compat.usage_in_stream:
        request.stream_options = _STREAM_OPTIONS
    if compat.reasoning_effort:
        request.reasoning_effort = _first(sampling.reasoning_effort, under.reasoning_effort)
    max_tokens = _first(sampling.max_tokens, under.max_tokens)
    if max_tokens is UNSET and target.max_tokens is not None:
        max_tokens = target.max_tokens
    if compat.max_tokens_field == "max_completion_tokens":
        request.max_completion_tokens = max_tokens
    else:
        request.max_tokens = max_tokens
    body = _encode(request)
    if target.extra_body:
        return b"%b,%b" % (body[:-1], _encode(target.extra_body)[1:])
    return body


def _first(asked: Any, configured: Any) -> Any:
    return configured if asked is UNSET else asked


def _wire(message: Message) -> Any:
    # The other roles are stored in the shape they have on the wire.
    if type(message) is not AssistantMessage:
        return message
    calls = [_ToolCall(call.id, _Function(call.name, call.arguments)) for call in message.tool_calls]
    return _Assistant(
        message.content if message.content or not calls else None, calls or UNSET, message.name or UNSET
    )


def _system(text: str) -> Any:
    # Agents' prompts are long and the same every time: escaping 10 KB takes 5 microseconds, copying 0.4.
    return _escaped(text) if len(text) <= 64 << 10 else SystemMessage(text)


@lru_cache(maxsize=64)
def _escaped(text: str) -> Raw:
    return Raw(_encode(SystemMessage(text)))


class _Part(Struct):
    type: str = ""
    text: str | None = None


class _Delta(Struct):
    """A delta of a stream, or the message of a whole answer."""

    content: str | list[_Part | str] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Cached(Struct):
    cached_tokens: float | None = None


class _Reasoned(Struct):
    reasoning_tokens: float | None = None


class _Usage(Struct):
    prompt_tokens: float | None = None
    completion_tokens: float | None = None
    total_tokens: float | None = None
    prompt_tokens_details: _Cached | None = None
    completion_tokens_details: _Reasoned | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class ChunkParser:
    """Turns the data of one answer's stream events into events of ours.

    `failure` is what ended the answer too early; it stands beside the events of the same read because
    those came first. `done`: nothing that matters will come any more.
    """

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._finish: str | None = None
        self._usage: _Usage | None = None
        self.done = False
        self.failure: ProviderError | None = None

    @property
    def finished(self) -> bool:
        """Whether the answer is complete as far as the model is concerned."""
        return self.done or self._finish is not None

    @property
    def finish_reason(self) -> FinishReason:
        # No tools are offered yet, so a model that calls one has stopped.
        return _FINISH.get(self._finish or "", "stop")

    def feed(self, payloads: list[bytes]) -> list[Event]:
        """Deltas in the order and size the provider sent them, up to the end or the `failure`."""
        events: list[Event] = []
        for payload in payloads:
            if payload == b"[DONE]":
                self.done = True
                break
            try:
                chunk = _decode(payload)
            except _UNREADABLE:
                again = self._read_again(payload)
                if again is None:
                    break
                chunk = again
            if chunk.choices:
                choice = chunk.choices[0]
                if choice.delta is not None:
                    _take(choice.delta, events)
                if choice.finish_reason:
                    self._finish = choice.finish_reason
            if chunk.usage is not None:
                self._usage = chunk.usage
            if chunk.error:
                self.failure = from_stream(self._vendor, chunk.error)
                break
        return events

    def whole(self, body: bytes) -> list[Event]:
        """The same for a provider that answers one JSON object although a stream was asked for."""
        events: list[Event] = []
        try:
            answer = _decode(body)
        except _UNREADABLE:
            answer = _repaired(body) or _Chunk()
        choice = answer.choices[0] if answer.choices else _Choice()
        message = choice.message or choice.delta
        if answer.error:
            self.failure = from_stream(self._vendor, answer.error)
        elif message is None:
            self.failure = self._not_ours("a JSON answer without choices")
        else:
            _take(message, events)
            self._finish = choice.finish_reason
            self._usage = answer.usage
            self.done = True
        return events

    def _read_again(self, payload: bytes) -> _Chunk | None:
        stripped = payload.strip()
        if not stripped:
            return _Chunk()
        if stripped == b"[DONE]":
            self.done = True
            return None
        chunk = _repaired(stripped)
        if chunk is None:
            self.failure = self._not_ours("something that is not the JSON of a chat completion")
        return chunk

    def _not_ours(self, what: str) -> ProviderError:
        provider = self._vendor.provider
        return ProviderError(
            "bad_response",
            f"The provider {provider} sent {what}. "
            f"Check models.providers.{provider}.baseUrl: it must be an OpenAI-compatible API.",
        )

    def usage(self) -> list[Event]:
        """What the call cost, once the stream has ended; empty when the provider did not say."""
        usage = self._usage
        if usage is None:
            return []
        prompt, completion = _count(usage.prompt_tokens), _count(usage.completion_tokens)
        cached, reasoned = usage.prompt_tokens_details, usage.completion_tokens_details
        return [
            UsageReported(
                Usage(
                    prompt,
                    completion,
                    _count(usage.total_tokens) or prompt + completion,
                    _count(cached.cached_tokens) if cached else 0,
                    _count(reasoned.reasoning_tokens) if reasoned else 0,
                )
            )
        ]


def _take(delta: _Delta, events: list[Event]) -> None:
    # Some servers send both names with the same text.
    if reasoning := delta.reasoning_content or delta.reasoning:
        events.append(ReasoningDelta(reasoning))
    content = delta.content
    if content:
        if type(content) is not str:
            content = "".join(part if isinstance(part, str) else part.text or "" for part in content)
        if content:
            events.append(TextDelta(content))
    if delta.refusal:
        events.append(TextDelta(delta.refusal))


def _count(tokens: float | None) -> int:
    # Tokens come as 3.0 from some servers; a number beyond all reason would break sums in a store.
    return int(tokens) if tokens is not None and 0 <= tokens < 1 << 53 else 0


def _repaired(payload: bytes) -> _Chunk | None:
    """Decode once more, slowly; None = it is not the JSON of a chunk.

    Small servers cut characters in half between two events: half a surrogate pair, half a UTF-8 sequence.
    The rest of the text is worth keeping.
    """
    try:
        value = json.loads(payload.decode("utf-8", "replace"))
        return _decode(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, *_UNREADABLE):
        return None


def refuses_stream_options(status: int, body: bytes) -> bool:
    """Whether an error means that the provider does not know `stream_options`."""
    return status in (400, 422) and b"stream_options" in body


RESERVED: frozenset[str] = frozenset(_Request.__struct_fields__)
"""Names an operator's `extra_body` may not set, because a request already says them."""

"""The voice of chat completions: a run's events as chunks, and its result as one chat completion.

Pure, and hot: the constant head of a chunk is encoded once per run, so a delta costs one encode of its
text. The line separators that some readers split on (U+2028, U+2029, U+0085) leave as escapes.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import RunResult, Usage

DONE = b"data: [DONE]\n\n"
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
# How a chunk ends that is not the last: after the inside of its delta, and after that of a tool call.
_GOES_ON = b'},"logprobs":null,"finish_reason":null}]}\n\n'
_CALL_GOES_ON = b"]" + _GOES_ON
_SEPARATORS = (
    (b"\xe2\x80\xa8", b"\\u2028"),
    (b"\xe2\x80\xa9", b"\\u2029"),
    (b"\xc2\x85", b"\\u0085"),
)


class ChatVoice:
    """One answer: the same id, created and model in each chunk. `include_usage`: with the usage chunk;
    `metadata` stand in an answer that does not stream."""

    def __init__(
        self,
        run_id: str,
        created: int,
        model: str,
        *,
        include_usage: bool = False,
        metadata: dict[str, str] | None = None,
    ) -> None:
        self._run_id = run_id
        self._created = created
        self._model = model
        self._include_usage = include_usage
        self._metadata = metadata
        self._base = (
            b'data: {"id":' + _json(run_id) + b',"object":"chat.completion.chunk","created":'
            + str(created).encode() + b',"model":' + _json(model) + b',"choices":['
        )  # fmt: skip
        self._delta = self._base + b'{"index":0,"delta":'
        self._text = self._delta + b'{"content":'
        self._reasoning = self._delta + b'{"reasoning_content":'

    def head(self) -> bytes:
        """The chunk with the role."""
        return self._delta + b'{"role":"assistant"' + _GOES_ON

    def deltas(self, events: Iterable[Event]) -> bytes:
        """The deltas among `events` in chunks as the provider cut them, as one piece of bytes."""
        frames: list[bytes] = []
        for event in events:
            if isinstance(event, TextDelta):
                said = self._pieces(event.pieces) if event.pieces else _json(event.text)
                frames += (self._text, said, _GOES_ON)
            elif isinstance(event, ReasoningDelta):
                frames += (self._reasoning, _json(event.text), _GOES_ON)
            elif isinstance(event, ToolCallStarted):
                call = _CallStart(event.index, event.id, "function", _Function(event.name, ""))
                frames.append(self._tool_calls(_encode(call)))
            elif isinstance(event, ToolCallArguments):
                more = _CallMore(event.index, _Arguments(event.text))
                frames.append(self._tool_calls(_encode(more)))
        return b"".join(frames)

    def _pieces(self, pieces: tuple[str, ...]) -> bytes:
        # No JSON text has a line end in it.
        lines = separated(_encode_lines(pieces))
        return lines[:-1].replace(b"\n", _GOES_ON + self._text)

    def _tool_calls(self, call: bytes) -> bytes:
        head = self._delta + b'{"tool_calls":['
        return head + separated(call) + _CALL_GOES_ON

    def beside(self, key: bytes, value: bytes) -> bytes:
        """A chunk that says nothing, but for `value`, which is JSON, under a key that is not OpenAI's."""
        head = self._delta + b'{},"logprobs":null,"finish_reason":null}],"'
        return head + key + b'":' + separated(value) + b"}\n\n"

    def end(self, result: RunResult) -> bytes:
        """The finish chunk, the usage chunk when it was asked for, and [DONE]."""
        reason = _json(self.reason(result))
        finish = self._delta + b'{},"logprobs":null,"finish_reason":' + reason + b"}]}\n\n"
        if not self._include_usage:
            return finish + DONE
        usage = _encode(usage_object(result.usage))
        return finish + self._base + b'],"usage":' + usage + b"}\n\n" + DONE

    def reason(self, result: RunResult) -> str:
        """Why a stream ends, in OpenAI's word."""
        return result.finish_reason or "stop"

    def chunk(self, delta: bytes) -> bytes:
        """One more chunk; `delta` is the inside of its JSON object."""
        return self._delta + b"{" + delta + _GOES_ON

    def failure(self, error: ErrorInfo) -> bytes:
        return b"data: " + separated(error_object(error)) + b"\n\n" + DONE

    def whole(self, result: RunResult) -> bytes:
        return completion(self._run_id, self._created, self._model, result, self._metadata)

    def refusal(self, error: ErrorInfo) -> bytes:
        return error_object(error)


class _Function(Struct, frozen=True):
    name: str
    arguments: str


class _CallStart(Struct, frozen=True):
    index: int
    id: str
    type: str
    function: _Function


class _Arguments(Struct, frozen=True):
    arguments: str


class _CallMore(Struct, frozen=True):
    index: int
    function: _Arguments


class _Call(Struct, frozen=True):
    id: str
    type: str
    function: _Function


class _Cached(Struct, frozen=True):
    """What of the prompt was read from the provider's cache, and what was written to it."""

    cached_tokens: int
    cache_write_tokens: int


class _Reasoned(Struct, frozen=True):
    reasoning_tokens: int


class UsageObject(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: _Cached
    completion_tokens_details: _Reasoned


class _Message(Struct, frozen=True):
    role: str
    content: str | None
    refusal: None = None
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: tuple[_Call, ...] | msgspec.UnsetType = msgspec.UNSET
    function_call: _Function | msgspec.UnsetType = msgspec.UNSET


class _Choice(Struct, frozen=True):
    index: int
    message: _Message
    finish_reason: str
    # The published schema wants them there, null where there are none.
    logprobs: None = None


class ChatCompletion(Struct, frozen=True):
    id: str
    object: str
    created: int
    model: str
    choices: tuple[_Choice, ...]
    usage: UsageObject
    metadata: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class _Error(Struct, frozen=True):
    message: str
    type: str
    param: str | None
    code: str


class ErrorObject(Struct, frozen=True):
    error: _Error


def usage_object(usage: Usage) -> UsageObject:
    return UsageObject(
        usage.prompt_tokens,
        usage.completion_tokens,
        usage.total_tokens,
        _Cached(usage.cached_tokens, usage.cache_write_tokens),
        _Reasoned(usage.reasoning_tokens),
    )


def completion(
    run_id: str, created: int, model: str, result: RunResult, metadata: dict[str, str] | None = None
) -> bytes:
    """The answer to a request that does not stream; `metadata` are the request's, if it had any."""
    calls = tuple(
        _Call(call.id, "function", _Function(call.name, call.arguments)) for call in result.tool_calls
    )
    content = result.text or (None if calls else "")
    message = _Message(
        "assistant",
        content,
        reasoning_content=result.reasoning or msgspec.UNSET,
        tool_calls=calls or msgspec.UNSET,
    )
    choice = _Choice(0, message, result.finish_reason or "stop")
    said = msgspec.UNSET if metadata is None else metadata
    usage = usage_object(result.usage)
    return _encode(ChatCompletion(run_id, "chat.completion", created, model, (choice,), usage, said))


def error_object(error: ErrorInfo) -> bytes:
    """OpenAI's error object, always with all four keys."""
    return _encode(ErrorObject(_Error(error.message, error.type, error.param, error.code)))


def _json(text: str) -> bytes:
    return separated(_encode(text))


def separated(data: bytes) -> bytes:
    if data.isascii():
        return data
    for raw, escaped in _SEPARATORS:
        data = data.replace(raw, escaped)
    return data

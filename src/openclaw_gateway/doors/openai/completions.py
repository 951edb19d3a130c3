"""The older completions API: a prompt as a chat of one message, and its answer as text.

Pure. For clients that know nothing else (llama-index's default, older editors); what is no text of an answer
(reasoning, calls) is not told, because there is no place for it.
Source: platform.openai.com/docs/api-reference/completions.
"""

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import (
    STREAM_OPTIONS,
    ChatRequest,
    chat_fields,
    nameable,
    refuse_many,
    unmade,
)
from openclaw_gateway.doors.openai.chunks import (
    DONE,
    UsageObject,
    error_object,
    separated,
    usage_object,
)
from openclaw_gateway.doors.openai.messages import asks_something, missing_user_message
from openclaw_gateway.doors.openai.sampling import take_sampling
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, TextDelta
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import RunResult

_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_PROMPT: msgspec.json.Decoder[str | list[str]] = msgspec.json.Decoder(str | list[str])
_encode = msgspec.json.Encoder().encode


def decode_completions(data: bytes, max_depth: int) -> ChatRequest:
    """Raises InvalidRequest."""
    return read_completions(parse(data, max_depth))


def read_completions(body: Body) -> ChatRequest:
    """Raises InvalidRequest."""
    if not body.has("prompt"):
        raise InvalidRequest(
            "`prompt` is required: a text. (A body with `messages` goes to /v1/chat/completions.)",
            param="prompt",
        )
    messages = (UserMessage(_prompt(body)),)
    if not asks_something(messages):
        raise missing_user_message("prompt")
    refuse_many(body, "n", "best_of")
    options = body.take("stream_options", STREAM_OPTIONS)
    fields = chat_fields(body)
    stream = body.take("stream", _BOOLEAN)
    return ChatRequest(
        instructions="",
        messages=messages,
        sampling=take_sampling(body),
        model=body.take("model", _STRING),
        user=body.take("user", _STRING),
        stream=bool(stream),
        include_usage=bool(options and options.include_usage),
        ignored=nameable((*body.left, *unmade(options))),
        fields=fields,
    )


def _prompt(body: Body) -> str:
    try:
        prompt = body.take("prompt", _PROMPT)
    except InvalidRequest:
        raise InvalidRequest(
            "`prompt` must be a text: token numbers mean nothing to an agent's model.", param="prompt"
        ) from None
    if isinstance(prompt, str):
        return prompt
    if prompt is None or len(prompt) != 1:
        raise InvalidRequest("`prompt` may hold one text: an agent answers one at a time.", param="prompt")
    return prompt[0]


class _TextChoice(Struct, frozen=True):
    text: str
    index: int = 0
    logprobs: None = None
    finish_reason: str | None = None


class TextCompletion(Struct, frozen=True, omit_defaults=True):
    id: str
    object: str
    created: int
    model: str
    choices: tuple[_TextChoice, ...]
    usage: UsageObject | None = None


class CompletionVoice:
    """One answer: the same id, created and model in each chunk."""

    def __init__(self, run_id: str, created: int, model: str, *, include_usage: bool = False) -> None:
        self._id = f"cmpl_{run_id.partition('_')[2]}"
        self._created = created
        self._model = model
        self._include_usage = include_usage

    def head(self) -> bytes:
        return b""

    def deltas(self, events: Iterable[Event]) -> bytes:
        said = (event for event in events if isinstance(event, TextDelta))
        pieces = (piece for event in said for piece in event.pieces or (event.text,))
        return b"".join(self._frame(_TextChoice(piece)) for piece in pieces)

    def end(self, result: RunResult) -> bytes:
        finish = self._frame(_TextChoice("", finish_reason=_reason(result)))
        if not self._include_usage:
            return finish + DONE
        usage = self._completion((), usage_object(result.usage))
        return finish + b"data: " + usage + b"\n\n" + DONE

    def failure(self, error: ErrorInfo) -> bytes:
        return b"data: " + separated(error_object(error)) + b"\n\n" + DONE

    def whole(self, result: RunResult) -> bytes:
        return self._completion(
            (_TextChoice(result.text, finish_reason=_reason(result)),), usage_object(result.usage)
        )

    def refusal(self, error: ErrorInfo) -> bytes:
        return error_object(error)

    def _frame(self, choice: _TextChoice) -> bytes:
        return b"data: " + separated(self._completion((choice,))) + b"\n\n"

    def _completion(self, choices: tuple[_TextChoice, ...], usage: UsageObject | None = None) -> bytes:
        return _encode(
            TextCompletion(self._id, "text_completion", self._created, self._model, choices, usage)
        )


def _reason(result: RunResult) -> str:
    return result.finish_reason if result.finish_reason in ("length", "content_filter") else "stop"

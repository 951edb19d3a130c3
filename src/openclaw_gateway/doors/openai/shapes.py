"""The types of what leaves as bytes that are put together by hand, where every delta counts: chunks of a chat
completion, and embeddings; and lists of what is kept. For the OpenAPI document; tests hold the bytes to them.
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.doors.openai.chunks import ChatCompletion, UsageObject
from openclaw_gateway.doors.openai.progress import Beside


class FunctionDelta(Struct, frozen=True):
    arguments: str
    name: str | UnsetType = UNSET


class CallDelta(Struct, frozen=True):
    """The first of a call has its id, type and name."""

    index: int
    function: FunctionDelta
    id: str | UnsetType = UNSET
    type: Literal["function"] | UnsetType = UNSET


class OlderCallDelta(Struct, frozen=True):
    """To a request with `functions`; the first has the name."""

    arguments: str
    name: str | UnsetType = UNSET


class Delta(Struct, frozen=True):
    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: tuple[CallDelta, ...] | UnsetType = UNSET
    function_call: OlderCallDelta | UnsetType = UNSET


class ChunkChoice(Struct, frozen=True):
    index: int
    delta: Delta
    logprobs: None
    finish_reason: Literal["stop", "length", "tool_calls", "content_filter", "function_call"] | None


class ChatCompletionChunk(Struct, frozen=True):
    """The last one has the usage and no choice, where it was asked for. `x_openclaw`: what the agent's tools
    do, for who has asked for that."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: UsageObject | UnsetType = UNSET
    x_openclaw: Beside | UnsetType = UNSET


class Embedding(Struct, frozen=True):
    """A vector in numbers, or as base64 of little-endian 32-bit ones."""

    object: Literal["embedding"]
    index: int
    embedding: tuple[float, ...] | str


class EmbeddingsUsage(Struct, frozen=True):
    prompt_tokens: int
    total_tokens: int


class Embeddings(Struct, frozen=True):
    object: Literal["list"]
    data: tuple[Embedding, ...]
    model: str
    usage: EmbeddingsUsage


class StoredCompletions(Struct, frozen=True):
    object: Literal["list"]
    data: tuple[ChatCompletion, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool


class StoredMessage(Struct, frozen=True):
    id: str
    role: Literal["system", "user", "assistant", "tool"]
    content: str | None
    name: str | None
    refusal: None
    content_parts: tuple[dict[str, Any], ...] | None
    tool_call_id: str | UnsetType = UNSET
    tool_calls: tuple[dict[str, Any], ...] | UnsetType = UNSET


class StoredMessages(Struct, frozen=True):
    object: Literal["list"]
    data: tuple[StoredMessage, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool


class DeletedCompletion(Struct, frozen=True):
    id: str
    object: Literal["chat.completion.deleted"]
    deleted: Literal[True]

"""The types of a message, its blocks and its events, which `voice` makes, for the OpenAPI document. Tests
hold what is made to them.
Source: platform.claude.com/docs/en/api/messages and /build-with-claude/streaming.
"""

from typing import Any, Literal

from msgspec import Struct

StopReason = Literal["end_turn", "max_tokens", "tool_use", "refusal"]


class TextBlock(Struct, frozen=True, tag_field="type", tag="text"):
    text: str
    citations: None


class ThinkingBlock(Struct, frozen=True, tag_field="type", tag="thinking"):
    thinking: str
    signature: str


class DirectCaller(Struct, frozen=True):
    type: Literal["direct"]


class ToolUseBlock(Struct, frozen=True, tag_field="type", tag="tool_use"):
    id: str
    name: str
    input: dict[str, Any]
    caller: DirectCaller


SaidBlock = TextBlock | ThinkingBlock | ToolUseBlock


class MessageUsage(Struct, frozen=True):
    input_tokens: int
    cache_creation_input_tokens: int
    cache_read_input_tokens: int
    output_tokens: int
    cache_creation: None
    inference_geo: None
    output_tokens_details: None
    server_tool_use: None
    service_tier: Literal["standard"]


class AgentMessage(Struct, frozen=True):
    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: tuple[SaidBlock, ...]
    stop_reason: StopReason | None
    stop_sequence: None
    stop_details: None
    container: None
    usage: MessageUsage


class TokenCount(Struct, frozen=True):
    input_tokens: int


class ErrorDetails(Struct, frozen=True):
    error_code: str


class MessageError(Struct, frozen=True):
    type: str
    message: str
    details: ErrorDetails


class MessageStart(Struct, frozen=True, tag_field="type", tag="message_start"):
    message: AgentMessage


class BlockStart(Struct, frozen=True, tag_field="type", tag="content_block_start"):
    index: int
    content_block: SaidBlock


class TextPiece(Struct, frozen=True, tag_field="type", tag="text_delta"):
    text: str


class ThinkingPiece(Struct, frozen=True, tag_field="type", tag="thinking_delta"):
    thinking: str


class InputPiece(Struct, frozen=True, tag_field="type", tag="input_json_delta"):
    partial_json: str


class BlockDelta(Struct, frozen=True, tag_field="type", tag="content_block_delta"):
    index: int
    delta: TextPiece | ThinkingPiece | InputPiece


class BlockStop(Struct, frozen=True, tag_field="type", tag="content_block_stop"):
    index: int


class Stopped(Struct, frozen=True):
    stop_reason: StopReason
    stop_sequence: None


class MessageDelta(Struct, frozen=True, tag_field="type", tag="message_delta"):
    delta: Stopped
    usage: MessageUsage


class MessageStop(Struct, frozen=True, tag_field="type", tag="message_stop"):
    pass


class Ping(Struct, frozen=True, tag_field="type", tag="ping"):
    pass


class MessageFailure(Struct, frozen=True, tag_field="type", tag="error"):
    error: MessageError
    request_id: str


MessageEvent = (
    MessageStart | BlockStart | BlockDelta | BlockStop | MessageDelta | MessageStop | Ping | MessageFailure
)

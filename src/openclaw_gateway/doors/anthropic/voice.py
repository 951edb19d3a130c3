"""The voice of Anthropic's Messages API: a run's events as its stream events, and its result as one message.

Pure. A message is a sequence of blocks (thinking, text, calls), and one is told to its end before the next
begins: clients may hold only one open. What belongs to a later block waits; a call is at its end when its
arguments are whole, and at the latest with the message. What the model thought has no signature: the
gateway gives none away, and takes thoughts back without.
Source: platform.claude.com/docs/en/build-with-claude/streaming.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from openclaw_gateway.doors.anthropic.errors import error_object
from openclaw_gateway.doors.openai.chunks import separated
from openclaw_gateway.doors.openai.response_object import mark_of
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import RunResult, Usage

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_STOP = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}
# (the type of a delta, its field) by the type of the block.
_DELTAS = {
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
}
_CALLER = {"type": "direct"}
# What a message of theirs always has.
_NOT_COUNTED = {
    "cache_creation": None,
    "inference_geo": None,
    "output_tokens_details": None,
    "server_tool_use": None,
    "service_tier": "standard",
}
_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines
_ARGUMENTS = msgspec.json.Decoder(dict[str, Any])

Json = dict[str, Any]
_SHORT = 1_024


class _OpenBlock:
    """`said` is what waits of its text, and all that there is of a call's arguments. `before` is how a
    delta's frame begins."""

    __slots__ = ("_looked_at", "_size", "before", "index", "said", "start")

    def __init__(self, index: int, start: Json) -> None:
        self.index = index
        self.start = start
        self.said: list[str] = []
        self._size = self._looked_at = 0
        delta, field = _DELTAS[start["type"]]
        self.before = (
            f'event: content_block_delta\ndata: {{"type":"content_block_delta","index":{index},'
            f'"delta":{{"type":"{delta}","{field}":'
        ).encode()

    def add(self, pieces: Sequence[str]) -> None:
        self.said += pieces
        self._size += sum(map(len, pieces))

    def is_whole(self) -> bool:
        """Whether nothing can follow, as something else has begun. Long arguments that were not at their end
        are looked at again when there is twice as much of them, so that all looks together are linear."""
        if self.start["type"] != "tool_use":
            return True
        if self._looked_at > _SHORT and self._size < 2 * self._looked_at:
            return False
        self._looked_at = self._size
        return _object("".join(self.said)) is not None


class MessageVoice:
    """One answer. `thinks_aloud`: with what the model thought."""

    def __init__(self, run_id: str, model: str, request_id: str, *, thinks_aloud: bool = False) -> None:
        self._id = f"msg_{mark_of(run_id)}"
        self._model = model
        self._request_id = request_id
        self._thinks_aloud = thinks_aloud
        self._blocks: list[_OpenBlock] = []
        self._calls: dict[int, _OpenBlock] = {}
        # The block that is being told; those behind it wait.
        self._live = 0
        self._frames: list[bytes] = []
        self.refused: ErrorInfo | None = None

    def head(self) -> bytes:
        message = self._message((), None, Usage())
        return _frame("message_start", {"message": message})

    def deltas(self, events: Sequence[Event]) -> bytes:
        for event in events:
            match event:
                case TextDelta():
                    self._more(
                        self._last("text", {"text": "", "citations": None}), event.pieces or (event.text,)
                    )
                case ReasoningDelta():
                    if self._thinks_aloud:
                        block = self._last("thinking", {"thinking": "", "signature": ""})
                        self._more(block, (event.text,))
                case ToolCallStarted():
                    start = {"id": event.id, "name": event.name, "input": {}, "caller": _CALLER}
                    self._calls[event.index] = self._begin("tool_use", start)
                case ToolCallArguments():
                    self._more(self._calls[event.index], (event.text,))
                case _:
                    pass
        return self._taken()

    def end(self, result: RunResult) -> bytes:
        if not self._blocks:
            self._begin("text", {"text": "", "citations": None})
        while self._live < len(self._blocks):
            self._close()
        delta = {"stop_reason": _reason(result), "stop_sequence": None}
        self._frames.append(_frame("message_delta", {"delta": delta, "usage": usage_of(result.usage)}))
        return self._taken() + _STOP

    def failure(self, error: ErrorInfo) -> bytes:
        return b"event: error\ndata: %b\n\n" % separated(error_object(error, self._request_id))

    def whole(self, result: RunResult) -> bytes:
        content: list[Json] = []
        if result.reasoning and self._thinks_aloud:
            content.append({"type": "thinking", "thinking": result.reasoning, "signature": ""})
        if result.text or not result.tool_calls:
            content.append({"type": "text", "text": result.text, "citations": None})
        for call in result.tool_calls:
            said = {"id": call.id, "name": call.name, "input": _input(call.arguments), "caller": _CALLER}
            content.append({"type": "tool_use", **said})
        return _encode(self._message(content, _reason(result), result.usage))

    def refusal(self, error: ErrorInfo) -> bytes:
        self.refused = error
        return error_object(error, self._request_id)

    def _message(self, content: Sequence[Json], reason: str | None, usage: Usage) -> Json:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": content,
            "stop_reason": reason,
            "stop_sequence": None,
            "stop_details": None,
            "container": None,
            "usage": usage_of(usage),
        }

    def _last(self, kind: str, start: Json) -> _OpenBlock:
        """The newest block if it is of this kind, else a new one."""
        if self._blocks and self._blocks[-1].start["type"] == kind:
            return self._blocks[-1]
        return self._begin(kind, start)

    def _begin(self, kind: str, start: Json) -> _OpenBlock:
        block = _OpenBlock(len(self._blocks), {"type": kind, **start})
        self._blocks.append(block)
        if block.index == 0:
            self._open(block)
        while self._live < block.index and self._blocks[self._live].is_whole():
            self._close()
        return block

    def _more(self, block: _OpenBlock, pieces: Sequence[str]) -> None:
        is_live = block.index == self._live
        if is_live:
            self._tell(block, pieces)
        if not is_live or block.start["type"] == "tool_use":
            block.add(pieces)

    def _open(self, block: _OpenBlock) -> None:
        start = {"index": block.index, "content_block": block.start}
        self._frames.append(_frame("content_block_start", start))
        if block.said:
            self._tell(block, ("".join(block.said),))

    def _tell(self, block: _OpenBlock, pieces: Sequence[str]) -> None:
        # No JSON text has a line end in it.
        for said in separated(_encode_lines(pieces)).split(b"\n")[:-1]:
            self._frames += (block.before, said, b"}}\n\n")

    def _close(self) -> None:
        """The live block has been told; the one behind it, if there is one, is next."""
        self._frames.append(_frame("content_block_stop", {"index": self._live}))
        self._live += 1
        if self._live < len(self._blocks):
            self._open(self._blocks[self._live])

    def _taken(self) -> bytes:
        frames, self._frames = self._frames, []
        return b"".join(frames)


def usage_of(usage: Usage) -> Json:
    return {
        # There, what the cache has to do with is not counted among the others.
        "input_tokens": max(0, usage.prompt_tokens - usage.cached_tokens - usage.cache_write_tokens),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        **_NOT_COUNTED,
    }


def _reason(result: RunResult) -> str:
    return _REASONS[result.finish_reason or "stop"]


def _input(arguments: str) -> Json:
    """As an object. Broken arguments are told as they are, as a stream has them: with none at all a tool
    would do something that nobody asked for. (The key is the one that this API's own pages use.)"""
    if not arguments.strip():
        return {}
    read = _object(arguments)
    return {"INVALID_JSON": arguments} if read is None else read


def _object(arguments: str) -> Json | None:
    """The arguments of a call; None while they are no JSON object."""
    try:
        return _ARGUMENTS.decode(arguments)
    except (msgspec.MsgspecError, RecursionError, UnicodeEncodeError):
        return None


def _frame(kind: str, fields: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), separated(_encode({"type": kind, **fields})))

"""`functions` and `function_call`, OpenAI's older words for tools: taken as tools, answered in their form.

Pure. One call at a time is all that this form can say.
Source: platform.openai.com/docs/api-reference/chat/create (deprecated fields).
"""

import re
from collections.abc import Iterable

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.doors.openai.chunks import ChatVoice, separated
from openclaw_gateway.doors.openai.tools import take_tools
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.events import Event, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import ClientTools, RunResult

_encode = msgspec.json.Encoder().encode
_RAW = msgspec.json.Decoder(Raw)
# A function is a tool without its type, and a named one a choice without it.
_TODAY = {"functions": "tools", "function_call": "tool_choice"}
_NAMES = frozenset(_TODAY)
_BEFORE = {today: name for name, today in _TODAY.items()}
_WORD = re.compile(rf"\b(?:{'|'.join(_BEFORE)})\b")


class _Arguments(Struct, frozen=True):
    arguments: str


class _Call(_Arguments, frozen=True, kw_only=True):
    name: str


def take_functions(body: Body) -> ClientTools | None:
    """None when the request does not use these words. Raises InvalidRequest naming the field."""
    if not body.has_any(_NAMES):
        return None
    if body.has("tools") or body.has("tool_choice"):
        raise InvalidRequest(
            "`functions` and `function_call` are older words for `tools` and `tool_choice`: send the ones or "
            "the others.",
            param="functions",
        )
    taken = {_TODAY[name]: raw for name in _TODAY if (raw := body.take(name, _RAW)) is not None}
    try:
        tools = take_tools(Body(taken))
    except InvalidRequest as error:
        param = None if error.param is None else _renamed(error.param)
        raise InvalidRequest(_renamed(error.message), code=error.code, param=param) from None
    return replace(tools, parallel=False) if tools.tools else tools


def _renamed(text: str) -> str:
    return _WORD.sub(lambda found: _BEFORE[found[0]], text)


class FunctionVoice(ChatVoice):
    """A call of a function as `function_call`: the first one, where there are several."""

    def deltas(self, events: Iterable[Event]) -> bytes:
        frames: list[bytes] = []
        for event in events:
            match event:
                case ToolCallStarted(index=0):
                    frames.append(self._called(_Call(name=event.name, arguments="")))
                case ToolCallArguments(index=0):
                    frames.append(self._called(_Arguments(event.text)))
                case ToolCallStarted() | ToolCallArguments():
                    pass
                case _:
                    frames.append(super().deltas((event,)))
        return b"".join(frames)

    def reason(self, result: RunResult) -> str:
        return "function_call" if result.tool_calls else super().reason(result)

    def whole(self, result: RunResult) -> bytes:
        return with_function_call(super().whole(result))

    def _called(self, call: Struct) -> bytes:
        return self.chunk(b'"function_call":' + separated(_encode(call)))


def with_function_call(answer: bytes) -> bytes:
    """A whole chat completion, in this form."""
    completion = msgspec.json.decode(answer)
    for choice in completion["choices"]:
        calls = choice["message"].pop("tool_calls", None)
        if calls:
            choice["message"]["function_call"] = calls[0]["function"]
            choice["finish_reason"] = "function_call"
    return _encode(completion)

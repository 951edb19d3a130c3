"""Tools for a model that cannot call any: what of them can be had through a JSON schema.

Pure. A call the client insists on (`required`, or a named tool) is asked for as an answer in that
schema, and the JSON that comes back is told as the call it is. With "auto" such a model is offered
nothing, because it would call a tool for every "hello". Earlier calls and results become text.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.calls import Calls, OpenCall
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.wire.events import Event, Sealed, TextDelta
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import FinishReason, NamedTool, ToolSpec

_encode = msgspec.json.Encoder().encode


def ignores_tools(request: ModelRequest) -> bool:
    """Whether the request offers tools that the model will not be told of."""
    return bool(request.tools) and request.tool_choice != "none" and not _insisted(request)


def without_tools(request: ModelRequest) -> ModelRequest:
    """The same request in words such a model can be told."""
    wanted = _insisted(request)
    sampling, system = request.sampling, request.system
    if wanted:
        form = {"type": "json_schema", "json_schema": {"name": "call", "schema": _schema(wanted)}}
        sampling = msgspec.structs.replace(sampling, response_format=Raw(_encode(form)))
        system = "\n\n".join(filter(None, (system, _explained(wanted))))
    messages = [_plain(message) for message in request.messages]
    return ModelRequest(system, messages, sampling)


def wrapper(request: ModelRequest) -> Callable[[Parser], Parser] | None:
    """What turns the JSON of the answer into the call; None when there is none to expect."""
    wanted = _insisted(request)
    if not wanted:
        return None
    only = wanted[0].name if len(wanted) == 1 else None
    return lambda parser: CallFromText(parser, only)


class CallFromText:
    """A parser around another: its text is the arguments of `only`, or `{"name": …, "arguments": …}`."""

    def __init__(self, inner: Parser, only: str | None) -> None:
        self._inner = inner
        self._only = only
        self._calls = Calls()
        self._call: OpenCall | None = None
        self._text: list[str] = []
        self.done = False
        self.understood = False
        self.failure: ProviderError | None = None

    @property
    def in_lines(self) -> bool:
        return self._inner.in_lines

    @property
    def finished(self) -> bool:
        return self._inner.finished

    @property
    def finish_reason(self) -> FinishReason:
        inner = self._inner.finish_reason
        return "tool_calls" if inner == "stop" and self._calls else inner

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        return self._calls.complete() if self.finish_reason == "tool_calls" else ()

    @property
    def cut_calls(self) -> tuple[ToolCall, ...]:
        return self._inner.cut_calls

    @property
    def unknown_word(self) -> str | None:
        return self._inner.unknown_word

    def offer(self, tools: Sequence[ToolSpec]) -> None:
        self._inner.offer(tools)

    def verdict(self, *, spoke: bool, may_be_silent: bool) -> ProviderError | None:
        return self._inner.verdict(spoke=spoke, may_be_silent=may_be_silent)

    def feed(self, payloads: list[bytes]) -> list[Event]:
        return self._told(self._inner.feed(payloads))

    def whole(self, body: bytes) -> list[Event]:
        return self._told(self._inner.whole(body))

    def ending(self) -> list[Event]:
        events: list[Event] = []
        if self._only is None:
            self._read(events)
        self._calls.end(events)
        return events + self._inner.ending()

    def _told(self, said: list[Event]) -> list[Event]:
        self.done, self.failure = self._inner.done, self._inner.failure
        self.understood = self._inner.understood
        events: list[Event] = []
        for event in said:
            if isinstance(event, Sealed):
                # Of text that is none any more.
                continue
            if not isinstance(event, TextDelta):
                events.append(event)
            elif self._only is None:
                self._text.append(event.text)
            else:
                if self._call is None:
                    self._call = self._calls.begin("", self._only, events)
                for piece in event.pieces or (event.text,):
                    self._calls.argue(self._call, piece, events)
        return events

    def _read(self, events: list[Event]) -> None:
        text = "".join(self._text)
        try:
            read = msgspec.json.decode(text)
            name, arguments = read["name"], read["arguments"]
        except (msgspec.DecodeError, RecursionError, TypeError, KeyError):
            # Cut off by the token limit, or a server that ignores schemas: it is an answer, not a call.
            events.append(TextDelta(text))
            return
        call = self._calls.begin("", str(name), events)
        self._calls.argue(call, _encode(arguments).decode(), events)


def _insisted(request: ModelRequest) -> tuple[ToolSpec, ...]:
    """The tools one of which must be called."""
    choice = request.tool_choice
    if isinstance(choice, NamedTool):
        return tuple(spec for spec in request.tools if spec.name == choice.name)
    return request.tools if choice == "required" else ()


def _schema(wanted: tuple[ToolSpec, ...]) -> Any:
    if len(wanted) == 1:
        return wanted[0].parameters
    return {
        "anyOf": [
            {
                "type": "object",
                "properties": {"name": {"const": spec.name}, "arguments": spec.parameters},
                "required": ["name", "arguments"],
                "additionalProperties": False,
            }
            for spec in wanted
        ]
    }


def _explained(wanted: tuple[ToolSpec, ...]) -> str:
    lines = [f"- {spec.name}: {spec.description}".rstrip(": ") for spec in wanted]
    return "\n".join(["Answer only with the JSON of a call of this function:", *lines])


def _plain(message: Message) -> Message:
    match message:
        case AssistantMessage() if message.tool_calls:
            calls = [f"I call {call.name} with {call.arguments}" for call in message.tool_calls]
            return assistant("\n".join(filter(None, (message.content, *calls))))
        case ToolMessage():
            return UserMessage(f"Result of {message.name or message.tool_call_id}:\n{message.content}")
        case _:
            return message

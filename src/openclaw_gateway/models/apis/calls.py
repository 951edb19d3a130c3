"""Collects the tool calls of one answer while they stream, in whatever pieces a provider sends them.

Pure, shared by the dialects. Rules: a call is announced (ToolCallStarted) when its name is complete, so
not before something else of it or of its successor has come; its arguments pass through as they were
cut; ids are the provider's unless it gives none or the same one twice.
"""

import secrets
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw, UnsetType

from openclaw_gateway.models.apis.tool_names import as_offered
from openclaw_gateway.wire.events import Event, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import ToolSpec

_encode = msgspec.json.Encoder().encode


def as_text(arguments: Any) -> str:
    """A call's arguments as JSON text, which is what most send; some send the value itself."""
    if arguments is None or isinstance(arguments, str):
        return arguments or ""
    return _encode(arguments).decode()


def as_object(arguments: str) -> dict[str, Any]:
    """A call's arguments for vendors who want them as an object, whatever a model has written."""
    try:
        read = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        read = None
    # (Half a character cannot be sent to anybody.)
    return read if isinstance(read, dict) else {"arguments": arguments.encode("utf-8", "replace").decode()}


class OpenCall:
    """One call under way."""

    __slots__ = ("arguments", "id", "index", "name", "payload", "started")

    def __init__(self, index: int, call_id: str, name: str) -> None:
        self.index = index
        self.id = call_id
        self.name = name
        self.arguments: list[str] = []
        self.started = False
        self.payload: Raw | UnsetType = UNSET


class Calls:
    """Events go to the list that is passed in, in order. `offered` are the tools a model may mean."""

    def __init__(self) -> None:
        self.offered: Sequence[ToolSpec] = ()
        self._calls: list[OpenCall] = []
        self._taken: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._calls)

    def begin(self, call_id: str, name: str, events: list[Event]) -> OpenCall:
        """The next call. The name of the one before it is complete; its arguments need not be."""
        if self._calls:
            self._start(self._calls[-1], events)
        call = OpenCall(len(self._calls), "", name)
        self.name_it(call, call_id)
        self._calls.append(call)
        return call

    def name_it(self, call: OpenCall, call_id: str) -> None:
        """Give the call its id, before it is announced; one that is missing or taken is replaced."""
        if not call_id or call_id in self._taken:
            call_id = f"call_{secrets.token_hex(12)}"
        self._taken.discard(call.id)
        self._taken.add(call_id)
        call.id = call_id

    def argue(self, call: OpenCall, text: str, events: list[Event]) -> None:
        """The next fragment of its arguments."""
        if text:
            self._start(call, events)
            call.arguments.append(text)
            events.append(ToolCallArguments(call.index, text))

    def end(self, events: list[Event]) -> None:
        """The answer has ended, and with it every call."""
        for call in self._calls:
            self._start(call, events)
            if not "".join(call.arguments).strip():
                # A tool without parameters is called with no arguments at all by some; JSON wants an object.
                call.arguments = ["{}"]
                events.append(ToolCallArguments(call.index, "{}"))

    def complete(self) -> tuple[ToolCall, ...]:
        """All calls, once the answer has ended."""
        return tuple(
            ToolCall(call.id, call.name, "".join(call.arguments), call.payload) for call in self._calls
        )

    def _start(self, call: OpenCall, events: list[Event]) -> None:
        if not call.started:
            call.started = True
            call.name = as_offered(call.name, self.offered)
            events.append(ToolCallStarted(call.index, call.id, call.name))

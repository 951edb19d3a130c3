"""Which call a `tool_calls` delta of an OpenAI-compatible stream belongs to.

Pure. OpenAI numbers its calls; others send no index, or 0 for all, or whole calls at once, or a name in
two halves, or repeat id and name in every delta. The rule: the same index without a name goes on, whatever
its id; another id with a name is another call; without an id it is the call of that index, unless another
name comes after arguments; without either it is the last one, unless any name does.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.models.apis.calls import Calls, OpenCall, as_text
from openclaw_gateway.wire.events import Event

_MAX_NAME = 256
_encode = msgspec.json.Encoder().encode


class FunctionDelta(Struct):
    """`arguments` is JSON text, but some servers send the object itself."""

    name: str | None = None
    arguments: Any = None


class CallDelta(Struct):
    index: int | None = None
    id: str | None = None
    function: FunctionDelta | None = None
    extra_content: dict[str, Any] | None = None


class CallDeltas:
    """Feeds `calls` from deltas."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._by_index: dict[int, OpenCall] = {}
        # By a call's own index, the id and the name as the provider wrote them.
        self._given: dict[int, str] = {}
        self._named: dict[int, str] = {}
        self._last: OpenCall | None = None

    def take(self, delta: CallDelta, events: list[Event]) -> None:
        function = delta.function or FunctionDelta()
        name = function.name or ""
        call = self._which(delta, name)
        if call is None:
            call = self._calls.begin(delta.id or "", name, events)
            self._given[call.index] = delta.id or ""
            self._last = call
            if delta.index is not None:
                self._by_index[delta.index] = call
        elif not call.started:
            if name and name != call.name:
                # (A longer one is no tool's, and each piece would copy all before it.)
                call.name = (call.name + name)[:_MAX_NAME]
            if delta.id and not self._given[call.index]:
                self._given[call.index] = delta.id
                self._calls.name_it(call, delta.id)
        if not call.started:
            self._named[call.index] = call.name
        if delta.extra_content:
            # Gemini's seal of the call, which it wants back.
            call.payload = Raw(_encode(delta.extra_content))
        self._calls.argue(call, as_text(function.arguments), events)

    def _which(self, delta: CallDelta, name: str) -> OpenCall | None:
        call = self._last if delta.index is None else self._by_index.get(delta.index)
        if call is None:
            return None
        if delta.index is not None and call.started and not name:
            # The next piece, whatever its id says: some make up another one for each.
            return call
        if delta.id:
            given = self._given[call.index]
            if given == delta.id:
                # The same id and a name again, with arguments on either side: whole calls that share an id.
                whole = delta.index is None and bool(name) and call.started
                return None if whole else call
            return None if given or call.started else call
        another = call.started and (bool(name) if delta.index is None else name != self._named[call.index])
        return None if another else call

"""The voice of the Responses API: a run's events as its typed events.

Pure, and hot: what is the same in each delta of an item is encoded once. Every event has a
`sequence_number`. What was thought is an item that closes when something is said; all that was said is one
message, which closes before the calls, and these close at the end (their arguments may come in turns). So a
message has the same id and text whether it was streamed or not. The last event holds the whole response, and
`[DONE]` follows it.
Source: platform.openai.com/docs/api-reference/responses-streaming.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.doors.openai.chunks import DONE, error_object, separated
from openclaw_gateway.doors.openai.response_object import Json, ResponseObject, closed, part_of, status_of
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import RunResult

_encode = msgspec.json.Encoder().encode
_encode_lines = msgspec.json.Encoder().encode_lines


class _Open:
    """An item that is being said: its place, its pieces, and the event of a piece, without its number and
    its text."""

    __slots__ = ("at", "event", "pieces")

    def __init__(self, at: int, event: bytes) -> None:
        self.at = at
        self.event = event
        self.pieces: list[str] = []


class ResponseVoice:
    """One answer."""

    def __init__(self, response: ResponseObject) -> None:
        self._response = response
        self._number = 0
        self._frames: list[bytes] = []
        self._items: list[Json] = []
        self._open: dict[str, _Open] = {}
        self._calls: dict[int, tuple[int, Json, list[str]]] = {}

    def head(self) -> bytes:
        response = Raw(_encode(self._response.at("in_progress", ())))
        for kind in ("created", "in_progress"):
            self._say(f"response.{kind}", response=response)
        return self._taken()

    def deltas(self, events: Iterable[Event]) -> bytes:
        for event in events:
            if isinstance(event, TextDelta):
                self._say_pieces("message", event.pieces or (event.text,))
            elif isinstance(event, ReasoningDelta):
                self._say_pieces("reasoning", (event.text,))
            elif isinstance(event, ToolCallStarted):
                self._begin_call(event)
            elif isinstance(event, ToolCallArguments):
                at, item, written = self._calls[event.index]
                written.append(event.text)
                self._say(
                    "response.function_call_arguments.delta",
                    item_id=item["id"],
                    output_index=at,
                    delta=event.text,
                )
        return self._taken()

    def end(self, result: RunResult) -> bytes:
        self._close("reasoning")
        self._close("message")
        for at, item, written in self._calls.values():
            item |= {"status": "completed", "arguments": "".join(written)}
            self._say(
                "response.function_call_arguments.done",
                item_id=item["id"],
                output_index=at,
                name=item["name"],
                arguments=item["arguments"],
            )
            self._say("response.output_item.done", output_index=at, item=item)
        whole = self._response.whole(result, self._items)
        self._say(f"response.{status_of(result)}", response=whole)
        return self._taken() + DONE

    def failure(self, error: ErrorInfo) -> bytes:
        for kind, said in self._open.items():
            item = closed(self._items[said.at], "".join(said.pieces))
            if kind == "message":
                item["status"] = "incomplete"
        for _, item, written in self._calls.values():
            item |= {"status": "incomplete", "arguments": "".join(written)}
        self._say("response.failed", response=self._response.failed(error, self._items))
        return self._taken() + DONE

    def whole(self, result: RunResult) -> bytes:
        return separated(_encode(self._response.resource(result)))

    def refusal(self, error: ErrorInfo) -> bytes:
        return error_object(error)

    def _say_pieces(self, kind: str, pieces: tuple[str, ...]) -> None:
        if kind == "message":
            self._close("reasoning")
        said = self._open.get(kind) or self._begin(kind)
        said.pieces += pieces
        # No JSON text has a line end in it.
        texts = separated(_encode_lines(pieces)).split(b"\n")[:-1]
        self._frames += [said.event % numbered for numbered in enumerate(texts, self._number)]
        self._number += len(texts)

    def _begin(self, kind: str) -> _Open:
        item, at = self._response.begun(kind), len(self._items)
        self._items.append(item)
        self._say("response.output_item.added", output_index=at, item=item)
        self._say_part(kind, at, "part.added", part=part_of(kind, ""))
        said = self._open[kind] = _Open(at, self._piece_event(kind, at))
        return said

    def _piece_event(self, kind: str, at: int) -> bytes:
        """With a place for its number and one for its text."""
        name, where, after = self._named(kind, at, "text.delta")
        ending = b"," + _encode(after)[1:-1] if after else b""
        head = f'event: {name}\ndata: {{"type":"{name}","sequence_number":%d,'.encode()
        return head + _encode(where)[1:-1] + b',"delta":%b' + ending + b"}\n\n"

    def _close(self, kind: str) -> None:
        if kind not in self._open:
            return
        said = self._open.pop(kind)
        text = "".join(said.pieces)
        item = closed(self._items[said.at], text)
        self._say_part(kind, said.at, "text.done", text=text)
        self._say_part(kind, said.at, "part.done", part=part_of(kind, text))
        self._say("response.output_item.done", output_index=said.at, item=item)

    def _say_part(self, kind: str, at: int, what: str, **fields: Any) -> None:
        """An event of the one part that a message, or a thought, has."""
        name, where, after = self._named(kind, at, what)
        self._say(name, **where, **fields, **after)

    def _named(self, kind: str, at: int, what: str) -> tuple[str, Json, Json]:
        """(the event's name, what it says of the part's place, what it ends with)."""
        where = {"item_id": self._items[at]["id"], "output_index": at}
        if kind == "reasoning":
            return f"response.reasoning_summary_{what}", where | {"summary_index": 0}, {}
        if what.startswith("part."):
            return f"response.content_{what}", where | {"content_index": 0}, {}
        return f"response.output_{what}", where | {"content_index": 0}, {"logprobs": ()}

    def _begin_call(self, event: ToolCallStarted) -> None:
        self._close("reasoning")
        self._close("message")
        item = self._response.call(event.id, event.name)
        self._calls[event.index] = (len(self._items), item, [])
        self._say("response.output_item.added", output_index=len(self._items), item=item)
        self._items.append(item)

    def _say(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._frames.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), separated(_encode(event))))

    def _taken(self) -> bytes:
        frames, self._frames = self._frames, []
        return b"".join(frames)

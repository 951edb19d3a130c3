"""The voice of the Responses API: a run's events as its typed events, and its result as one response.

Pure. Every event has a `sequence_number`; items open and close in order, a message or reasoning before
the next item begins, calls when the answer ends (their arguments may come in turns). The last event holds the
whole response, and `[DONE]` follows it.
Source: platform.openai.com/docs/api-reference/responses-streaming.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.doors.openai.chunks import DONE, error_object, separated
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import RunResult, Usage

_encode = msgspec.json.Encoder().encode
_NULL, _LIST, _OBJECT = Raw(b"null"), Raw(b"[]"), Raw(b"{}")
# What a response says where the request said nothing.
_DEFAULTS = {
    "instructions": _NULL,
    "max_output_tokens": _NULL,
    "metadata": _OBJECT,
    "reasoning": Raw(b'{"effort":null,"summary":null}'),
    "temperature": _NULL,
    "text": Raw(b'{"format":{"type":"text"}}'),
    "tool_choice": Raw(b'"auto"'),
    "tools": _LIST,
    "top_p": _NULL,
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

Json = dict[str, Any]


class ResponseVoice:
    """One answer. `run_id` gives the response and its items their ids; `echo` is what of the request it
    repeats."""

    def __init__(
        self, run_id: str, created: int, model: str, echo: Mapping[str, Raw], *, parallel: bool = True
    ) -> None:
        self._mark = run_id.partition("_")[2].replace("-", "") or run_id
        self.id = f"resp_{self._mark}"
        self._created = created
        self._model = model
        self._echo = {**_DEFAULTS, **echo}
        self._parallel = parallel
        self._number = 0
        self._frames: list[bytes] = []
        self._items: list[Json] = []
        self._text: list[str] = []
        # The item that is being said; calls stay open to the end, by their index in the answer.
        self._open: Json | None = None
        self._calls: dict[int, tuple[int, Json, list[str]]] = {}

    def head(self) -> bytes:
        for kind in ("created", "in_progress"):
            self._say(f"response.{kind}", response=self._response("in_progress", ()))
        return self._taken()

    def deltas(self, events: Iterable[Event]) -> bytes:
        for event in events:
            if isinstance(event, TextDelta):
                for piece in event.pieces or (event.text,):
                    self._delta("message", piece)
            elif isinstance(event, ReasoningDelta):
                self._delta("reasoning", event.text)
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
        self._close()
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
        reason = _INCOMPLETE.get(result.finish_reason or "")
        kind = "incomplete" if reason else "completed"
        self._say(f"response.{kind}", response=self._whole(result, self._items))
        return self._taken() + DONE

    def failure(self, error: ErrorInfo) -> bytes:
        response = self._response("failed", self._items) | {
            "error": {"code": error.code, "message": error.message}
        }
        self._say("response.failed", response=response)
        return self._taken() + DONE

    def whole(self, result: RunResult) -> bytes:
        for kind, text in (("reasoning", result.reasoning), ("message", result.text)):
            if text or (kind == "message" and not result.tool_calls):
                self._items.append(_closed(self._begun(kind), text))
        for call in result.tool_calls:
            item = self._call(call.id, call.name)
            self._items.append(item | {"status": "completed", "arguments": call.arguments})
        return separated(_encode(self._whole(result, self._items)))

    def refusal(self, error: ErrorInfo) -> bytes:
        return error_object(error)

    def _delta(self, kind: str, text: str) -> None:
        if self._open is None or self._open["type"] != kind:
            self._close()
            # Rounds are kept apart by a blank line; a new item is apart already.
            text = text.lstrip("\n") if self._items else text
            if not text:
                return
            self._begin(kind)
        self._text.append(text)
        item, at = self._open, len(self._items) - 1
        assert item is not None  # noqa: S101  begun above
        if kind == "message":
            where = {"item_id": item["id"], "output_index": at, "content_index": 0}
            self._say("response.output_text.delta", **where, delta=text, logprobs=())
        else:
            where = {"item_id": item["id"], "output_index": at, "summary_index": 0}
            self._say("response.reasoning_summary_text.delta", **where, delta=text)

    def _begin(self, kind: str) -> None:
        item = self._open = self._begun(kind)
        self._text = []
        at = len(self._items)
        self._items.append(item)
        self._say("response.output_item.added", output_index=at, item=item)
        if kind == "message":
            where = {"item_id": item["id"], "output_index": at, "content_index": 0}
            self._say("response.content_part.added", **where, part=_said(""))
        else:
            where = {"item_id": item["id"], "output_index": at, "summary_index": 0}
            self._say("response.reasoning_summary_part.added", **where, part=_thought(""))

    def _close(self) -> None:
        item, self._open = self._open, None
        if item is None:
            return
        text, at = "".join(self._text), next(i for i, one in enumerate(self._items) if one is item)
        _closed(item, text)
        if item["type"] == "message":
            where = {"item_id": item["id"], "output_index": at, "content_index": 0}
            self._say("response.output_text.done", **where, text=text, logprobs=())
            self._say("response.content_part.done", **where, part=_said(text))
        else:
            where = {"item_id": item["id"], "output_index": at, "summary_index": 0}
            self._say("response.reasoning_summary_text.done", **where, text=text)
            self._say("response.reasoning_summary_part.done", **where, part=_thought(text))
        self._say("response.output_item.done", output_index=at, item=item)

    def _begin_call(self, event: ToolCallStarted) -> None:
        self._close()
        item = self._call(event.id, event.name)
        self._calls[event.index] = (len(self._items), item, [])
        self._say("response.output_item.added", output_index=len(self._items), item=item)
        self._items.append(item)

    def _begun(self, kind: str) -> Json:
        if kind == "reasoning":
            return {"id": self._item_id("rs"), "type": "reasoning", "summary": []}
        return {
            "id": self._item_id("msg"),
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }

    def _call(self, call_id: str, name: str) -> Json:
        return {
            "id": self._item_id("fc"),
            "type": "function_call",
            "status": "in_progress",
            "call_id": call_id,
            "name": name,
            "arguments": "",
        }

    def _item_id(self, kind: str) -> str:
        return f"{kind}_{self._mark}{len(self._items):02d}"

    def _say(self, kind: str, **fields: Any) -> None:
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        self._frames.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), separated(_encode(event))))

    def _taken(self) -> bytes:
        frames, self._frames = self._frames, []
        return b"".join(frames)

    def _whole(self, result: RunResult, items: list[Json]) -> Json:
        reason = _INCOMPLETE.get(result.finish_reason or "")
        response = self._response("incomplete" if reason else "completed", items)
        return response | {
            "incomplete_details": {"reason": reason} if reason else None,
            "usage": usage_of(result.usage),
        }

    def _response(self, status: str, items: Iterable[Json]) -> Json:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self._created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": tuple(items),
            "parallel_tool_calls": self._parallel,
            "previous_response_id": None,
            "store": False,
            "truncation": "disabled",
            "usage": None,
            **self._echo,
        }


def usage_of(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _closed(item: Json, text: str) -> Json:
    """The item, complete."""
    if item["type"] == "message":
        item |= {"status": "completed", "content": [_said(text)]}
    else:
        item["summary"] = [_thought(text)]
    return item


def _said(text: str) -> Json:
    return {"type": "output_text", "annotations": (), "logprobs": (), "text": text}


def _thought(text: str) -> Json:
    return {"type": "summary_text", "text": text}

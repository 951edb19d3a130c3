"""The voice of the Responses API: a run's events as its typed events, and its result as one response.

Pure. Every event has a `sequence_number`. What was thought is an item that closes when something is said;
all that was said is one message, which closes before the calls, and these close at the end (their arguments
may come in turns). So a message has the same id and text whether it was streamed or not. The last event holds
the whole response, and `[DONE]` follows it.
Source: platform.openai.com/docs/api-reference/responses-streaming.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.doors.openai.chunks import DONE, error_object, separated
from openclaw_gateway.errors import RunAborted
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, TextDelta, ToolCallArguments, ToolCallStarted
from openclaw_gateway.wire.run import RunResult, RunStatus, Usage

_encode = msgspec.json.Encoder().encode
_NULL, _LIST, _OBJECT = Raw(b"null"), Raw(b"[]"), Raw(b"{}")
# What a response says where the request said nothing.
_DEFAULTS = {
    "instructions": _NULL,
    "max_output_tokens": _NULL,
    "metadata": _OBJECT,
    "reasoning": Raw(b'{"effort":null,"summary":null}'),
    "temperature": Raw(b"1.0"),
    "text": Raw(b'{"format":{"type":"text"}}'),
    "tool_choice": Raw(b'"auto"'),
    "tools": _LIST,
    "top_p": Raw(b"1.0"),
}
# What a response always has, and what no answer of an agent depends on.
_NEVER = {
    "frequency_penalty": 0.0,
    "max_tool_calls": None,
    "presence_penalty": 0.0,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "top_logprobs": 0,
}
_ID = re.compile(
    r"(?:resp|msg|rs|fc)_([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})(?:_\d+)?"
)
# Codex reads the first, which the published list lacks.
_SAME_CODES = frozenset({"context_length_exceeded", "server_error", "rate_limit_exceeded", "invalid_prompt"})
_CODES = {
    400: "invalid_prompt",
    402: "insufficient_quota",
    413: "invalid_prompt",
    422: "invalid_prompt",
    429: "rate_limit_exceeded",
}
_INCOMPLETE = {"length": "max_output_tokens", "content_filter": "content_filter"}

_UNFINISHED: dict[RunStatus, str] = {
    "queued": "queued",
    "running": "in_progress",
    "aborted": "cancelled",
    "failed": "failed",
    "interrupted": "failed",
    "completed": "failed",
}
_LOST = ErrorInfo(
    "The gateway stopped before this response was complete: ask again.", "api_error", "run_interrupted", 503
)

Json = dict[str, Any]


class ResponseVoice:
    """One answer. `run_id` gives the response and its items their ids; `echo` is what of the request it
    repeats. `kept`: it can be asked for again."""

    def __init__(
        self,
        run_id: str,
        created: int,
        model: str,
        echo: Mapping[str, Raw],
        *,
        parallel: bool = True,
        kept: bool = False,
    ) -> None:
        self._mark = mark_of(run_id)
        self.id = f"resp_{self._mark}"
        self._created = created
        self._model = model
        self._echo = {**_DEFAULTS, **echo}
        self._parallel = parallel
        self._kept = kept
        self._number = 0
        self._frames: list[bytes] = []
        self._items: list[Json] = []
        self._count: dict[str, int] = {}
        # What is being said, by the type of the item: its place and its pieces.
        self._open: dict[str, tuple[int, list[str]]] = {}
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
        reason = _INCOMPLETE.get(result.finish_reason or "")
        kind = "incomplete" if reason else "completed"
        self._say(f"response.{kind}", response=self._whole(result, self._items))
        return self._taken() + DONE

    def failure(self, error: ErrorInfo) -> bytes:
        for kind, (at, pieces) in self._open.items():
            item = _closed(self._items[at], "".join(pieces))
            if kind == "message":
                item["status"] = "incomplete"
        for _, item, written in self._calls.values():
            item |= {"status": "incomplete", "arguments": "".join(written)}
        response = self._response("failed", self._items) | {"error": _error_of(error)}
        self._say("response.failed", response=response)
        return self._taken() + DONE

    def whole(self, result: RunResult) -> bytes:
        return separated(_encode(self.resource(result)))

    def resource(self, result: RunResult) -> Json:
        """The whole response as Python values."""
        for kind, text in (("reasoning", result.reasoning), ("message", result.text)):
            if text or (kind == "message" and not result.tool_calls):
                self._items.append(_closed(self._begun(kind), text))
        for call in result.tool_calls:
            item = self._call(call.id, call.name)
            self._items.append(item | {"status": "completed", "arguments": call.arguments})
        return self._whole(result, self._items)

    def unfinished(self, status: RunStatus, error: ErrorInfo | None) -> Json:
        """The response of a run that has no answer yet, or will have none."""
        if status == "aborted" and error is not None and error.code != RunAborted.default_code:
            # Not by its client.
            status = "failed"
        response = self._response(_UNFINISHED[status], ())
        if response["status"] == "failed":
            response["error"] = _error_of(error or _LOST)
        return response

    def refusal(self, error: ErrorInfo) -> bytes:
        return error_object(error)

    def _delta(self, kind: str, text: str) -> None:
        if kind == "message":
            self._close("reasoning")
        if kind not in self._open:
            self._begin(kind)
        at, pieces = self._open[kind]
        pieces.append(text)
        self._say_part(kind, at, "text.delta", delta=text)

    def _begin(self, kind: str) -> None:
        item, at = self._begun(kind), len(self._items)
        self._open[kind] = (at, [])
        self._items.append(item)
        self._say("response.output_item.added", output_index=at, item=item)
        self._say_part(kind, at, "part.added", part=_part(kind, ""))

    def _close(self, kind: str) -> None:
        if kind not in self._open:
            return
        at, pieces = self._open.pop(kind)
        text = "".join(pieces)
        item = _closed(self._items[at], text)
        self._say_part(kind, at, "text.done", text=text)
        self._say_part(kind, at, "part.done", part=_part(kind, text))
        self._say("response.output_item.done", output_index=at, item=item)

    def _say_part(self, kind: str, at: int, what: str, **fields: Any) -> None:
        """An event of the one part that a message, or a thought, has."""
        where = {"item_id": self._items[at]["id"], "output_index": at}
        if kind == "reasoning":
            self._say(f"response.reasoning_summary_{what}", **where, summary_index=0, **fields)
        elif what.startswith("part."):
            self._say(f"response.content_{what}", **where, content_index=0, **fields)
        else:
            self._say(f"response.output_{what}", **where, content_index=0, **fields, logprobs=())

    def _begin_call(self, event: ToolCallStarted) -> None:
        self._close("reasoning")
        self._close("message")
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
        so_far = self._count.get(kind, 0)
        self._count[kind] = so_far + 1
        return f"{kind}_{self._mark}{f'_{so_far}' if so_far else ''}"

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
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": tuple(items),
            "parallel_tool_calls": self._parallel,
            "previous_response_id": None,
            "store": self._kept,
            "truncation": "disabled",
            **_NEVER,
            "usage": None,
            **self._echo,
        }


def _error_of(error: ErrorInfo) -> Json:
    """In OpenAI's words, which clients act on; what else there is to say is in the message."""
    code = error.code if error.code in _SAME_CODES else _CODES.get(error.status, "server_error")
    return {"code": code, "message": error.message}


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
        item |= {"status": "completed", "content": [_part("message", text)]}
    else:
        item["summary"] = [_part("reasoning", text)]
    return item


def _part(kind: str, text: str) -> Json:
    if kind == "reasoning":
        return {"type": "summary_text", "text": text}
    return {"type": "output_text", "annotations": (), "logprobs": (), "text": text}


def mark_of(run_id: str) -> str:
    """What the ids of a response and its items have in common."""
    return run_id.partition("_")[2].replace("-", "")


def run_of(id_: str) -> str | None:
    """The run that a response, or an item of one, is of; None for an id that is none of ours."""
    found = _ID.fullmatch(id_)
    return "chatcmpl_{}-{}-{}-{}-{}".format(*found.groups()) if found else None


def response_run(id_: str) -> str | None:
    """The run of a response; None for any other id."""
    return run_of(id_) if id_.startswith("resp_") and id_.count("_") == 1 else None

"""One response of the Responses API as an object: its ids, its items, what it repeats of its request.

Pure. What is streamed of it is `response_events`.
Source: platform.openai.com/docs/api-reference/responses/object.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Raw

from openclaw_gateway.errors import RunAborted
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunResult, RunStatus, Usage

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


class ResponseObject:
    """`run_id` gives the response and its items their ids; `echo` is what of the request it repeats. `kept`:
    it can be asked for again."""

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
        self._count: dict[str, int] = {}

    def begun(self, kind: str) -> Json:
        """An item of the model's words, or of its thoughts, that has no text yet."""
        if kind == "reasoning":
            return {"id": self._item_id("rs"), "type": "reasoning", "summary": []}
        return {
            "id": self._item_id("msg"),
            "type": "message",
            "role": "assistant",
            "status": "in_progress",
            "content": [],
        }

    def call(self, call_id: str, name: str) -> Json:
        """An item of a call that has no arguments yet."""
        return {
            "id": self._item_id("fc"),
            "type": "function_call",
            "status": "in_progress",
            "call_id": call_id,
            "name": name,
            "arguments": "",
        }

    def resource(self, result: RunResult) -> Json:
        """The whole response of a result that was not streamed."""
        items: list[Json] = []
        for kind, text in (("reasoning", result.reasoning), ("message", result.text)):
            if text or (kind == "message" and not result.tool_calls):
                items.append(closed(self.begun(kind), text))
        for call in result.tool_calls:
            item = self.call(call.id, call.name)
            items.append(item | {"status": "completed", "arguments": call.arguments})
        return self.whole(result, items)

    def whole(self, result: RunResult, items: list[Json]) -> Json:
        reason, ended_ms = incomplete_reason(result), result.completed_ms
        response = self.at(status_of(result), items)
        return response | {
            "completed_at": None if reason or ended_ms is None else ended_ms // 1000,
            "incomplete_details": {"reason": reason} if reason else None,
            "usage": usage_of(result.usage),
        }

    def failed(self, error: ErrorInfo, items: list[Json]) -> Json:
        return self.at("failed", items) | {"error": _error_of(error)}

    def unfinished(self, status: RunStatus, error: ErrorInfo | None) -> Json:
        """The response of a run that has no answer yet, or will have none."""
        if status == "aborted" and error is not None and error.code != RunAborted.default_code:
            # Not by its client.
            status = "failed"
        if _UNFINISHED[status] == "failed":
            return self.failed(error or _LOST, [])
        return self.at(_UNFINISHED[status], ())

    def at(self, status: str, items: Iterable[Json]) -> Json:
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

    def _item_id(self, kind: str) -> str:
        so_far = self._count.get(kind, 0)
        self._count[kind] = so_far + 1
        return f"{kind}_{self._mark}{f'_{so_far}' if so_far else ''}"


def incomplete_reason(result: RunResult) -> str | None:
    return _INCOMPLETE.get(result.finish_reason or "")


def status_of(result: RunResult) -> str:
    return "incomplete" if incomplete_reason(result) else "completed"


def _error_of(error: ErrorInfo) -> Json:
    """In OpenAI's words, which clients act on; what else there is to say is in the message."""
    code = error.code if error.code in _SAME_CODES else _CODES.get(error.status, "server_error")
    return {"code": code, "message": error.message}


def usage_of(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def closed(item: Json, text: str) -> Json:
    """The item, complete."""
    if item["type"] == "message":
        item |= {"status": "completed", "content": [part_of("message", text)]}
    else:
        item["summary"] = [part_of("reasoning", text)]
    return item


def part_of(kind: str, text: str) -> Json:
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

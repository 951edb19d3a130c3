"""A run, and a transcript, as the updates of a session that an editor shows. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from openclaw_gateway.client.steps import (
    Compacted,
    Ended,
    ModelFailed,
    Said,
    Step,
    Thought,
    ToolBegan,
    ToolDone,
    ToolWorks,
    Waits,
)

Update = dict[str, Any]
_KINDS = {
    "read": "read",
    "memory_get": "read",
    "write": "edit",
    "edit": "edit",
    "apply_patch": "edit",
    "exec": "execute",
    "process": "execute",
    "grep": "search",
    "find": "search",
    "ls": "search",
    "memory_search": "search",
    "web_search": "search",
    "web_fetch": "fetch",
    "todo": "think",
}
_STOPS = {"length": "max_tokens", "content_filter": "refusal"}
_MOST_CHARS = 100_000
_TITLE_CHARS = 120
# A step of a plan, as the tool `todo` answers it.
_PLANNED = re.compile(r"^\d+\. \[([ >x])\] (.+)$", re.MULTILINE)
_PROGRESS = {" ": "pending", ">": "in_progress", "x": "completed"}


class Updates:
    """Of one run. Calls are named anew: models reuse names, and a session's must differ."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id
        self._calls: dict[str, str] = {}
        self._count = 0
        self._written: dict[str, str] = {}

    def call_id(self, call_id: str) -> str | None:
        """What a call that has begun is called there."""
        return self._calls.get(call_id)

    def of(self, step: Step) -> list[Update]:
        updates: list[Update] = []
        match step:
            case Said():
                updates = [chunk("agent_message_chunk", step.text)]
            case Thought():
                updates = [chunk("agent_thought_chunk", step.text)]
            case ToolBegan():
                self._count += 1
                named = self._calls[step.call_id] = f"{self._run_id}/{self._count}"
                updates = [began(named, step.name, step.arguments)]
            case ToolWorks():
                updates = self._works(step)
            case ToolDone():
                updates = self._done(step)
            case Waits():
                updates = [chunk("agent_thought_chunk", f"Waiting: {step.before} before this.\n")]
            case ModelFailed():
                updates = [chunk("agent_thought_chunk", f"{step.model} failed ({step.code}).\n")]
            case Compacted() | Ended():
                pass
        return updates

    def _works(self, step: ToolWorks) -> list[Update]:
        named = self._calls.get(step.call_id)
        if named is None:
            return []
        written = self._written[step.call_id] = (self._written.get(step.call_id, "") + step.text)[
            -_MOST_CHARS:
        ]
        return [_changed(named, content=[_content(written)])]

    def _done(self, step: ToolDone) -> list[Update]:
        named = self._calls.get(step.call_id)
        self._written.pop(step.call_id, None)
        plan = [] if step.failed or step.name != "todo" else plan_of(step.text)
        if named is None:
            return plan
        status = "failed" if step.failed else "completed"
        return [_changed(named, status=status, content=[_content(step.text[:_MOST_CHARS])]), *plan]


def stop_reason(ended: Ended) -> str:
    """Of a run that did not fail."""
    return "cancelled" if ended.status == "aborted" else _STOPS.get(ended.reason, "end_turn")


def chunk(kind: str, text: str) -> Update:
    return {"sessionUpdate": kind, "content": {"type": "text", "text": text}}


def began(named: str, tool: str, arguments: object) -> Update:
    call = {
        "toolCallId": named,
        "title": title(tool, arguments),
        "kind": kind_of(tool),
        "status": "in_progress",
    }
    return {"sessionUpdate": "tool_call", **call, "rawInput": arguments}


def title(tool: str, arguments: object) -> str:
    """The tool and what it is about, in one line."""
    about = arguments
    if isinstance(arguments, Mapping):
        texts = (value for value in arguments.values() if isinstance(value, str))
        about = next(texts, "")
    text = f"{tool} {about}" if isinstance(about, str) and about else tool
    text = " ".join(text.split())
    return text if len(text) <= _TITLE_CHARS else f"{text[:_TITLE_CHARS]}…"


def kind_of(tool: str) -> str:
    return _KINDS.get(tool, "other")


def plan_of(text: str) -> list[Update]:
    steps = [
        {"content": content, "priority": "medium", "status": _PROGRESS[sign]}
        for sign, content in _PLANNED.findall(text)
    ]
    return [{"sessionUpdate": "plan", "entries": steps}] if steps else []


def told_again(messages: Iterable[Mapping[str, Any]]) -> Iterable[Update]:
    """What was said in a session (`chat.history`)."""
    calls: dict[str, str] = {}
    for number, message in enumerate(messages):
        role, content = message.get("role"), message.get("content")
        parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
        if role == "toolResult":
            yield from _old_result(calls, message, parts)
            continue
        for place, part in enumerate(parts):
            match part:
                case {"type": "text", "text": str(text)} if text:
                    kind = "user_message_chunk" if role == "user" else "agent_message_chunk"
                    yield chunk(kind, text)
                case {"type": "thinking", "thinking": str(text)} if text:
                    yield chunk("agent_thought_chunk", text)
                case {"type": "toolCall", "id": str(id_), "name": str(tool)}:
                    named = calls[id_] = f"history/{number}/{place}"
                    yield began(named, tool, part.get("arguments"))
                case _:
                    pass


def _old_result(
    calls: Mapping[str, str], message: Mapping[str, Any], parts: Iterable[Mapping[str, Any]]
) -> Iterable[Update]:
    named = calls.get(str(message.get("toolCallId")))
    if named is not None:
        status = "failed" if message.get("isError") else "completed"
        text = "".join(str(part.get("text", "")) for part in parts)
        yield _changed(named, status=status, content=[_content(text)])


def _changed(named: str, **what: object) -> Update:
    return {"sessionUpdate": "tool_call_update", "toolCallId": named, **what}


def _content(text: str) -> Update:
    return {"type": "content", "content": {"type": "text", "text": text}}

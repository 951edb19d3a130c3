"""Transcript rules: what a model may be shown of a conversation, and what a run adds to it.

Pure. Knows nothing of stores, vendors or agents. What it returns is always a legal conversation: every
tool call is answered right after it, and no result stands without its call.
"""

from collections import Counter
from collections.abc import Sequence

from openclaw_gateway.sessions.store import Transcript
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import RunStatus

NO_RESULT = "no result was recorded"
SUMMARY_HEAD = "Summary of the conversation so far:\n"


def for_model(transcript: Transcript, new: Sequence[Message] = ()) -> tuple[Message, ...]:
    """The stored conversation followed by `new`, as a model may be sent it.

    A summary that is not empty stands first, as a system message; an empty one covers entries without
    a word (that is how a session is reset). `new` belongs in the same call, because its tool results
    may answer the last stored calls. Assistant messages without text and calls are left out: vendors
    refuse them. Adjacent user messages stay as they are.
    """
    messages = [entry.message for entry in transcript.entries]
    messages += new
    legal = _answered(messages)
    summary = transcript.summary
    if summary is not None and summary.text.strip():
        legal.insert(0, SystemMessage(SUMMARY_HEAD + summary.text))
    return tuple(legal)


def turn_for(
    status: RunStatus, new_messages: Sequence[Message], said: Sequence[Message]
) -> tuple[Message, ...]:
    """What a run that ended with `status` adds to its session; empty means nothing was said.

    `said` are the messages of the model and the results of the agent's tools; of an aborted run, what had
    reached a reader. Text that was seen before an abort is kept, because the user saw it and may refer to
    it. A failed run leaves nothing even after text: its client got an error and will ask again, and the
    question must not be there twice.
    """
    if status == "completed" or (status == "aborted" and any(map(_has_text, said))):
        return (*new_messages, *said)
    return ()


def _has_text(message: Message) -> bool:
    return isinstance(message, AssistantMessage) and bool(message.content.strip())


def _answered(messages: list[Message]) -> list[Message]:
    if all(type(message) is UserMessage for message in messages):
        return messages
    legal: list[Message] = []
    calls: tuple[ToolCall, ...] = ()
    # How many calls of an id wait for their result; a model may have used one twice.
    waiting: Counter[str] = Counter()
    for message in messages:
        if isinstance(message, ToolMessage):
            if waiting[message.tool_call_id] > 0:
                waiting[message.tool_call_id] -= 1
                legal.append(message)
            continue
        legal += _without_result(calls, waiting)
        calls = ()
        if isinstance(message, AssistantMessage):
            calls = message.tool_calls
            if not calls and not message.content:
                continue
        waiting = Counter(call.id for call in calls)
        legal.append(message)
    legal += _without_result(calls, waiting)
    return legal


def _without_result(calls: Sequence[ToolCall], waiting: Counter[str]) -> list[ToolMessage]:
    """What stands for the results that did not come; of calls with one id the first ones have theirs."""
    missing: list[ToolMessage] = []
    for call in reversed(calls):
        if waiting[call.id] > 0:
            waiting[call.id] -= 1
            missing.append(ToolMessage(call.id, NO_RESULT))
    return missing[::-1]

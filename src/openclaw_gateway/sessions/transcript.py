"""Transcript rules: what a conversation is for a model, and what a run adds to it.

Pure. Knows nothing of stores, vendors or agents; what of it a vendor may be sent is decided in
`models/replay`, for each model anew.
"""

from collections.abc import Sequence

from openclaw_gateway.sessions.store import Transcript
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    SystemMessage,
)
from openclaw_gateway.wire.run import RunStatus

SUMMARY_HEAD = "Summary of the conversation so far:\n"


def for_model(transcript: Transcript, new: Sequence[Message] = ()) -> tuple[Message, ...]:
    """The stored conversation followed by `new`.

    A summary that is not empty stands first, as a system message; an empty one covers entries without
    a word (that is how a session is reset).
    """
    messages = [entry.message for entry in transcript.entries]
    summary = transcript.summary
    if summary is not None and summary.text.strip():
        messages.insert(0, SystemMessage(SUMMARY_HEAD + summary.text))
    return (*messages, *new)


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

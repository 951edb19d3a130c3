"""The voice of a session's turn: a run's events as those of the Agents API.

Pure. An event has the same id however often, and to whomever, it is told: who comes back knows what he has.
What was thought is an item that closes when something is said; all that was said is one message.
Source: developers.openai.com/api/docs/guides/agents-api/sessions/events, and the types of `openai` 3.52.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from openclaw_gateway.doors.agents.items import (
    asked_items,
    call_item,
    message_item,
    output_text,
    reasoning_item,
)
from openclaw_gateway.doors.agents.resources import turn_id, turn_of
from openclaw_gateway.doors.openai.chunks import separated
from openclaw_gateway.doors.openai.response_object import mark_of
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import Event, ReasoningDelta, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.messages import AssistantMessage, Message
from openclaw_gateway.wire.run import RunStatus

_encode = msgspec.json.Encoder().encode
Json = dict[str, Any]


class TurnVoice:
    """One turn of the session `session`."""

    def __init__(self, session: str, run: Run) -> None:
        self._session = session
        self._run_id = run.id
        self._record = RunRecord(
            run.id, run.request.origin.owner, session, run.request.agent_id, "queued", run.created_ms
        )
        self._mark = mark_of(run.id)
        self._number = 0
        self._frames: list[bytes] = []
        # The next place of an item, what was said and thought so far, and how many thoughts there were.
        self._place = 0
        self._said: list[str] = []
        self._said_at: int | None = None
        self._thought: list[str] = []
        self._thought_at: int | None = None
        self._thoughts = 0

    def of_session(self, kind: str, session: Json) -> bytes:
        """The session was created, is in_progress, or idle again. Each is said of a turn once at most."""
        return _frame(
            {"type": f"agent.session.{kind}", "event_id": f"evt_{self._mark}_{kind}", "session": session}
        )

    def head(self) -> bytes:
        """The turn is there."""
        return self._of_turn("created", "queued")

    def asked(self, messages: Sequence[Message]) -> bytes:
        """What it is about: of a conversation that is sent whole, what is new at its end."""
        new = len(messages)
        while new and not isinstance(messages[new - 1], AssistantMessage):
            new -= 1
        for item in asked_items(self._run_id, messages[new:]):
            self._say("item.added", item=item, output_index=None)
        return self._taken()

    def told(self, events: Iterable[Event]) -> bytes:
        """The next events of the run's log, of whatever kind."""
        for event in events:
            match event:
                case TextDelta():
                    for piece in event.pieces or (event.text,):
                        self._text(piece)
                case ReasoningDelta():
                    self._thinks(event.text)
                case RunStarted():
                    self._frames.append(self._of_turn("in_progress", "running"))
                case RunEnded():
                    self._end(event)
                case _:
                    pass
        return self._taken()

    def failure(self, error: ErrorInfo) -> bytes:
        """The stream cannot go on; of the turn this says nothing."""
        return self._error(error)

    def _text(self, piece: str) -> None:
        self._close_thought()
        if self._said_at is None:
            self._said_at = self._begin(message_item(self._run_id, "", "in_progress"))
            self._part("content_part.added", part=output_text(""))
        self._said.append(piece)
        self._part("output_text.delta", delta=piece)

    def _thinks(self, text: str) -> None:
        if self._thought_at is None:
            self._thought_at = self._begin(reasoning_item(self._run_id, "", "in_progress", self._thoughts))
            self._summary("part.added", part=_summary_text(""))
        self._thought.append(text)
        self._summary("text.delta", delta=text)

    def _close_thought(self) -> None:
        if self._thought_at is None:
            return
        text = "".join(self._thought)
        self._summary("text.done", text=text)
        self._summary("part.done", part=_summary_text(text))
        item = reasoning_item(self._run_id, text, "completed", self._thoughts)
        self._say("item.done", item=item, output_index=self._thought_at)
        self._thoughts += 1
        self._thought, self._thought_at = [], None

    def _close_text(self, text: str, status: str) -> None:
        self._part("output_text.done", text=text)
        self._part("content_part.done", part=output_text(text))
        item = message_item(self._run_id, text, status)
        self._say("item.done", item=item, output_index=self._said_at)

    def _end(self, event: RunEnded) -> None:
        result = event.result
        completed = result.status == "completed"
        self._close_thought()
        text = "".join(self._said)
        if completed and self._said_at is None and (result.text or not result.tool_calls):
            # Its beginning was not heard here, or it says nothing.
            text = result.text
            self._said_at = self._begin(message_item(self._run_id, "", "in_progress"))
            self._part("content_part.added", part=output_text(""))
        if self._said_at is not None:
            self._close_text(text, "completed" if completed else "incomplete")
        for place, call in enumerate(result.tool_calls):
            item = call_item(self._run_id, call, place)
            self._say("item.done", item=item, output_index=self._begin(item))
        record = msgspec.structs.replace(
            self._record,
            status=result.status,
            ended_ms=event.at_ms,
            error=result.error,
            usage=result.usage,
        )
        turn = turn_of(record)
        if turn["error"] is not None and result.error is not None:
            self._frames.append(self._error(result.error))
        self._frames.append(self._event(f"turn.{turn['status']}", turn=turn, usage=turn["usage"]))

    def _begin(self, item: Json) -> int:
        """The place of a new item."""
        at, self._place = self._place, self._place + 1
        self._say("item.added", item=item, output_index=at)
        return at

    def _part(self, what: str, **fields: Any) -> None:
        """An event of the one part of the message."""
        where = {"item_id": f"msg_{self._mark}", "output_index": self._said_at, "content_index": 0}
        self._say(what, **where, **fields)

    def _summary(self, what: str, **fields: Any) -> None:
        place = f"_{self._thoughts}" if self._thoughts else ""
        where = {"item_id": f"rs_{self._mark}{place}", "output_index": self._thought_at, "summary_index": 0}
        self._say(f"reasoning_summary_{what}", **where, **fields)

    def _of_turn(self, kind: str, status: RunStatus) -> bytes:
        return self._event(f"turn.{kind}", turn=turn_of(msgspec.structs.replace(self._record, status=status)))

    def _error(self, error: ErrorInfo) -> bytes:
        said = {"type": error.type, "code": error.code, "message": error.message, "param": error.param}
        event_id = f"evt_{self._mark}_error"
        return _frame({"type": "error", "event_id": event_id, "session_id": self._session, "error": said})

    def _say(self, what: str, **fields: Any) -> None:
        self._frames.append(self._event(f"turn.{what}", **fields))

    def _event(self, what: str, **fields: Any) -> bytes:
        event = {
            "type": f"agent.session.{what}",
            "event_id": f"evt_{self._mark}_{self._number}",
            "session_id": self._session,
            "turn_id": turn_id(self._run_id),
            **fields,
        }
        self._number += 1
        return _frame(event)

    def _taken(self) -> bytes:
        frames, self._frames = self._frames, []
        return b"".join(frames)


def _frame(event: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), separated(_encode(event)))


def _summary_text(text: str) -> Json:
    return {"type": "summary_text", "text": text}

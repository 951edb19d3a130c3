"""What of an executor's events was told here of a run that another process executes: once, from one
beginning, and to its end where the bus has lost some of them.

Pure but for the run that it tells.
"""

from collections.abc import Sequence

from openclaw_gateway.errors import RunBegunAnew
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, TextDelta, say_something
from openclaw_gateway.wire.run import RunResult

_BOUNDS = (RunStarted, RunEnded)


class Ends:
    """Of a run whose readers hear its executor themselves: how it ends."""

    has_begun = True

    def take(self, events: Sequence[Event]) -> RunResult | None:
        """The result, where they have the end."""
        return next((event.result for event in events if isinstance(event, RunEnded)), None)

    def taken(self, events: Sequence[Event]) -> bool:
        """See `Subscription.offer`: nobody need be woken for what is not the end."""
        return self.take(events) is None

    def rest(self, result: RunResult, last: Sequence[Event]) -> RunResult:
        return self.take(last) or result


class Said:
    """What of an executor's events was told here. One that begins anew is told from its beginning as long as
    no client has heard anything: what it has heard cannot be taken back."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._text: list[str] = []
        self.has_begun = False
        self._has_said = False

    def take(self, events: Sequence[Event]) -> RunResult | None:
        """The result, where they have the end. Raises RunBegunAnew."""
        told: list[Event] = []
        for event in events:
            match event:
                case RunEnded(result=result):
                    self._run.emit(told)
                    return result
                case RunStarted():
                    if self.has_begun:
                        self._begin_anew()
                        told = []
                    self.has_begun = True
                    self._run.queued = 0
                case TextDelta(text=text):
                    self._text.append(text)
                case _:
                    pass
            told.append(event)
        self._has_said = self._has_said or say_something(told)
        self._run.emit(told)
        return None

    def taken(self, events: Sequence[Event]) -> bool:
        """See `Subscription.offer`: more of what has begun is told on where it comes. To wake a task for it
        cost as much as the way here."""
        if not self.has_begun or any(type(event) in _BOUNDS for event in events):
            return False
        self.take(events)
        return True

    def _begin_anew(self) -> None:
        self._run.attempt += 1
        if self._has_said and self._run.readers.shown:
            raise RunBegunAnew()
        self._run.begin_anew()
        self._text.clear()
        self._has_said = False

    def rest(self, result: RunResult, last: Sequence[Event]) -> RunResult:
        """The result, with what of its text was not told yet."""
        if (ended := self.take(last)) is not None:
            return ended
        text = "".join(self._text)
        if result.status == "completed" and not result.text.startswith(text):
            # What was told is of an execution that was not the one to be recorded.
            self._begin_anew()
            text, self.has_begun = "", False
        if result.text.startswith(text):
            left = result.text[len(text) :]
            self._run.is_retold = bool(left)
            if not self.has_begun and not result.taken_by:
                request = self._run.request
                self._run.emit(
                    (RunStarted(self._run.id, request.agent_id, request.session_key, self._run.created_ms),)
                )
            if left:
                self._run.emit((TextDelta(left),))
        return result

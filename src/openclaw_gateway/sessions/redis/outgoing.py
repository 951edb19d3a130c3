"""What of this process's logs has yet to be written to the stream, and what the answers mean. Pure: commands
are made and answers judged here, and sent elsewhere.

Nothing is queued: a log is kept in memory anyway, and how far it has been written is one number. So what
comes while a pipeline is on its way goes with the next in one entry, and after an outage the whole log is
there to be written again.
"""

from collections.abc import Sequence
from typing import Literal

from openclaw_gateway.sessions.local.log import EventLog, weight
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.link import Away, Command, ErrorReply, Refused, Reply
from openclaw_gateway.wire.events import Event

ENTRY_BYTES = 256 << 10
_REFRESH_S = 3600.0

# new: nothing was written under this token; sure: it is known how much; unsure: it has to be asked.
State = Literal["new", "sure", "unsure"]
# superseded: `Parcel.end` is the newer holder's token; again: there is more to be sent of it at once.
Verdict = Literal["written", "again", "superseded", "done"]


class Outgoing:
    """One log on its way. `sent` is the index of the first event that is not in the stream yet; `log` None:
    it was given up before it could be written. `is_followed`: another process reads it."""

    __slots__ = ("_refresh_at", "bucket", "is_followed", "key", "log", "run_id", "sent", "state", "token")

    def __init__(self, log: EventLog) -> None:
        self.run_id = log.run_id
        self.token = log.token
        self.key = entries.log_key(log.run_id)
        self.bucket = entries.bucket_of(log.run_id)
        self.log: EventLog | None = log
        self.is_followed = False
        self.sent = 0
        self.state: State = "new"
        self._refresh_at = 0.0

    def parcel(self, now: float, most_bytes: int) -> "Parcel":
        """What is to be sent of it next: at least one entry if there is any, and about so many bytes."""
        log = self.log
        if self.state == "unsure":
            return Parcel(self, [entries.newest(self.key)], self.sent)
        if log is None:
            given_up = entries.give_up(self.key, self.token)
            return Parcel(self, given_up, self.sent, last=True, gives_up=True)
        commands: list[Command] = []
        is_new = self.state == "new"
        if is_new:
            commands.append([b"XLEN", self.key])
        at, end, size = max(self.sent, log.base), log.base + len(log.events), 0
        added = 0
        while at < end and size < most_bytes:
            taken = _some(log, at)
            size += weight(taken)
            oldest = max(log.base, at - entries.MOST_EVENTS)
            first = is_new and not added
            commands.append(entries.add(self.key, self.token, at, taken, oldest, first=first))
            at += len(taken)
            added += 1
        last = log.ended and at == end
        if last:
            commands.append(entries.expire(self.key, entries.KEPT_MS))
            if log.forgotten:
                commands += entries.give_up(self.key, self.token)
        elif now >= self._refresh_at:
            self._refresh_at = now + _REFRESH_S
            commands.append(entries.expire(self.key, entries.AT_WORK_MS))
        return Parcel(self, commands, at, added=added, last=last, gives_up=last and log.forgotten)

    def doubt(self) -> None:
        """Nobody knows what of it has arrived, or is still there."""
        self.state = "unsure"
        self._refresh_at = 0.0

    def give_up(self) -> None:
        """Its events are not kept any longer; that is all that will be written of it."""
        self.log = None
        self.state = "new"


class Parcel:
    """Commands about one log that go out together. With them it is written up to index `end`; `last`: there
    will be no more. When it has been judged, `took_over` says whether an older holder had written before."""

    __slots__ = ("_added", "_state", "commands", "end", "gives_up", "last", "of", "took_over")

    def __init__(
        self,
        of: Outgoing,
        commands: list[Command],
        end: int,
        *,
        added: int = 0,
        last: bool = False,
        gives_up: bool = False,
    ) -> None:
        self.of = of
        self.commands = commands
        self.end = end
        self.last = last
        self.gives_up = gives_up
        self.took_over = False
        self._added = added
        self._state = of.state

    @property
    def has_added(self) -> bool:
        return bool(self._added)

    def judged(self, replies: Sequence[Reply]) -> Verdict:
        """What the answers say; the log's `sent` and `state` follow them. Raises Away, Refused when the
        server takes nothing, and ValueError when its answers make no sense."""
        if self._state == "unsure":
            return self._found(replies[0])
        if self.of.log is None:
            # An error says that it is not needed: a newer holder has written.
            return "done"
        others = replies[1:] if self._state == "new" else replies
        for reply in others[: self._added]:
            if isinstance(reply, ErrorReply):
                if "XADD" not in str(reply):
                    raise Refused(str(reply))
                self.of.doubt()
                return "again"
        self.of.sent = self.end
        self.of.state = "sure"
        self.took_over = self._state == "new" and replies[0] != 0
        return "done" if self.last else "written"

    def _found(self, reply: Reply) -> Verdict:
        out, log = self.of, self.of.log
        if isinstance(reply, ErrorReply):
            raise Away(str(reply))
        newest = next(iter(entries.entries_of(reply)), None)
        if newest is not None and newest.token > out.token:
            self.end = newest.token
            return "superseded"
        if newest is not None and newest.token == out.token:
            if newest.seq is None:
                return "done"
            out.state = "sure"
            out.sent = newest.end if log is None else min(newest.end, log.base + len(log.events))
            return "again"
        out.state, out.sent = "new", 0
        return "again"


def _some(log: EventLog, at: int) -> Sequence[Event]:
    """The events from index `at` on that make one entry."""
    events = log.events[at - log.base :]
    if len(events) == 1:
        return events
    size = 0
    for count, event in enumerate(events, 1):
        size += weight((event,))
        if size > ENTRY_BYTES:
            return events[:count]
    return events

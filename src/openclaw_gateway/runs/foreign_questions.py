"""Questions that other processes of this gateway ask: open here as well, for whoever is there, until the
process that asks tells how they ended, or had to have told. Knows no way to that process.
"""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved

# Of two machines: what differs by less is the way between them.
SAME_CLOCK_MS = 1_000
# Whoever asks tells of the end; where he has gone, nobody does.
_LATE_S = 1.0

Tell = Callable[[str, ApprovalRequested | ApprovalResolved], None]


class ForeignQuestions:
    """`tell` has an owner's clients here hear of something."""

    def __init__(self, table: OpenQuestions, tell: Tell) -> None:
        self._table = table
        self._tell = tell
        # By id: the end of waiting for what becomes of them.
        self._ends: dict[str, asyncio.TimerHandle] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._ends

    def opened(self, owner: str, asked: ApprovalRequested, left_ms: int | None = None) -> None:
        """`left_ms` is how long it is open yet; None = until it expires by this process's clock."""
        if left_ms is not None:
            asked = _by_this_clock(asked, left_ms)
        left_s = (asked.expires_at_ms - now_ms() if left_ms is None else left_ms) / 1000
        if left_s <= 0 or self._table.is_open(asked.id):
            return
        conversation = f"elsewhere of {owner}"
        if self._table.settled(owner, asked.id) is not None or not self._table.has_room(conversation):
            return
        self._table.add(owner, conversation, asked)
        expired = ApprovalResolved(asked.id, "deny", None, asked.expires_at_ms, asked.request, "expired")
        loop = asyncio.get_running_loop()
        self._ends[asked.id] = loop.call_later(left_s + _LATE_S, self.ended, owner, expired)
        self._tell(owner, asked)

    def ended(self, owner: str, resolved: ApprovalResolved) -> None:
        if self.answered(resolved.id) and self._table.give_up(resolved.id):
            self._tell(owner, resolved)

    def answered(self, id_: str) -> bool:
        """It is not waited for any longer; whether it was."""
        timer = self._ends.pop(id_, None)
        if timer is not None:
            timer.cancel()
        return timer is not None

    def close(self) -> None:
        """The other processes are heard no more."""
        for timer in self._ends.values():
            timer.cancel()
        self._ends.clear()


def _by_this_clock(asked: ApprovalRequested, left_ms: int) -> ApprovalRequested:
    """With the times that whoever is there would see, where the clock of the machine that asks is another."""
    expires = now_ms() + left_ms
    ahead = asked.expires_at_ms - expires
    if abs(ahead) <= SAME_CLOCK_MS:
        return asked
    return replace(asked, created_at_ms=asked.created_at_ms - ahead, expires_at_ms=expires)

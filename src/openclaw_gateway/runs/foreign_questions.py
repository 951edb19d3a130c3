"""Questions that other processes of this gateway ask: open here as well, for whoever is there, until the
process that asks tells how they ended, or had to have told. Knows no way to that process.
"""

import asyncio
from collections.abc import Callable

from msgspec.structs import replace

from openclaw_gateway.runs.open_questions import OpenQuestions
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision

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
        # id -> the end of waiting, how it ended
        self._open: dict[str, tuple[asyncio.TimerHandle, asyncio.Future[Decision | None]]] = {}

    def __contains__(self, id_: str) -> bool:
        """Whether it is not known yet how it ended, be it that somebody has answered here."""
        return id_ in self._open

    def opened(self, owner: str, asked: ApprovalRequested, left_ms: int | None = None) -> None:
        """`left_ms` is how long it is open yet; None = until it expires by this process's clock."""
        if left_ms is not None:
            asked = _by_this_clock(asked, left_ms)
        left_s = (asked.expires_at_ms - now_ms() if left_ms is None else left_ms) / 1000
        if left_s <= 0 or asked.id in self._open or self._table.is_open(asked.id):
            return
        conversation = f"elsewhere of {owner}"
        if self._table.settled(owner, asked.id) is not None or not self._table.has_room(conversation):
            return
        self._table.add(owner, conversation, asked)
        expired = ApprovalResolved(asked.id, "deny", None, asked.expires_at_ms, asked.request, "expired")
        loop = asyncio.get_running_loop()
        timer = loop.call_later(left_s + _LATE_S, self._untold, owner, expired)
        self._open[asked.id] = (timer, loop.create_future())
        self._tell(owner, asked)

    def ended(self, owner: str, resolved: ApprovalResolved) -> None:
        """As whoever asks says. Who has answered here, and came too late, hears of that as well."""
        decision = None if resolved.resolved_by is None else resolved.decision
        is_news = self._end(resolved.id, decision)
        if is_news and self._table.close(owner, resolved.id, decision, resolved.resolved_by or ""):
            self._tell(owner, resolved)

    async def decision(self, id_: str) -> Decision | None:
        """How one of them ends; None: nobody answered."""
        return await asyncio.shield(self._open[id_][1])

    def close(self) -> None:
        """The other processes are heard no more."""
        for id_ in list(self._open):
            self._end(id_, None)

    def _untold(self, owner: str, expired: ApprovalResolved) -> None:
        self._end(expired.id, None)
        if self._table.give_up(expired.id):
            self._tell(owner, expired)

    def _end(self, id_: str, decision: Decision | None) -> bool:
        """False where that is no news."""
        known = self._open.pop(id_, None)
        if known is None:
            return False
        timer, ended = known
        timer.cancel()
        ended.set_result(decision)
        return True


def _by_this_clock(asked: ApprovalRequested, left_ms: int) -> ApprovalRequested:
    """With the times that whoever is there would see, where the clock of the machine that asks is another."""
    expires = now_ms() + left_ms
    ahead = asked.expires_at_ms - expires
    if abs(ahead) <= SAME_CLOCK_MS:
        return asked
    return replace(asked, created_at_ms=asked.created_at_ms - ahead, expires_at_ms=expires)

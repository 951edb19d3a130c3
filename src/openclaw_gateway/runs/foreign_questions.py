"""Questions that other processes ask and that may be answered here, until it is known how they ended. Whoever
asks says that; where he has gone, nobody does. Knows nobody who is asked."""

import asyncio
from collections.abc import Callable

from openclaw_gateway.wire.approvals import Decision


class ForeignQuestions:
    def __init__(self) -> None:
        # id -> the end of waiting, how it ended
        self._open: dict[str, tuple[asyncio.TimerHandle, asyncio.Future[Decision | None]]] = {}

    def __contains__(self, id_: str) -> bool:
        return id_ in self._open

    def add(self, id_: str, left_s: float, expired: Callable[[], None]) -> None:
        """`expired` is called where nobody says within that time how it ended."""
        loop = asyncio.get_running_loop()
        self._open[id_] = (loop.call_later(left_s, expired), loop.create_future())

    def end(self, id_: str, decision: Decision | None) -> bool:
        """None: nobody answered. False where that is no news."""
        known = self._open.pop(id_, None)
        if known is None:
            return False
        timer, ended = known
        timer.cancel()
        ended.set_result(decision)
        return True

    async def decision(self, id_: str) -> Decision | None:
        """How one of them ends."""
        return await asyncio.shield(self._open[id_][1])

    def close(self) -> None:
        for id_ in list(self._open):
            self.end(id_, None)

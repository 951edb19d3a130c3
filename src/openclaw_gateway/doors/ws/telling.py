"""A run as it is told to the clients that follow it: its view, kept up to date by one reader of its log.

Shared by all connections through the hub. Reads as fast as the run writes, but for the pauses the view asks
for, and only says that there is news: each connection takes it at its own pace.
"""

import asyncio
import contextlib
from collections.abc import Callable

from openclaw_gateway.doors.ws.runview import RunView
from openclaw_gateway.errors import EventsGone
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.wire.events import RunEnded
from openclaw_gateway.wire.run import Compact


class Telling:
    def __init__(self, run: Run) -> None:
        request = run.request
        is_chat = not isinstance(request.errand, Compact)
        self.view = RunView(
            run.shown_id, request.agent_id, request.session_key, run.created_ms, is_chat=is_chat
        )
        self._run = run
        self._reader = run.reader()
        self._folded = 0
        self._hearing: list[Callable[[], None]] = []

    def hear(self, news: Callable[[], None]) -> None:
        """Call `news` whenever the view has changed."""
        self._hearing.append(news)

    def leave(self, news: Callable[[], None]) -> None:
        self._hearing.remove(news)

    def shown(self) -> None:
        """A client has been told everything that is in the view."""
        self._reader.advance(self._folded)

    async def follow(self) -> None:
        """Until the run has ended."""
        view = self.view
        try:
            while not view.ended:
                events = await self._reader.log.batch(view.wait_s)
                view.fold(events, now_ms())
                self._folded += len(events)
                self._tell()
                if view.pause_s and not view.ended:
                    await _until_ended(self._run, view.pause_s)
        except EventsGone:
            await self._only_the_end()

    def close(self) -> None:
        self._reader.close()

    async def _only_the_end(self) -> None:
        """The log is bounded, and this part of it is gone: say so, and how the run ends."""
        self.view.lose(now_ms())
        self._tell()
        result = await self._run.wait()
        self.view.fold((RunEnded(result, now_ms()),), now_ms())
        self._tell()

    def _tell(self) -> None:
        for news in self._hearing:
            news()


async def _until_ended(run: Run, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await run.wait()

"""A run as it is told to the clients that follow it: its view, kept up to date by one reader of its log.

Shared by all connections through the hub. Reads as fast as the run writes, but for the pauses the view asks
for, and only says that there is news: each connection takes it at its own pace. The more hear it, the less
often it says so, and to a few at a time: hundreds who look on do not slow down the client that asked.
"""

import asyncio
import contextlib
from collections.abc import Callable

from openclaw_gateway.doors.ws.runview import RunView
from openclaw_gateway.errors import EventsGone
from openclaw_gateway.runs.run import Run, now_ms
from openclaw_gateway.wire.events import begins_anew
from openclaw_gateway.wire.run import Compact

# A frame takes some fifty microseconds: so those who look on take a tenth of the loop's time.
_TOLD_PER_SECOND = 2_000
_SHORTEST_PAUSE_S = 0.005
_AT_ONCE = 16
# How soon it is seen that a run has ended of which its log says nothing more.
_LOOK_EVERY_S = 5.0


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
        self._hearing: dict[Callable[[], None], None] = {}

    def hear(self, news: Callable[[], None]) -> None:
        """Call `news` whenever the view has changed."""
        self._hearing[news] = None

    def leave(self, news: Callable[[], None]) -> None:
        del self._hearing[news]

    def shown(self) -> None:
        """A client has been told everything that is in the view."""
        self._reader.advance(self._folded)

    async def follow(self) -> None:
        """Until the run has ended."""
        view = self.view
        try:
            while not view.ended:
                wait_s = _LOOK_EVERY_S if view.wait_s is None else view.wait_s
                log = self._reader.log
                events = await log.batch(wait_s) or await self._run.last_words(log)
                if begins_anew(events, self._folded):
                    # What clients have been told of it cannot be taken back.
                    await self._only_the_end()
                    return
                view.fold(events, now_ms())
                self._folded += len(events)
                await self._tell()
                if (pause_s := self._pause_s()) and not view.ended:
                    await _until_ended(self._run, pause_s)
        except EventsGone:
            await self._only_the_end()

    def _pause_s(self) -> float:
        many = len(self._hearing) / _TOLD_PER_SECOND
        return max(self.view.pause_s, many if many >= _SHORTEST_PAUSE_S else 0.0)

    def close(self) -> None:
        self._reader.close()

    async def _only_the_end(self) -> None:
        """The log is bounded, and this part of it is gone: say so, and how the run ends."""
        self.view.lose(now_ms())
        await self._tell()
        await self._run.wait()
        self.view.fold(self._run.last_word(), now_ms())
        await self._tell()

    async def _tell(self) -> None:
        for number, news in enumerate(list(self._hearing)):
            if number and number % _AT_ONCE == 0:
                await asyncio.sleep(0)
            if news in self._hearing:
                news()


async def _until_ended(run: Run, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await run.wait()

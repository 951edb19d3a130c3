"""How much of an aborted run has reached its clients, also of those that are at other processes.

Who executes a run knows which others have it for their clients: one that gave it away, and those that follow
it. Asked, each lets its clients take what was said, and tells. All of that may be lost: then what was emitted
counts as shown. Nothing is recorded here.
"""

import asyncio
from collections.abc import Callable

from openclaw_gateway.runs.elsewhere.followers import Followers
from openclaw_gateway.runs.elsewhere.news import NewsChannel, RunLeft, ShownAsked, ShownTold
from openclaw_gateway.runs.readers import LAST_WORDS_S
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.shown import ShownHere

# From when this process's own clients have had their moment: all had it at the same time.
_TELLS_WITHIN_S = LAST_WORDS_S + 0.2
Find = Callable[[str], Run | None]


class _Question:
    """How much was shown, and who is still to tell."""

    def __init__(self, of: set[str]) -> None:
        self.shown = 0
        self.answered = asyncio.Event()
        self._of = of

    def told(self, by: str, shown: int) -> None:
        self.shown = max(self.shown, shown)
        self._of.discard(by)
        if not self._of:
            self.answered.set()


class ShownAnywhere:
    """Where there may be others."""

    def __init__(self, channel: NewsChannel) -> None:
        self._channel = channel
        self._here = ShownHere()
        self._followers: Followers | None = None
        self._questions: dict[str, _Question] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._mirrored: Find = _nobody

    def open(self, followers: Followers, mirrored: Find) -> None:
        """`mirrored` finds a live run that is executed elsewhere and has clients here."""
        self._followers, self._mirrored = followers, mirrored
        self._channel.heed(ShownAsked, self._asked)
        self._channel.heed(ShownTold, self._told)
        self._channel.heed(RunLeft, self._told)

    async def close(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def of(self, run: Run) -> int:
        others, before = set[str](), 0
        if self._followers is not None:
            others, before = set(self._followers.of(run.id)), self._followers.shown_before(run.id)
        if run.begun is not None:
            others.add("")
        if not others:
            return max(before, await self._here.of(run))
        if run.is_elsewhere or not self._channel.is_connected:
            return run.emitted
        question = self._questions[run.id] = _Question(others)
        self._channel.tell(ShownAsked(run.id, run.emitted))
        here = await self._here.of(run)
        try:
            async with asyncio.timeout(_TELLS_WITHIN_S):
                await question.answered.wait()
        except TimeoutError:
            return run.emitted
        finally:
            del self._questions[run.id]
        return max(before, here, question.shown)

    def _asked(self, news: ShownAsked) -> None:
        if (run := self._mirrored(news.run_id)) is not None:
            task = asyncio.create_task(self._tell(run, news.emitted), name=f"shown:{run.id}")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    async def _tell(self, run: Run, emitted: int) -> None:
        await run.readers.last_words(emitted)
        by = self._channel.me if run.is_followed else ""
        self._channel.tell(ShownTold(run.id, by, run.readers.shown))

    def _told(self, news: ShownTold | RunLeft) -> None:
        if (question := self._questions.get(news.run_id)) is not None:
            question.told(news.by, news.shown)


def _nobody(_: str) -> Run | None:
    return None

"""How much of an aborted run has reached its clients, also of those that are at other processes.

Who executes a run knows which others have it for their clients: one that gave it away, and those that follow
it, who say so. Asked, each lets its clients take what was said, and tells. All of that may be lost: then what
was emitted counts as shown. Nothing is recorded here.
"""

import asyncio
from collections.abc import Callable

import msgspec
from msgspec import Struct

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.readers import LAST_WORDS_S
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.shown import ShownHere
from openclaw_gateway.sessions.bus import Bus

# From when this process's own clients have had their moment: all had it at the same time.
_TELLS_WITHIN_S = LAST_WORDS_S + 0.2
Find = Callable[[str], Run | None]


class _Followed(Struct, frozen=True, tag="shown-followed"):
    run_id: str
    by: str


class _Asked(Struct, frozen=True, tag="shown-asked"):
    run_id: str
    emitted: int


class _Told(Struct, frozen=True, tag="shown-told"):
    """`by` "" is who gave the run away. One that `leaves` has no clients for it any more."""

    run_id: str
    by: str
    shown: int
    leaves: bool = False


_News = _Followed | _Asked | _Told
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder[_News](_News).decode


class _Followers:
    """The processes that follow one run, and what had reached the clients of those that do no more."""

    def __init__(self) -> None:
        self.present: set[str] = set()
        self.shown_before = 0

    def told(self, news: _Told) -> None:
        self.shown_before = max(self.shown_before, news.shown)
        if news.leaves:
            self.present.discard(news.by)


class _Question:
    """How much was shown, and who is still to tell."""

    def __init__(self, of: set[str]) -> None:
        self.shown = 0
        self.answered = asyncio.Event()
        self._of = of

    def told(self, news: _Told) -> None:
        self.shown = max(self.shown, news.shown)
        self._of.discard(news.by)
        if not self._of:
            self.answered.set()


class ShownAnywhere:
    """Where there may be others."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._here = ShownHere()
        self._me = fresh_digits()
        self._followers: dict[str, _Followers] = {}
        self._questions: dict[str, _Question] = {}
        self._telling: set[asyncio.Task[None]] = set()
        self._executed: Find = _nobody
        self._mirrored: Find = _nobody
        self._leave = self._deafen = _nothing

    def open(self, hub: Hub, executed: Find, mirrored: Find) -> None:
        """`executed` finds a live run that is executed here, `mirrored` one that is so elsewhere and has
        clients here."""
        self._executed, self._mirrored = executed, mirrored
        self._leave = hub.listen(Listener(self._started, self._ended))
        self._deafen = self._bus.hear(self._hear)

    async def close(self) -> None:
        self._leave()
        self._deafen()
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)

    async def of(self, run: Run) -> int:
        followers = self._followers.get(run.id)
        others = set() if followers is None else set(followers.present)
        if run.begun is not None:
            others.add("")
        before = 0 if followers is None else followers.shown_before
        if not others:
            return max(before, await self._here.of(run))
        if run.is_elsewhere or not self._bus.health().connected:
            return run.emitted
        question = self._questions[run.id] = _Question(others)
        self._bus.announce(_encode(_Asked(run.id, run.emitted)))
        here = await self._here.of(run)
        try:
            async with asyncio.timeout(_TELLS_WITHIN_S):
                await question.answered.wait()
        except TimeoutError:
            return run.emitted
        finally:
            del self._questions[run.id]
        return max(before, here, question.shown)

    def _started(self, run: Run) -> None:
        if run.is_followed:
            self._bus.announce(_encode(_Followed(run.id, self._me)))

    def _ended(self, run: Run) -> None:
        if run.is_followed:
            self._bus.announce(_encode(self._told(run, leaves=True)))
        else:
            # Also of one that was executed here until another process took it over.
            self._followers.pop(run.id, None)

    def _hear(self, told: bytes) -> None:
        try:
            news: _News = _decode(told)
        except (ValueError, RecursionError):
            return  # of another kind, or another release
        match news:
            case _Followed():
                if self._executed(news.run_id) is not None:
                    self._followers.setdefault(news.run_id, _Followers()).present.add(news.by)
            case _Asked():
                if (run := self._mirrored(news.run_id)) is not None:
                    task = asyncio.create_task(self._tell(run, news.emitted), name=f"shown:{run.id}")
                    self._telling.add(task)
                    task.add_done_callback(self._telling.discard)
            case _Told():
                if (question := self._questions.get(news.run_id)) is not None:
                    question.told(news)
                if (followers := self._followers.get(news.run_id)) is not None:
                    followers.told(news)

    async def _tell(self, run: Run, emitted: int) -> None:
        await run.readers.last_words(emitted)
        self._bus.announce(_encode(self._told(run)))

    def _told(self, run: Run, *, leaves: bool = False) -> _Told:
        return _Told(run.id, self._me if run.is_followed else "", run.readers.shown, leaves)


def _nobody(_: str) -> Run | None:
    return None


def _nothing() -> None:
    pass

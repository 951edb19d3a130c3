"""The owners of whom somebody is at other processes: each process tells its own, at once when one comes and
from time to time, because the news may be lost. One that has not been heard of for a while has nobody.
"""

import asyncio
from collections.abc import Callable, Iterable

from openclaw_gateway.runs.elsewhere.news import NewsChannel, OwnersAttend, OwnersListen

_TELL_EVERY_S = 5.0
_HEARD_FOR_S = 15.0


class Owners:
    """`here` are those of this process, `came` is called with each that has just come to another one: it
    knows nothing of what was told before."""

    def __init__(
        self,
        channel: NewsChannel,
        kind: type[OwnersAttend] | type[OwnersListen],
        here: Callable[[], Iterable[str]],
        came: Callable[[str], None],
    ) -> None:
        self._channel = channel
        self._kind = kind
        self._here = here
        self._came = came
        # process -> (its owners, until when that counts)
        self._there: dict[str, tuple[frozenset[str], float]] = {}
        self._said: frozenset[str] = frozenset()
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        channel.heed(kind, self._heard)

    def open(self) -> None:
        self._task = asyncio.create_task(self._telling(), name=f"owners:{self._kind.__name__}")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._channel.tell(self._kind(self._channel.me, ()))

    def are_there(self, owner: str) -> bool:
        now = self._loop.time()
        return any(owner in owners and now < until for owners, until in self._there.values())

    def changed(self) -> None:
        """Others than before may be here."""
        if frozenset(self._here()) != self._said:
            self._tell()

    async def _telling(self) -> None:
        while True:
            self._tell()
            await asyncio.sleep(_TELL_EVERY_S)

    def _tell(self) -> None:
        self._said = frozenset(self._here())
        self._channel.tell(self._kind(self._channel.me, tuple(self._said)))

    def _heard(self, news: OwnersAttend | OwnersListen) -> None:
        now = self._loop.time()
        # One that went without a word is forgotten; one that was cut off comes as if it were new.
        self._there = {by: there for by, there in self._there.items() if now < there[1]}
        before, _ = self._there.pop(news.by, (frozenset(), 0.0))
        if news.owners:
            self._there[news.by] = (frozenset(news.owners), now + _HEARD_FOR_S)
        for owner in news.owners:
            if owner not in before:
                self._came(owner)

"""Who listens at one process of a gateway hears of the runs of all.

Each process tells the others to whose runs somebody listens there. A run is announced to them once it is
accepted, and where somebody listens to its owner or its session, it is followed; nobody is told what nobody
wants to hear. The news may be lost: nothing but what is shown depends on it.
"""

import asyncio
from collections import OrderedDict
from functools import partial

import structlog

from openclaw_gateway.errors import GatewayError
from openclaw_gateway.runs.elsewhere.following import Following
from openclaw_gateway.runs.elsewhere.news import (
    ChildOpened,
    NewsChannel,
    OwnersListen,
    RunClosed,
    RunOpened,
    SessionChanged,
)
from openclaw_gateway.runs.elsewhere.owners import Owners
from openclaw_gateway.runs.hub import Hub, Listener, SessionChange
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.work import written
from openclaw_gateway.wire.run import outlined

log = structlog.get_logger()

# Runs of others that are known to be open. The oldest are forgotten first.
_MOST = 10_000


class Neighbours:
    def __init__(self, channel: NewsChannel, hub: Hub, following: Following) -> None:
        self._channel = channel
        self._hub = hub
        self._following = following
        self._owners = Owners(channel, OwnersListen, hub.owners, self._came)
        # What is open here, and what is known to be so elsewhere.
        self._own: dict[str, RunOpened] = {}
        self._open: OrderedDict[str, RunOpened | ChildOpened] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_heard_from = False
        self._leave = hub.listen(Listener(self._started, self._ended, self._changed))
        channel.heed(RunOpened, self._opened)
        channel.heed(ChildOpened, self._opened)
        channel.heed(RunClosed, self._closed)
        channel.heed(SessionChanged, self._has_changed)

    def open(self) -> None:
        self._owners.open()

    def joined(self, owner: str, session: str | None) -> None:
        """Somebody listens here from now on."""
        self._owners.changed()
        for news in self._open.values():
            if news.owner == owner and session in (None, news.session):
                self._follow(news)

    def stop(self, owner: str, run_id: str) -> bool:
        """Ask for the end of one that another run has started, and of which the store need not know; False
        where it is not known to be open."""
        opened = self._open.get(run_id)
        if not isinstance(opened, ChildOpened) or opened.owner != owner:
            return False
        self._following.stop(run_id)
        return True

    async def close(self) -> None:
        self._leave()
        await self._owners.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _started(self, run: Run) -> None:
        if not run.is_followed and run.begun is None and _is_found(run):
            run.accepted.add_done_callback(partial(self._accepted, run))

    def _accepted(self, run: Run, accepted: "asyncio.Future[None]") -> None:
        if accepted.cancelled() or accepted.exception() is not None or run.result is not None:
            return
        owner, session = run.request.origin.owner, run.request.session_key
        if run.started_by is None:
            self._own[run.id] = RunOpened(run.id, owner, session)
            if self._owners.are_there(owner):
                self._channel.tell(self._own[run.id])
        else:
            # Also where nobody listens: whoever knows its id may stop it.
            work = written(outlined(run.request), run.asked, run.created_ms)
            self._channel.tell(ChildOpened(run.id, owner, session, run.top, run.started_by, work))

    def _ended(self, run: Run) -> None:
        if run.is_followed or run.begun is not None:
            return
        self._own.pop(run.id, None)
        if run.started_by is not None or self._owners.are_there(run.request.origin.owner):
            self._channel.tell(RunClosed(run.id))

    def _came(self, owner: str) -> None:
        for news in self._own.values():
            if news.owner == owner:
                self._channel.tell(news)

    def _changed(self, change: SessionChange) -> None:
        if not self._is_heard_from:
            self._channel.tell(SessionChanged(change))

    def _opened(self, news: RunOpened | ChildOpened) -> None:
        self._open[news.run_id] = news
        if len(self._open) > _MOST:
            self._open.popitem(last=False)
        if self._hub.is_heard(news.owner, news.session):
            self._follow(news)

    def _closed(self, news: RunClosed) -> None:
        self._open.pop(news.run_id, None)

    def _has_changed(self, news: SessionChanged) -> None:
        self._is_heard_from = True
        try:
            self._hub.changed(news.change)
        finally:
            self._is_heard_from = False

    def _follow(self, news: RunOpened | ChildOpened) -> None:
        task = asyncio.create_task(self._followed(news), name=f"neighbours:{news.run_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _followed(self, news: RunOpened | ChildOpened) -> None:
        try:
            if isinstance(news, ChildOpened):
                run = self._following.child(news)
            else:
                run = await self._following.run(news.owner, news.run_id)
            if run is None:
                self._open.pop(news.run_id, None)
        except GatewayError as error:
            log.info("neighbours.not_followed", run=news.run_id, error=error.message)


def _is_found(run: Run) -> bool:
    """Whether the store knows it, or the one for which it was started: else others do not find them."""
    top = run
    while top.parent is not None:
        top = top.parent
    is_named = top.request.session_key is not None or top.request.idempotency is not None
    return is_named or top.begun is not None

"""Who listens at one process of a gateway hears of the runs of all.

Each process tells the others to whose runs somebody listens there. A run is announced to them once it is
accepted, and where somebody listens to its owner or its session, it is followed, and be it that it is over by
then; nobody is told what nobody wants to hear. The news may be lost: nothing but what is shown depends on it.
"""

import asyncio
from collections import OrderedDict
from functools import partial

import structlog
from msgspec.structs import replace

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
from openclaw_gateway.runs.hub import ENDING, Hub, Listener, SessionChange
from openclaw_gateway.runs.run import Run, top_stored
from openclaw_gateway.runs.work import written
from openclaw_gateway.wire.run import outlined

log = structlog.get_logger()

# Runs of others that are known to be open, or to have been told of here. The oldest are forgotten first.
_MOST = 10_000
# What is said in a request goes with the news where it is no more than this.
_MOST_SAID_BYTES = 16 << 10


class Neighbours:
    def __init__(self, channel: NewsChannel, hub: Hub, following: Following) -> None:
        self._channel = channel
        self._hub = hub
        self._following = following
        self._owners = Owners(channel, OwnersListen, hub.owners, self._came)
        # What is open here, and what is known to be so elsewhere.
        self._own: dict[str, Run] = {}
        self._open: OrderedDict[str, RunOpened | ChildOpened] = OrderedDict()
        # Of others, and told of here: followed, or executed.
        self._told: OrderedDict[str, None] = OrderedDict()
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
                self._follow(news, is_new=False)

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
        if run.is_followed or run.begun is not None:
            self._told[run.id] = None
            if len(self._told) > _MOST:
                self._told.popitem(last=False)
        elif (top := top_stored(run)) is not None:
            run.accepted.add_done_callback(partial(self._accepted, run, top))

    def _accepted(self, run: Run, top: str, accepted: "asyncio.Future[None]") -> None:
        if accepted.cancelled() or accepted.exception() is not None or run.result is not None:
            return
        owner, session = run.request.origin.owner, run.request.session_key
        if run.started_by is None:
            self._own[run.id] = run
            if self._owners.are_there(owner):
                self._channel.tell(_opened(run))
        else:
            # Also where nobody listens: whoever knows its id may stop it.
            work = written(outlined(run.request), run.asked, run.created_ms)
            self._channel.tell(ChildOpened(run.id, owner, session, top, run.started_by, work))

    def _ended(self, run: Run) -> None:
        if run.is_followed or run.begun is not None or top_stored(run) is None:
            return
        self._own.pop(run.id, None)
        if run.started_by is not None or self._owners.are_there(run.request.origin.owner):
            self._channel.tell(RunClosed(run.id))

    def _came(self, owner: str) -> None:
        for run in self._own.values():
            if run.request.origin.owner == owner:
                self._channel.tell(_opened(run))

    def _changed(self, change: SessionChange) -> None:
        if not self._is_heard_from and (change.reason in ENDING or self._owners.are_there(change.owner)):
            self._channel.tell(SessionChanged(change))

    def _opened(self, news: RunOpened | ChildOpened) -> None:
        # What is said in it is for who is here now.
        self._open[news.run_id] = replace(news, work=b"") if isinstance(news, RunOpened) else news
        if len(self._open) > _MOST:
            self._open.popitem(last=False)
        if self._hub.is_heard(news.owner, news.session):
            self._follow(news, is_new=True)

    def _closed(self, news: RunClosed) -> None:
        self._open.pop(news.run_id, None)

    def _has_changed(self, news: SessionChanged) -> None:
        self._is_heard_from = True
        try:
            self._hub.changed(news.change)
        finally:
            self._is_heard_from = False

    def _follow(self, news: RunOpened | ChildOpened, *, is_new: bool) -> None:
        task = asyncio.create_task(self._followed(news, is_new=is_new), name=f"neighbours:{news.run_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _followed(self, news: RunOpened | ChildOpened, *, is_new: bool) -> None:
        """None is told twice, and one that is over only where it `is_new`: who came later missed nothing."""
        try:
            if isinstance(news, ChildOpened):
                # Whoever executed it may have gone without a word.
                if is_new or await self._following.is_open(news.owner, news.top):
                    self._following.child(news)
                else:
                    self._open.pop(news.run_id, None)
                return
            found = await self._following.found(news.owner, news.run_id)
            if found is None and is_new:
                found = await self._following.past(news)
            if found is None:
                self._open.pop(news.run_id, None)
            elif not (is_new and news.run_id in self._told):
                self._following.follow(found)
        except GatewayError as error:
            log.info("neighbours.not_followed", run=news.run_id, error=error.message)


def _opened(run: Run) -> RunOpened:
    request, outline = run.request, outlined(run.request)
    said = written(replace(outline, messages=request.messages), run.asked, run.created_ms)
    work = said if len(said) <= _MOST_SAID_BYTES else written(outline, run.asked, run.created_ms)
    return RunOpened(run.id, request.origin.owner, request.session_key, work)

"""Who follows a run at other processes: each that does says so, and it is known where the run is executed or
was given away.

A run of the HTTP door ends with its last client, whichever process that is at: those of a follower count as
clients where it was given away, and from then on where it is executed that they have left there. The news may
be lost: then a run goes on without a client to its limit, or ends as if nobody had come back.
"""

import asyncio
from collections.abc import Callable

from openclaw_gateway.runs.elsewhere.news import NewsChannel, RunFollowed, RunLeft
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.run import CLIENT_LEFT, Run

Find = Callable[[str], Run | None]

# A client that is handed on from who accepts its request to who answers it is nobody's for a moment.
HANDED_ON_S = 0.1


class _Present:
    """The processes that follow one run, those of them with clients, as what of this process these count, and
    how much clients had where one has left."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self.with_clients: set[str] = set()
        self.counted: dict[str, Run] = {}
        self.shown_before = 0


class Followers:
    """`find` gives the run of this process with an id."""

    def __init__(self, channel: NewsChannel, hub: Hub, find: Find) -> None:
        self._channel = channel
        self._find = find
        self._there: dict[str, _Present] = {}
        # The runs of others for which clients wait here.
        self._here: set[str] = set()
        self._leave = hub.listen(Listener(self._started, self._ended))
        channel.heed(RunFollowed, self._followed)
        channel.heed(RunLeft, self._left)

    def close(self) -> None:
        self._leave()

    def of(self, run_id: str) -> frozenset[str]:
        """The processes that follow it now."""
        present = self._there.get(run_id)
        return frozenset() if present is None else frozenset(present.all)

    def shown_before(self, run_id: str) -> int:
        """Up to which index of its log some client has had everything at a process that has left."""
        present = self._there.get(run_id)
        return 0 if present is None else present.shown_before

    def _started(self, run: Run) -> None:
        if run.is_followed:
            run.when_attended = self._tell
            self._channel.tell(RunFollowed(run.id, self._channel.me))

    def _ended(self, run: Run) -> None:
        if run.is_followed:
            self._here.discard(run.id)
            self._channel.tell(RunLeft(run.id, self._channel.me, run.readers.shown))
        elif self._known(run.id) in (None, run):
            # Also of one that was executed here until another process took it over, and not again since.
            self._there.pop(run.id, None)

    def _tell(self, run: Run) -> None:
        if run.result is not None or (run.clients > 0) == (run.id in self._here):
            return
        if run.clients:
            self._here.add(run.id)
            self._channel.tell(RunFollowed(run.id, self._channel.me, has_clients=True))
        else:
            asyncio.get_running_loop().call_later(HANDED_ON_S, self._tell_of_none, run)

    def _tell_of_none(self, run: Run) -> None:
        if run.result is None and not run.clients and run.id in self._here:
            self._here.discard(run.id)
            self._channel.tell(RunFollowed(run.id, self._channel.me, has_clients=False))

    def count(self, run: Run) -> None:
        """From now on it ends here with the last client, wherever that is: who has given it away waits no
        more."""
        present = self._there.get(run.id)
        if present is None:
            return
        for by in present.with_clients:
            before = present.counted.get(by)
            if before is not run:
                present.counted[by] = run
                run.join()
                if before is not None:
                    _leave(before)

    def _followed(self, news: RunFollowed) -> None:
        run = self._known(news.run_id)
        if run is None:
            return
        present = self._there.setdefault(run.id, _Present())
        present.all.add(news.by)
        if news.has_clients and news.by not in present.with_clients:
            present.with_clients.add(news.by)
            if not run.waits_elsewhere:
                present.counted[news.by] = run
                run.join()
        elif not news.has_clients:
            self._has_no_clients(present, news.by)

    def _left(self, news: RunLeft) -> None:
        run, present = self._known(news.run_id), self._there.get(news.run_id)
        if run is None or present is None:
            return
        present.shown_before = max(present.shown_before, news.shown)
        present.all.discard(news.by)
        self._has_no_clients(present, news.by)

    def _has_no_clients(self, present: _Present, by: str) -> None:
        present.with_clients.discard(by)
        run = present.counted.pop(by, None)
        if run is not None:
            _leave(run)

    def _known(self, run_id: str) -> Run | None:
        run = self._find(run_id)
        return None if run is None or run.is_followed or run.result is not None else run


def _leave(run: Run) -> None:
    run.leave(CLIENT_LEFT if run.request.detached is None else None, returns=True)

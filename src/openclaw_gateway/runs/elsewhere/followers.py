"""Who follows a run at other processes: each that does says so, and it is known where the run is executed or
was given away.

A run of the HTTP door ends with its last client, whichever process that is at: those of a follower count as
clients here. The news may be lost: then a run goes on without a client to its limit, or ends as if nobody had
come back.
"""

from collections.abc import Callable

from openclaw_gateway.runs.elsewhere.news import NewsChannel, RunFollowed, RunLeft
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.run import CLIENT_LEFT, Run

Find = Callable[[str], Run | None]


class _Present:
    """The processes that follow one run, those of them with clients, and how much clients had where one has
    left."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self.with_clients: set[str] = set()
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
        else:
            # Also of one that was executed here until another process took it over.
            self._there.pop(run.id, None)

    def _tell(self, run: Run) -> None:
        has_clients = run.clients > 0
        if has_clients == (run.id in self._here) or run.result is not None:
            return
        (self._here.add if has_clients else self._here.discard)(run.id)
        self._channel.tell(RunFollowed(run.id, self._channel.me, has_clients))

    def _followed(self, news: RunFollowed) -> None:
        run = self._known(news.run_id)
        if run is None:
            return
        present = self._there.setdefault(run.id, _Present())
        present.all.add(news.by)
        if news.has_clients and news.by not in present.with_clients:
            present.with_clients.add(news.by)
            # Who executes what another has given away ends it when that one says so.
            if run.begun is None:
                run.join()
        elif not news.has_clients:
            self._has_no_clients(run, present, news.by)

    def _left(self, news: RunLeft) -> None:
        run, present = self._known(news.run_id), self._there.get(news.run_id)
        if run is None or present is None:
            return
        present.shown_before = max(present.shown_before, news.shown)
        present.all.discard(news.by)
        self._has_no_clients(run, present, news.by)

    def _has_no_clients(self, run: Run, present: _Present, by: str) -> None:
        if by in present.with_clients:
            present.with_clients.discard(by)
            if run.begun is None:
                run.leave(CLIENT_LEFT if run.request.detached is None else None, returns=True)

    def _known(self, run_id: str) -> Run | None:
        run = self._find(run_id)
        return None if run is None or run.is_followed or run.result is not None else run

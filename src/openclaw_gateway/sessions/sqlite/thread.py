"""One thread, one SQLite connection, one queue: operations go in from the event loop, results come back.

Knows nothing of sessions or runs. With `group_commit`, everything that waits in the queue is done in
one transaction: a savepoint per operation, so that one that fails undoes only itself; one COMMIT (one
fsync) for all; a COMMIT that fails fails all of them. No result is delivered before the commit. The
results of a batch reach the loop in one call.

A caller that is cancelled while it waits loses the answer, not the operation: callers who must know
shield the wait.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.sqlite.errors import translated

P = ParamSpec("P")
R = TypeVar("R")

_MAX_BATCH = 256
log = structlog.get_logger()


class _Job(NamedTuple):
    future: "asyncio.Future[object]"
    operation: Callable[..., object]
    args: tuple[object, ...]


class _Outcome(NamedTuple):
    future: "asyncio.Future[object]"
    value: object
    error: Exception | None


class SqliteThread:
    """`connect` is called on the thread; an operation gets a cursor of its connection.

    `guard` is called before every batch: what it raises, every caller of the batch hears.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], sqlite3.Connection],
        *,
        group_commit: bool,
        max_waiting: int = 10_000,
        guard: Callable[[], None] | None = None,
    ) -> None:
        self._name = name
        self._connect = connect
        self._group_commit = group_commit
        self._guard = guard
        self._max_waiting = max_waiting
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[object] | None = None
        self._open = False
        # Why nothing could be written; until something is, whatever else may go well meanwhile.
        self.trouble: Exception | None = None

    @property
    def is_open(self) -> bool:
        return self._open

    async def start(self) -> None:
        """Start the thread and wait for the connection. Raises what `connect` raised."""
        loop = self._loop = asyncio.get_running_loop()
        ready: asyncio.Future[object] = loop.create_future()
        self._ended = loop.create_future()
        self._thread = threading.Thread(
            target=self._run, args=(loop, ready, self._ended), name=self._name, daemon=True
        )
        self._thread.start()
        try:
            await ready
        except BaseException:
            await self.stop(deadline_s=10.0)
            raise
        self._open = True

    async def stop(self, deadline_s: float) -> None:
        """Finish what is queued, end the thread. Raises StoreError when that takes too long."""
        self._open = False
        if self._thread is None or self._ended is None:
            return
        self._queue.put(None)
        try:
            await asyncio.wait_for(asyncio.shield(self._ended), deadline_s)
        except TimeoutError:
            raise StoreError(
                f"The session store did not finish its work within {deadline_s:g} s: the disk may be stuck."
            ) from None
        self._thread.join()  # no wait: it has reached its last line
        self._thread = None

    def submit(
        self, operation: Callable[Concatenate[sqlite3.Cursor, P], R], *args: P.args, **_: P.kwargs
    ) -> "asyncio.Future[R]":
        """Queue `operation(cursor, *args)`. Raises StoreError when closed or when the queue is full."""
        if not self._open or self._loop is None:
            raise StoreError("The session store is closed: the gateway is starting or stopping.")
        if self._queue.qsize() >= self._max_waiting:
            raise StoreError(
                "The session store has more work waiting than it can take: try again in a moment.",
                code="store_busy",
                retry_after=1.0,
            )
        future: asyncio.Future[R] = self._loop.create_future()
        self._queue.put(_Job(future, operation, args))  # type: ignore[arg-type]  # Future is invariant
        return future

    def _run(
        self,
        loop: asyncio.AbstractEventLoop,
        ready: "asyncio.Future[object]",
        ended: "asyncio.Future[object]",
    ) -> None:
        try:
            db = self._connect()
        except Exception as error:  # noqa: BLE001 - the thread's edge: the opener hears of it
            _post(loop, [_Outcome(ready, None, translated(error)), _Outcome(ended, None, None)])
            return
        _post(loop, [_Outcome(ready, None, None)])
        perform = self._perform_together if self._group_commit else self._perform_alone
        cursor = db.cursor()
        stopping = False
        while not stopping:
            jobs, stopping = self._take()
            if jobs:
                _post(loop, perform(cursor, jobs))
        try:
            db.close()  # the last connection to close moves the write-ahead log into the file
        except sqlite3.Error as error:
            log.warning("store.not_closed_cleanly", error=str(error))
        _post(loop, [_Outcome(ended, None, None)])

    def _take(self) -> tuple[list[_Job], bool]:
        """Wait for a job and take all that wait behind it; True when the queue came to its end."""
        jobs: list[_Job] = []
        job = self._queue.get()
        try:
            while job is not None:
                jobs.append(job)
                if len(jobs) == _MAX_BATCH:
                    return jobs, False
                job = self._queue.get_nowait()
        except Empty:
            return jobs, False
        return jobs, True

    def _perform_together(self, cursor: sqlite3.Cursor, jobs: list[_Job]) -> list[_Outcome]:
        execute = cursor.execute
        outcomes: list[_Outcome] = []
        trouble: Exception | None = None
        wrote = False
        db = cursor.connection
        try:
            if self._guard is not None:
                self._guard()
            done = self._all_done(cursor, jobs)
            if done is not None:
                return done
            execute("BEGIN IMMEDIATE")
            for future, operation, args in jobs:
                execute("SAVEPOINT operation")
                changes = db.total_changes
                try:
                    outcome = _Outcome(future, operation(cursor, *args), None)
                    wrote = wrote or db.total_changes > changes
                except Exception as error:
                    if not db.in_transaction:
                        raise  # SQLite has undone the whole transaction (a full disk does that)
                    execute("ROLLBACK TO operation")
                    outcome = _Outcome(future, None, translated(error))
                    if isinstance(error, sqlite3.Error):
                        trouble = error
                execute("RELEASE operation")
                outcomes.append(outcome)
            execute("COMMIT")
        except Exception as error:  # noqa: BLE001 - the thread's edge: every caller of the batch hears of it
            trouble = error
            _roll_back(cursor)
            refused = {id(outcome.future): outcome for outcome in outcomes if outcome.error is not None}
            outcomes = [
                refused.get(id(job.future)) or _Outcome(job.future, None, translated(error)) for job in jobs
            ]
        if trouble is not None and self.trouble is None:
            log.error("store.cannot_write", error=str(trouble))
        if trouble is not None or wrote:
            self.trouble = trouble
        return outcomes

    def _all_done(self, cursor: sqlite3.Cursor, jobs: list[_Job]) -> list[_Outcome] | None:
        """The outcomes when nothing goes wrong, which is nearly always: savepoints are a quarter of a turn's
        work. None when an operation has failed and all of them are undone, to be done again one by one."""
        db = cursor.connection
        cursor.execute("BEGIN IMMEDIATE")
        changes = db.total_changes
        try:
            outcomes = [_Outcome(future, operation(cursor, *args), None) for future, operation, args in jobs]
        except Exception:  # noqa: BLE001 - what it was is found out when they are done again
            _roll_back(cursor)
            return None
        cursor.execute("COMMIT")
        if db.total_changes > changes:
            self.trouble = None
        return outcomes

    def _perform_alone(self, cursor: sqlite3.Cursor, jobs: list[_Job]) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        for future, operation, args in jobs:
            try:
                if self._guard is not None:
                    self._guard()
                outcomes.append(_Outcome(future, operation(cursor, *args), None))
            except Exception as error:  # noqa: BLE001 - the thread's edge: the caller hears of it
                outcomes.append(_Outcome(future, None, translated(error)))
        return outcomes


def _roll_back(cursor: sqlite3.Cursor) -> None:
    """When even this fails, the next BEGIN fails too, and with it this is tried again."""
    try:
        if cursor.connection.in_transaction:
            cursor.execute("ROLLBACK")
    except sqlite3.Error as error:
        log.warning("store.not_rolled_back", error=str(error))


def _post(loop: asyncio.AbstractEventLoop, outcomes: list[_Outcome]) -> None:
    try:
        loop.call_soon_threadsafe(_deliver, outcomes)
    except RuntimeError:
        log.warning("store.nobody_listens")


def _deliver(outcomes: list[_Outcome]) -> None:
    for future, value, error in outcomes:
        if future.done():
            continue  # its caller was cancelled
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)

"""The connections to PostgreSQL: so many at most, each wait with a deadline, each error in our words.

Knows nothing of sessions or runs. An act is a function of a connection; it is executed in a task of its own,
so that a caller who is cancelled loses the answer, not the operation. A connection that breaks, or on which
nothing was heard in time, is dropped with all that lie idle; the next act opens another one, so the store
goes on by itself when the server returns. Of what was not heard in time the server is told to stop it: what
waits there for a lock would go on to, beyond the connections that are counted here, and be done at last. An
act waits for the connection that is opened for it, or for one that another act gives back, whichever is there
first: where opening one is slow, those that are open go on to serve. One is left to what must not wait for
other acts, a claim that is renewed above all. An act that another one was in the way
of (a deadlock, a conflict) is made again, a few times; so is one that PgBouncer has given to a connection of
the server which was not told of its statement: from then on nothing is prepared, and each act is a
transaction that is begun and ended.

No state of a session is used (no LISTEN, no SET, no locks of a session, no temporary tables), so a pool of
transactions may stand between this and the server.
"""

import asyncio
import itertools
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import nullcontext, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar

import asyncpg
import structlog
from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.postgres.address import connected
from openclaw_gateway.sessions.postgres.errors import (
    is_conflict,
    is_doubtful,
    is_lost,
    is_refused,
    is_unprepared,
    translated,
)
from openclaw_gateway.sessions.postgres.transactions import transaction

P = ParamSpec("P")
R = TypeVar("R")

SIZE = 10
# How long to wait for a connection, and for the answer to one statement.
ACQUIRE_S = 0.8
# A start waits longer than a request would: many processes may start at once, on a machine that is busy.
OPEN_S = 10.0
STATEMENT_S = 10.0
# How long opening one goes on at least, whether or not an act still waits for it.
_DIAL_S = 2.0
_CLOSE_S = 5.0
# How long a server has to stop what nobody waits for any more.
_STOP_S = 1.0
_TRIES = 5
_CLOSED = "The session store is closed: the gateway is starting or stopping."
_MOST_WAITING = 10_000
_CACHED_STATEMENTS = 200
log = structlog.get_logger()


class _Named(Connection):  # type: ignore[misc]  # the driver is not typed
    """What it prepares has names that no other process uses: behind a pool of transactions, a statement that
    another one has prepared must not be taken for one's own."""

    _process = secrets.token_hex(8)
    _numbers = itertools.count()

    def _get_unique_id(self, prefix: str) -> str:
        return f"__ocgw_{prefix}_{self._process}_{next(self._numbers):x}__"


class Pool:
    """`url` is never logged: it may hold a password."""

    def __init__(self, url: str, *, size: int = SIZE, statement_s: float = STATEMENT_S) -> None:
        self._url = url
        self._size = size
        self._statement_s = statement_s
        self._is_open = False
        self._is_prepared = True
        # Since a write was refused (no room, no right), until one that is told of is not.
        self.refuses_writes = False
        self._room = asyncio.Semaphore(max(1, size - 1))
        self._idle: list[Connection] = []
        self._count = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._dials: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        return self._is_open

    async def open(self) -> None:
        """Open the first connection. Raises StoreError."""
        self._is_open = True
        try:
            self._release(await self._acquire(OPEN_S))
        except Exception as error:  # noqa: BLE001 - of the driver and the network: all become ours
            self._is_open = False
            raise translated(error) from None

    def warm(self, count: int) -> None:
        """Open some more on the side, until there are so many: who comes first does not wait for all that a
        new one costs."""
        self._dials.update(self._dial(OPEN_S) for _ in range(min(count, self._size) - self._count))

    async def close(self, deadline_s: float) -> None:
        """Finish what was asked, close the connections. Raises StoreError when that takes too long."""
        self._is_open = False
        left: set[asyncio.Task[Any]] = set()
        if self._tasks:
            _, left = await asyncio.wait(self._tasks, timeout=deadline_s)
        for task in left:
            task.cancel()
        for dial in self._dials:
            dial.cancel()
        if left or self._dials:
            await asyncio.wait(left | self._dials, timeout=_CLOSE_S)
        if self._leaving:
            await asyncio.wait(self._leaving)
        idle, self._idle = self._idle, []
        self._count -= len(idle)
        await asyncio.gather(*map(_closed, idle))
        if left:
            raise StoreError(f"The session store did not finish its work within {deadline_s:g} s.")

    async def submit(
        self, act: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **named: P.kwargs
    ) -> R:
        """What `act(connection, *args)` gives. Raises StoreError."""
        return await self.owned(self.within(ACQUIRE_S, act, *args, **named))

    async def owned(self, work: Coroutine[Any, Any, R]) -> R:
        """What it gives. It is done to its end also when its caller is cancelled. Raises StoreError."""
        if not self._is_open:
            work.close()
            raise StoreError(_CLOSED)
        if len(self._tasks) >= _MOST_WAITING:
            work.close()
            raise _too_much()
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._has_ended)
        return await asyncio.shield(task)

    async def settled(self, deadline_s: float) -> None:
        """Once all that was asked until now is done, or the deadline is over."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline_s)

    def _has_ended(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # its caller may have gone

    async def execute(
        self, act: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **named: P.kwargs
    ) -> R:
        """As `submit`, in the caller's own task."""
        return await self.within(ACQUIRE_S, act, *args, **named)

    async def within(
        self,
        acquire_s: float,
        act: Callable[Concatenate[Connection, P], Awaitable[R]],
        *args: P.args,
        **named: P.kwargs,
    ) -> R:
        """As `execute`, with another deadline for having a connection."""
        until = time.monotonic() + acquire_s
        try:
            # Where there is room, nothing is waited for.
            async with nullcontext() if not self._room.locked() else asyncio.timeout(acquire_s):
                await self._room.acquire()
        except TimeoutError as error:
            raise _too_much() if self._others() else translated(error) from None
        try:
            return await self._done(until - time.monotonic(), act, *args, **named)
        finally:
            self._room.release()

    async def at_once(
        self, act: Callable[Concatenate[Connection, P], Awaitable[R]], *args: P.args, **named: P.kwargs
    ) -> R:
        """As `execute`, for what must not wait for other acts, however long those take."""
        return await self._done(ACQUIRE_S, act, *args, **named)

    async def _done(
        self,
        acquire_s: float,
        act: Callable[Concatenate[Connection, P], Awaitable[R]],
        *args: P.args,
        **named: P.kwargs,
    ) -> R:
        tries = 0
        while True:
            tries += 1
            try:
                connection = await self._acquire(acquire_s)
            except Exception as error:  # noqa: BLE001 - as in `open`
                raise translated(error) from None
            try:
                if self._is_prepared:
                    answer = await act(connection, *args, **named)
                else:
                    # What is not prepared goes out in two messages, which must reach the same server.
                    async with transaction(connection):
                        answer = await act(connection, *args, **named)
            except Exception as error:  # noqa: BLE001 - as in `open`
                self._after_error(connection, error)
                if tries < _TRIES and self._may_try_again(error):
                    continue
                ours = translated(error)
                self.refuses_writes = self.refuses_writes or is_refused(error)
                if isinstance(ours, StoreError) and is_doubtful(error):
                    ours.__notes__ = [DOUBTFUL]
                raise ours from ours.__cause__
            except BaseException:  # cancelled, in the middle of something
                self._leave(connection)
                raise
            self._release(connection)
            return answer

    def _may_try_again(self, error: BaseException) -> bool:
        if is_unprepared(error):
            if self._is_prepared:
                log.warning(
                    "store.statements_not_prepared", remedy="PgBouncer: max_prepared_statements = 200"
                )
            self._is_prepared = False
            self._drop_idle()
            return True
        return is_conflict(error)

    async def _acquire(self, deadline_s: float) -> Connection:
        """One that is idle, or the first that is there. Raises StoreError, what the driver raises."""
        until = time.monotonic() + deadline_s
        dial: asyncio.Task[None] | None = None
        while True:
            while self._idle:
                connection = self._idle.pop()
                if not connection.is_closed():
                    return connection
                self._count -= 1
            left = until - time.monotonic()
            if dial is not None and dial.done() and (left <= 0 or not self._others()):
                _raise(dial)
            if left <= 0:
                raise _too_much() if dial is None and self._others() else TimeoutError
            if dial is None and self._count < self._size:
                dial = self._dial(max(deadline_s, _DIAL_S))
            await self._woken(dial, left)

    def _others(self) -> bool:
        """Whether any connection is open: it will be given back."""
        return self._count > len(self._dials)

    async def _woken(self, dial: asyncio.Task[None] | None, deadline_s: float) -> None:
        """Once it is this one's turn to look, its dial has ended, or the time is over."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        waits: set[asyncio.Future[None]] = {waiter}
        if dial is not None and not dial.done():
            waits.add(dial)
        try:
            await asyncio.wait(waits, timeout=deadline_s, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            if waiter.done():
                self._wake()  # the next one's turn
            raise
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _dial(self, deadline_s: float) -> asyncio.Task[None]:
        """One more connection, on the side, for whoever waits."""
        self._count += 1
        dial = asyncio.get_running_loop().create_task(self._dialled(deadline_s), name="store.dial")
        self._dials.add(dial)
        dial.add_done_callback(self._has_dialled)
        return dial

    async def _dialled(self, deadline_s: float) -> None:
        async with asyncio.timeout(deadline_s):
            connection = await connected(
                self._url,
                timeout=deadline_s,
                command_timeout=self._statement_s,
                statement_cache_size=_CACHED_STATEMENTS if self._is_prepared else 0,
                server_settings={"application_name": "openclaw-gateway"},
                connection_class=_Named,
            )
        self._release(connection)

    def _has_dialled(self, dial: asyncio.Task[None]) -> None:
        self._dials.discard(dial)
        if dial.cancelled() or dial.exception() is not None:
            self._count -= 1
            self._wake()

    def _release(self, connection: Connection) -> None:
        if connection.is_closed():
            self._count -= 1
        elif self._is_open or self._tasks:
            self._idle.append(connection)
        else:
            connection.terminate()
            self._count -= 1
        self._wake()

    def _after_error(self, connection: Connection, error: BaseException) -> None:
        if is_lost(error):
            self._drop_idle()
        if isinstance(error, TimeoutError):
            self._leave(connection)
            return
        if not isinstance(error, asyncpg.PostgresError | StoreError) or is_lost(error):
            connection.terminate()
        elif is_unprepared(error):
            connection.terminate()  # it takes for prepared what is not
        self._release(connection)

    def _leave(self, connection: Connection) -> None:
        """What is under way on it shall not be done any more: the driver tells the server so as it closes."""
        self._count -= 1
        leaving = asyncio.get_running_loop().create_task(_closed(connection, _STOP_S), name="store.leave")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        self._wake()

    def _drop_idle(self) -> None:
        """They were opened to the same server, which has gone, or they know what no longer holds."""
        idle, self._idle = self._idle, []
        self._count -= len(idle)
        for connection in idle:
            connection.terminate()

    def _wake(self) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return


def _too_much() -> StoreError:
    return StoreError(
        "The session store has more work waiting than it can take: try again in a moment.",
        code="store_busy",
        retry_after=1.0,
    )


DOUBTFUL = "it may have been done all the same"


def may_have_been_done(error: StoreError) -> bool:
    """Whether nobody knows what came of the act: the connection broke before its answer was there."""
    return DOUBTFUL in getattr(error, "__notes__", ())


def _raise(dial: asyncio.Task[None]) -> None:
    """Why there is no connection of it, if so."""
    if dial.cancelled():
        raise StoreError(_CLOSED)
    dial.result()


def doubtful(error: BaseException) -> StoreError:
    """What one of several hears of whose acts nobody knows what came, because of this."""
    why = translated(error)
    if isinstance(why, StoreError):
        said = StoreError(why.message, code=why.code, retry_after=why.retry_after)
    else:
        said = StoreError("The session store broke off in the middle of something: see the gateway's log.")
    said.__notes__ = [DOUBTFUL]
    return said


async def _closed(connection: Connection, deadline_s: float = _CLOSE_S) -> None:
    with suppress(Exception):
        async with asyncio.timeout(deadline_s):
            await connection.close()
            return
    connection.terminate()

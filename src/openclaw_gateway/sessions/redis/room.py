"""RedisRoom: places that all processes share, counted at the server.

A process holds as many as it uses and a few to spare (`spare`), and tells the server when that is far from
what it has there. So a run asks for its place only where none is spare. What it says is always how many it
holds in all: it may be said again, or get lost. While the server does not answer within WAIT_S this process
goes by its share of what it last knew, and nobody waits. Knows no connection.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from openclaw_gateway.sessions.redis import scripts
from openclaw_gateway.sessions.redis.link import Away, Command, Reply
from openclaw_gateway.sessions.redis.publisher import Publisher
from openclaw_gateway.sessions.redis.spare import is_uneven, share, spare
from openclaw_gateway.sessions.room import WAIT_S

# How many wait for an answer at once; further ones are refused.
MOST_WAITING = 1_000
# A place that somebody waits for is asked for again so soon.
_AGAIN_S = 0.01
# After an answer that did not come in time the server is left alone so long.
_ALONE_S = 1.0
_LEASE_S = 15.0
_PARTS = 5


class RedisRoom:
    """`name` is what the places are called at the server, `me` this process. `freed` is called when
    one that was used has come free there while there was none."""

    def __init__(self, name: str, me: str, publisher: Publisher) -> None:
        self.freed: Callable[[], None] | None = None
        self._name = name
        self._me = me
        self._publisher = publisher
        self._most = 0
        self._used = 0
        # As the server knows it: places of this process, those of the others, and how many processes.
        self._held = 0
        self._others = 0
        self._processes = 1
        self._wanted = 0
        self._is_alone = False
        # Who waits for a place, and whether also for one that comes free; who was told "not now".
        self._waiting: dict[asyncio.Future[bool], bool] = {}
        self._told: set[asyncio.Future[bool]] = set()
        self._lease_s = _LEASE_S
        self._beats = False
        # Whether somebody has left a place that he had used, of which the server does not know.
        self._has_left = False
        self._due = asyncio.Event()
        self._is_closed = False

    def take(self, most: int) -> bool:
        self._most = most
        if self._used >= self._limit():
            return False
        self._used += 1
        self._look()
        return True

    @property
    def may_ask(self) -> bool:
        return not self._is_alone and len(self._waiting) < MOST_WAITING

    async def enter(self, most: int, *, patient: bool = True) -> bool:
        if self.take(most):
            return True
        if not self.may_ask:
            return False
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting[answer] = patient
        self._due.set()
        try:
            await _done_soon(answer)
        except BaseException:
            if answer.done() and answer.result():
                self.give_back()
            raise
        finally:
            del self._waiting[answer]
            is_told = answer in self._told
            self._told.discard(answer)
        if answer.done():
            return answer.result()
        if not is_told:
            self._count_alone()
        return self.take(most)

    def give_back(self, *, unused: bool = False) -> None:
        self._used -= 1
        self._has_left = self._has_left or not unused
        self._hand_out(tuple(self._waiting))
        self._look()

    def share(self, most: int) -> int:
        return share(most, self._processes) if self._is_alone else most

    def beat(self, most: int, lease_s: float) -> None:
        self._most, self._lease_s = most, lease_s
        self._beats = True
        self._due.set()

    def among(self, count: int) -> None:
        self._processes = max(1, count)

    def doubt(self) -> None:
        """The server may have come back with less than it had."""
        if self._held or self._used:
            self._beats = True
            self._due.set()

    def close(self) -> None:
        """What is held here is free, and nothing more is said."""
        self._is_closed = True
        self._publisher.post(*scripts.let_go(self._name, self._me))

    async def run(self) -> None:
        """Until it is cancelled: say how many places are held here."""
        while True:
            await self._due.wait()
            self._due.clear()
            if self._is_closed:
                return
            try:
                await self._say()
            except Away:
                self._count_alone()
                await asyncio.sleep(_ALONE_S)
                self._due.set()
            except BaseException:
                # Whoever runs it again begins with it.
                self._due.set()
                raise
            else:
                if not all(answer.done() for answer in self._waiting):
                    await asyncio.sleep(_AGAIN_S)
                    self._due.set()

    async def _say(self) -> None:
        """Raises Away."""
        beats, self._beats = self._beats, False
        has_left, self._has_left = self._has_left, False
        asking = tuple(self._waiting)
        used = self._used + len(asking)
        wished = used + spare(self._most, self._others, used, self._processes)
        # What is given back is not used any more while that is on its way.
        self._held = min(self._held, wished)
        whole = scripts.Held(self._used, wished, self._most, self._lease_s)
        command = scripts.hold(self._name, self._me, whole, renews=beats)
        try:
            answer = scripts.numbers(await self._asked(command), 4)
        except BaseException as error:
            self._beats = self._beats or beats
            self._has_left = self._has_left or has_left
            if isinstance(error, (Away, ValueError)):
                raise Away(str(error)) from None
            raise
        self._is_alone = False
        self._held, self._others, self._processes, has_freed = answer
        self._wanted = spare(self._most, self._others, self._used, self._processes)
        self._hand_out(tuple(self._waiting))
        self._tell(asking)
        self._look()
        if has_freed and has_left and self.freed is not None:
            self.freed()

    async def _asked(self, command: Command) -> Reply:
        """Raises Away."""
        asking = asyncio.create_task(self._until_answered(command), name="redis_room.ask")
        try:
            if not await _done_soon(asking):
                raise Away("no answer in time")
        finally:
            asking.cancel()
        return asking.result()

    async def _until_answered(self, command: Command) -> Reply:
        """A link that was closed while nobody used it is opened again meanwhile."""
        while True:
            try:
                return await self._publisher.ask(command)
            except Away:
                await asyncio.sleep(_AGAIN_S)

    def _hand_out(self, waiting: Sequence[asyncio.Future[bool]]) -> None:
        """Places, as long as there are any, to those who wait still."""
        for answer in waiting:
            if self._used >= self._limit():
                return
            if answer in self._waiting and not answer.done():
                self._used += 1
                answer.set_result(True)

    def _tell(self, waiting: Sequence[asyncio.Future[bool]]) -> None:
        """Those who have no place yet that there is none now."""
        for answer in waiting:
            if answer not in self._waiting or answer.done():
                continue
            self._told.add(answer)
            if self._is_alone or not self._waiting[answer]:
                answer.set_result(False)

    def _count_alone(self) -> None:
        self._is_alone = True
        waiting = tuple(self._waiting)
        self._hand_out(waiting)
        self._tell(waiting)

    def _limit(self) -> int:
        return share(self._most, self._processes) if self._is_alone else min(self._held, self._most)

    def _look(self) -> None:
        """Have the server told, where that is due."""
        if not self._is_alone and is_uneven(self._held, self._used, self._wanted):
            self._due.set()


async def _done_soon(future: asyncio.Future[Any]) -> bool:
    """Whether it is done within WAIT_S. While this process itself comes to nothing no time passes: what has
    been answered meanwhile is read first."""
    for _ in range(_PARTS):
        await asyncio.wait([future], timeout=WAIT_S / _PARTS)
        if future.done():
            return True
    return False

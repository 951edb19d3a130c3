"""RedisLimits: the SharedLimits of many processes, counted at the server.

Failures are told in the background, and a lock-out that they lead to is told to all processes at once. While
the server does not answer, this process goes by its share of what it last knew. Knows no connection.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.sessions.limits import LockOutRule
from openclaw_gateway.sessions.redis import scripts
from openclaw_gateway.sessions.redis.link import Away, Command
from openclaw_gateway.sessions.redis.publisher import Publisher
from openclaw_gateway.sessions.redis.room import RedisRoom

RENEW_S = 5.0
_RUNS = "runs"
# How many subjects are told of within a window, and how many locked ones are remembered.
MOST_SUBJECTS = 10_000
MOST_ON_THEIR_WAY = 1_000

Tell = Callable[[str, float], None]


class RedisLimits:
    """`of_bucket` is who writes to the server that holds a bucket; `tell` says to the other processes for how
    many seconds the subject of a name is locked out; `me` is the name of this process, `gateway` that of all
    its processes."""

    def __init__(self, gateway: str, me: str, of_bucket: Callable[[int], Publisher], tell: Tell) -> None:
        self._gateway = gateway
        self._everyone = self._own(scripts.PROCESSES)
        self._me = me
        self._of_bucket = of_bucket
        self._tell = tell
        self._processes = 1
        runs = self._own(_RUNS)
        self.runs = RedisRoom(runs, me, of_bucket(scripts.bucket(runs)))
        self._locked: OrderedDict[str, float] = OrderedDict()
        self._told_of: OrderedDict[str, float] = OrderedDict()
        self._telling: set[asyncio.Task[None]] = set()
        self._is_alone = True

    def failed(self, subject: str, rule: LockOutRule) -> None:
        if len(self._telling) < MOST_ON_THEIR_WAY and self._has_room(subject, rule.window_s):
            task = asyncio.create_task(self._tell_of(subject, rule), name="redis_limits.failed")
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)

    def succeeded(self, subject: str) -> None:
        if self._told_of.pop(subject, None) is not None:
            name = scripts.digest(self._own(subject))
            self._of_bucket(scripts.bucket(name)).post(scripts.succeeded(name))

    def locked_for(self, subject: str, now: float) -> float:
        until = self._locked.get(scripts.digest(self._own(subject)), 0.0) if self._locked else 0.0
        return max(0.0, until - now)

    def share(self, most: float) -> float:
        return max(1.0, most // self._processes) if self._is_alone else most

    def _own(self, name: str) -> str:
        """What another gateway, which counts at the same server, calls otherwise."""
        return f"{self._gateway}:{name}"

    def lock(self, name: str, seconds: float) -> None:
        """Somebody has counted that the subject of this name is locked out for so long."""
        now = time.monotonic()
        while self._locked and (self._first_until() <= now or len(self._locked) >= MOST_SUBJECTS):
            self._locked.popitem(last=False)
        self._locked.pop(name, None)
        self._locked[name] = now + seconds

    async def run(self) -> None:
        """Until it is cancelled: say that this process is there still."""
        try:
            while True:
                await self._renew()
                await asyncio.sleep(RENEW_S)
        finally:
            for task in self._telling:
                task.cancel()
            if self._telling:
                await asyncio.wait(self._telling)

    async def _renew(self) -> None:
        command = scripts.alive(self._everyone, self._me)
        with suppress(Away):
            self._processes = max(1, await self._asked(scripts.bucket(self._everyone), command))

    async def _tell_of(self, subject: str, rule: LockOutRule) -> None:
        name = scripts.digest(self._own(subject))
        command = scripts.failed(name, rule, fresh_digits())
        try:
            locked_ms = await self._asked(scripts.bucket(name), command)
        except Away:
            return
        if locked_ms > 0:
            self.lock(name, locked_ms / 1000)
            self._tell(name, locked_ms / 1000)

    async def _asked(self, bucket: int, command: Command) -> int:
        """A number. Raises Away."""
        try:
            async with asyncio.timeout(RENEW_S):
                answer = scripts.number(await self._of_bucket(bucket).ask(command))
        except (TimeoutError, ValueError, Away) as error:
            self._is_alone = True
            raise Away(str(error) or "no answer in time") from None
        self._is_alone = False
        return answer

    def _has_room(self, subject: str, window_s: float) -> bool:
        """Whether the server is told of it: others may not fill it with ever new subjects."""
        now = time.monotonic()
        while self._told_of and next(iter(self._told_of.values())) <= now - window_s:
            self._told_of.popitem(last=False)
        if subject not in self._told_of and len(self._told_of) >= MOST_SUBJECTS:
            return False
        self._told_of[subject] = now
        self._told_of.move_to_end(subject)
        return True

    def _first_until(self) -> float:
        return next(iter(self._locked.values()))

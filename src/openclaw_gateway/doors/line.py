"""Lets requests begin a few at a time, in order of arrival, and refuses those that would begin too late.

To begin a request costs a busy loop more than anything else, and takes it through several turns; each turn
also serves all the streams that are open. Begun all at once, many requests keep each other, and the streams,
waiting for seconds. So a batch goes through its turns before the next one begins. Who would not be through
within the limit, as long as batches take now, is refused as soon as that can be seen. Knows neither requests
nor endpoints.
"""

import asyncio
from collections import deque
from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.doors.lateness import refusal
from openclaw_gateway.errors import Overloaded

# Smaller batches keep the open streams steadier, and let fewer requests begin in a second: of 1,000 streams
# opened together on two cores, each turn of 64 serves all that are open, and the last begin after 4.6 s;
# with 256 after 2.
BATCH = 256
# With less to do a gateway is not busy: it has just started, or the machine was asleep.
FEW = 64
# From reading a request to the first words of its answer the loop turns about so often.
TURNS = 8
# Without a line, those count as begun together that come within this time.
_TOGETHER_S = 0.02


class _Waiting(Struct, eq=False):
    arrived: float
    limit_s: float
    told: asyncio.Future[Overloaded | None]


class Line:
    """Used on one event loop, by whose clock (`now`) times are told. Who waits here may be cancelled.

    It is as long as there are connections at most.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Waiting] = deque()
        self._begun = 0
        self._since = 0.0
        # Of the newest batch; 0 = there is no line.
        self._turns_left = 0
        self._batch_began = 0.0
        self._batch_s = 0.0

    async def begin(self, arrived: float, limit_s: float, running: int) -> None:
        """Returns when a request that arrived then, by the loop's clock, may begin. Raises Overloaded.

        Where only a few runs are `running` it is late for another reason than a crowd, and begins.
        """
        now = self._now()
        ahead_s = self._through_s(len(self._waiting)) if self._turns_left else 0.0
        late = None if running < FEW else refusal(now - arrived + ahead_s, limit_s)
        if late is None and (self._turns_left or not self._may_pass(now)):
            late = await self._wait(arrived, limit_s)
        if late is not None:
            raise late

    def _may_pass(self, now: float) -> bool:
        if now - self._since > _TOGETHER_S:
            self._since, self._begun = now, 0
        self._begun += 1
        return self._begun <= BATCH

    async def _wait(self, arrived: float, limit_s: float) -> Overloaded | None:
        one = _Waiting(arrived, limit_s, self._loop.create_future())
        self._waiting.append(one)
        if not self._turns_left:
            self._turns_left, self._batch_began, self._batch_s = TURNS, self._now(), 0.0
            self._loop.call_soon(self._turn)
        return await one.told

    def _through_s(self, place: int) -> float:
        """How long it takes from now until the one at this place of the line has gone through its turns."""
        return self._batch_s * (place // BATCH + 1)

    def _turn(self) -> None:
        self._turns_left -= 1
        if not self._turns_left and self._next_batch():
            self._turns_left = TURNS
        if self._turns_left:
            self._loop.call_soon(self._turn)

    def _next_batch(self) -> int:
        """Let the first ones begin, and refuse those that would be too late; how many began."""
        now = self._now()
        # The first batch of a line also waits for all the others to be accepted and read.
        self._batch_s = (self._batch_s + now - self._batch_began) / 2
        self._batch_began = now
        begun = 0
        while self._waiting and begun < BATCH:
            one = self._waiting.popleft()
            begun += _tell(one, self._lateness(one, now, 0))
        while self._waiting:
            # The others wait for this batch, too.
            late = self._lateness(self._waiting[-1], now, len(self._waiting) - 1 + BATCH)
            if late is None:
                break
            _tell(self._waiting.pop(), late)
        return begun

    def _lateness(self, one: _Waiting, now: float, place: int) -> Overloaded | None:
        return refusal(now - one.arrived + self._through_s(place), one.limit_s)


def _tell(one: _Waiting, late: Overloaded | None) -> bool:
    """Tell it what comes of its waiting; whether it begins. One whose client has left does not."""
    if one.told.done():
        return False
    one.told.set_result(late)
    return late is None

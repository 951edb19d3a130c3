"""Acts of one kind that come while one of them is on its way go together: one statement, one commit, one
round trip for all of them.

Who comes alone waits for nobody, and who waited does it for all that wait with him; nothing is held back by
a timer. Where one takes long, those behind it go all the same, PATIENCE_S after they came. Together is all
or nothing: where it fails, each is made alone, so only what cannot be done fails. Where nobody knows what
came of it, that holds of each. Knows no SQL.
"""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Generic, TypeVar

from openclaw_gateway.errors import GatewayError, StoreError
from openclaw_gateway.sessions.postgres.pool import doubtful, may_have_been_done

A = TypeVar("A")
R = TypeVar("R")

# So many go at once at most, and what is larger goes alone.
MOST = 64
SMALL_BYTES = 64 << 10
PATIENCE_S = 0.1


class _Word(Enum):
    """What one who waits is told instead of an answer."""

    LEAD = "make it, for all who wait"
    ALONE = "make it alone"


class _Waiting(Generic[A, R]):
    __slots__ = ("act", "heard", "is_sent", "timer", "until")

    def __init__(self, act: A, until: float | None) -> None:
        self.act = act
        self.until = until
        self.heard: asyncio.Future[R | _Word] = asyncio.get_running_loop().create_future()
        self.is_sent = False
        self.timer: asyncio.TimerHandle


class Together(Generic[A, R]):
    """`alone` makes one act, `together` several in the order of `place`: for each its answer, what it is
    refused with, or None where it must be made alone."""

    def __init__(
        self,
        alone: Callable[[A], Awaitable[R]],
        together: Callable[[Sequence[A]], Awaitable[Sequence[R | GatewayError | None]]],
        place: Callable[[A], tuple[str, str]],
    ) -> None:
        self._alone = alone
        self._together = together
        self._place = place
        # How many are on their way.
        self._leading = 0
        # Whether one is about to go, with all who wait.
        self._is_called = False
        self._line: deque[_Waiting[A, R]] = deque()

    async def make(self, act: A, until: float | None = None) -> R:
        """Its answer, which is there before `until`, of the monotonic clock. Raises what the act raises, and
        TimeoutError where it was not begun in time."""
        if self._leading:
            told = await self._told(act, until)
            if told is _Word.ALONE:
                return await self._alone(act)
            if not isinstance(told, _Word):
                return told
        else:
            self._leading = 1
        try:
            others = self._waiting()
            if not others:
                return await self._alone(act)
            own = await self._made(act, others)
        finally:
            self._pass_on()
        if isinstance(own, GatewayError):
            raise own
        return await self._alone(act) if own is None else own

    async def _told(self, act: A, until: float | None) -> R | _Word:
        own = _Waiting[A, R](act, until)
        self._line.append(own)
        self._be_patient(own, PATIENCE_S)
        try:
            return await own.heard
        except asyncio.CancelledError:
            if not own.heard.cancelled() and own.heard.result() is _Word.LEAD:
                self._is_called = False
                self._pass_on()
            raise
        finally:
            own.timer.cancel()

    def _be_patient(self, own: _Waiting[A, R], seconds: float) -> None:
        if own.until is not None:
            seconds = max(0.0, min(own.until - time.monotonic(), seconds))
        own.timer = asyncio.get_running_loop().call_later(seconds, self._lose_patience, own)

    def _lose_patience(self, own: _Waiting[A, R]) -> None:
        if own.heard.done():
            return
        if own.until is not None and time.monotonic() >= own.until:
            own.heard.set_exception(doubtful(TimeoutError()) if own.is_sent else TimeoutError())
        elif self._is_called and not own.is_sent:
            self._be_patient(own, PATIENCE_S)
        elif not own.is_sent:
            self._leading += 1
            self._call(own)
        elif own.until is not None:
            self._be_patient(own, own.until - time.monotonic())

    def _waiting(self) -> list[_Waiting[A, R]]:
        """Those that go now."""
        self._is_called = False
        taken: list[_Waiting[A, R]] = []
        while self._line and len(taken) < MOST - 1:
            one = self._line.popleft()
            if not one.heard.done():
                one.is_sent = True
                taken.append(one)
        return taken

    async def _made(self, act: A, others: Sequence[_Waiting[A, R]]) -> R | GatewayError | None:
        """What comes of this one; the others are told."""
        # All processes take what they lock in one order.
        order: list[tuple[A, _Waiting[A, R] | None]] = [(one.act, one) for one in others]
        order.append((act, None))
        order.sort(key=lambda each: self._place(each[0]))
        own: R | GatewayError | None = None
        try:
            answers = await self._together([each for each, _ in order])
        except StoreError as error:
            in_doubt = may_have_been_done(error)
            answers = [doubtful(error) if in_doubt else None for _ in order]
        except BaseException as error:
            for one in others:
                _tell(one, doubtful(error))
            raise
        for (_, other), answer in zip(order, answers, strict=True):
            if other is None:
                own = answer
            else:
                _tell(other, _Word.ALONE if answer is None else answer)
        return own

    def _pass_on(self) -> None:
        """To the first who waits still."""
        while self._line:
            one = self._line.popleft()
            if not one.heard.done():
                self._call(one)
                return
        self._leading -= 1

    def _call(self, one: _Waiting[A, R]) -> None:
        self._is_called = True
        one.heard.set_result(_Word.LEAD)


def _tell(one: _Waiting[A, R], answer: R | GatewayError | _Word) -> None:
    if one.heard.done():
        return
    if isinstance(answer, GatewayError):
        one.heard.set_exception(answer)
    else:
        one.heard.set_result(answer)

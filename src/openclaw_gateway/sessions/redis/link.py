"""One connection to one server: commands go out in one piece, their answers come back in order.

A protocol of the event loop with hiredis's parser, so that an answer is there with the read that brought it.
A deadline on every wait: a server that hangs, lies or goes away is one failure, `Away`, after which the link
is of no use. Knows no key and no command.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

from hiredis import ProtocolError, Reader
from msgspec import Struct

from openclaw_gateway.redaction import safe_text
from openclaw_gateway.sessions.local.log import settle

Command = Sequence[bytes]
# What a server says: bytes, whole numbers, nothing, lists of these; an error it answers with.
Reply = Any

# Bytes that came while nobody waited: then no more is read before all that was said has been taken.
MOST_UNHEARD = 1 << 20
# Characters of an error.
_SHOWN = 180
# Errors that are not of one command: nothing can be asked of this connection.
_NOT_NOW = ("LOADING", "MASTERDOWN", "NOAUTH", "ERR max number of clients")
_NO_MORE = object()
# Event loops may count whole milliseconds: what is left of a wait is none if it is no longer than this.
_TICK_S = 0.001


class Away(Exception):
    """The server cannot be asked; the text says why, without secrets."""


class Refused(Away):
    """The server answers, and takes nothing: its memory is full, it is a replica, we may not."""

    def __init__(self, why: str) -> None:
        super().__init__(f"it takes nothing: {why}")


class ErrorReply(Exception):
    """What a server answers to one command that it does not do."""


class Pace(Struct, frozen=True):
    """How long a server has, in seconds: to be connected to, to answer, and to say nothing at all before it
    is asked whether it is there."""

    connect_s: float = 3.0
    answer_s: float = 5.0
    quiet_s: float = 5.0


DEFAULT_PACE = Pace()


class Link(asyncio.Protocol):
    """For one task at a time. `secrets` are shown in no text.

    It has one timer for all its waits, which is set anew only when it has run down: most waits end early.
    """

    def __init__(self, secrets: Sequence[str], pace: Pace) -> None:
        self._secrets = secrets
        self._pace = pace
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(protocolError=ProtocolError, replyError=ErrorReply, notEnoughData=_NO_MORE)
        self._transport: asyncio.Transport | None = None
        self._heard: deque[Reply] = deque()
        self._unheard = 0
        self._is_paused = False
        self._broken = ""
        # How many answers are waited for, by whom, and until when.
        self._wanted = 0
        self._waiter: asyncio.Future[bool] | None = None
        self._until = 0.0
        # It goes off at `_rings_at`, which uvloop's does not tell where that is at once.
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0

    async def call(self, commands: Sequence[Command], *, within: float = 0.0) -> list[Reply]:
        """Their answers; one that is an error is an ErrorReply among them. `within` is in seconds, 0 = as
        long as any answer may take. Raises Away."""
        self._raise_unasked()
        self._write(b"".join(map(_packed, commands)))
        within = within or self._pace.answer_s
        try:
            have_come = await self._comes(len(commands), within)
        except asyncio.CancelledError:
            # Else the next call would take these answers for its own.
            self._break("nobody waited for its answer")
            raise
        if not have_come:
            raise self._broken_by(f"no answer within {within:g} s")
        return [self._taken() for _ in commands]

    async def ask(self, *command: bytes, within: float = 0.0) -> Reply:
        """The answer to one command. Raises Away, also for an error."""
        (reply,) = await self.call([command], within=within)
        if isinstance(reply, ErrorReply):
            raise Away(str(reply))
        return reply

    def send(self, *command: bytes) -> None:
        """Without waiting for an answer. Raises Away."""
        self._write(_packed(command))

    async def heard(self, within: float) -> Reply:
        """The next thing the server says by itself; None when the time is up. Raises Away, also for an
        error."""
        reply = self._taken() if await self._comes(1, within) else None
        if isinstance(reply, ErrorReply):
            raise Away(str(reply))
        return reply

    def close(self) -> None:
        """Nothing is waited for: what was said and not answered is of no interest any more."""
        self._break("the link is closed")

    def shown(self, error: Exception) -> str:
        """What may be told of it: short, and without the secrets."""
        return safe_text(str(error) or type(error).__name__, known=self._secrets, limit=_SHOWN)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        if self._broken:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        heard, reader = self._heard, self._reader
        try:
            reader.feed(data)
            while (reply := reader.gets(False)) is not _NO_MORE:  # noqa: FBT003 - bytes stay bytes
                heard.append(reply)
        except Exception as error:  # noqa: BLE001 - a server may lie
            self._break(f"its answer cannot be read ({type(error).__name__})")
            return
        if self._waiter is not None:
            if len(heard) >= self._wanted:
                settle(self._waiter, result=True)
            return
        self._unheard += len(data)
        if self._unheard > MOST_UNHEARD and not self._is_paused and self._transport is not None:
            self._is_paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self._break("the server closed the connection" if exc is None else self.shown(exc))

    async def _comes(self, count: int, within: float) -> bool:
        """Whether so much has been said in time. Raises Away."""
        if len(self._heard) >= count:
            return True
        self._raise_broken()
        self._unheard = 0
        if self._is_paused and self._transport is not None:
            self._is_paused = False
            self._transport.resume_reading()
        self._wanted = count
        self._until = self._loop.time() + within
        if self._timer is None or self._rings_at > self._until:
            self._set_timer()
        self._waiter = self._loop.create_future()
        try:
            has_come = await self._waiter
        finally:
            self._waiter = None
        if not has_come:
            self._raise_broken()
        return has_come

    def _taken(self) -> Reply:
        """The oldest of what was said."""
        reply = self._heard.popleft()
        if not isinstance(reply, ErrorReply):
            return reply
        # It is told to people, and who says it knows what opens the server.
        told = self.shown(reply)
        if told.startswith(_NOT_NOW):
            raise self._broken_by(told)
        return ErrorReply(told)

    def _raise_unasked(self) -> None:
        """Raises Away if something was said before anything was asked: a server that has no place for us says
        so, and goes."""
        if self._heard:
            said = self._heard[0]
            is_error = isinstance(said, ErrorReply)
            raise self._broken_by(self.shown(said) if is_error else "it says what nobody asked for")

    def _write(self, words: bytes) -> None:
        self._raise_broken()
        if self._transport is not None:
            self._transport.write(words)

    def _break(self, why: str) -> None:
        """The first reason is the one."""
        self._broken = self._broken or why
        self._wanted = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
        if self._waiter is not None:
            settle(self._waiter, result=False)

    def _broken_by(self, why: str) -> Away:
        self._break(why)
        return Away(why)

    def _raise_broken(self) -> None:
        if self._broken:
            raise Away(self._broken)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._rings_at = self._until
        self._timer = self._loop.call_at(self._rings_at, self._run_down)

    def _run_down(self) -> None:
        self._timer = None
        if self._waiter is None:
            return
        if self._until - self._loop.time() > _TICK_S:
            self._set_timer()
        else:
            settle(self._waiter, result=False)


def _packed(command: Command) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in command])

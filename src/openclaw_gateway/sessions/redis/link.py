"""One connection to one server: commands go out in one piece, their answers come back in order.

A thin shell over redis-py's connection, with a deadline on every wait: a server that hangs, lies or goes away
is one failure, `Away`, after which the link is of no use. Knows no key and no command.
"""

import asyncio
import ssl
from collections.abc import Sequence
from typing import Any

from msgspec import Struct
from redis.asyncio.connection import AbstractConnection, Connection, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from openclaw_gateway.redaction import safe_text
from openclaw_gateway.sessions.redis.urls import Address, Credentials

# What is asked of a connection at its beginning, beside who we are, is of use to others' servers only.
_NO_NEWS = MaintNotificationsConfig(enabled=False)

Command = Sequence[bytes]
# What a server says: bytes, whole numbers, nothing, lists of these; an error it answers with.
Reply = Any


class Away(Exception):
    """The server cannot be asked; the text says why, without secrets."""


class Refused(Away):
    """The server answers, and takes nothing: its memory is full, it is a replica, we may not."""

    def __init__(self, why: str) -> None:
        super().__init__(f"it takes nothing: {why}")


class Pace(Struct, frozen=True):
    """How long a server has, in seconds: to be connected to, to answer, and to say nothing at all before it
    is asked whether it is there."""

    connect_s: float = 3.0
    answer_s: float = 5.0
    quiet_s: float = 5.0


DEFAULT_PACE = Pace()


class Opener:
    """How connections to the servers of one URL are made."""

    def __init__(
        self, credentials: Credentials, tls: ssl.SSLContext | None, pace: Pace, database: int = 0
    ) -> None:
        self._credentials = credentials
        self._pace = pace
        self._tls = tls
        self._database = database

    async def open(self, address: Address) -> "Link":
        """Raises Away."""
        link = Link(self._connection(address), (self._credentials.password or "",), self._pace)
        await link.open()
        return link

    def _connection(self, address: Address) -> AbstractConnection:
        common: dict[str, Any] = {
            "db": self._database,
            "username": self._credentials.username,
            "password": self._credentials.password,
            "socket_timeout": None,
            "socket_connect_timeout": self._pace.connect_s,
            "protocol": 2,
            "driver_info": None,
            "maint_notifications_config": _NO_NEWS,
        }
        if address.path:
            return UnixDomainSocketConnection(path=address.path, **common)
        if self._tls is None:
            return Connection(host=address.host, port=address.port, **common)
        secured = SSLConnection(host=address.host, port=address.port, **common)
        # Made once: a context reads the system's authorities from disk.
        secured.ssl_context.context = self._tls
        return secured


class Link:
    """For one task at a time."""

    def __init__(self, connection: AbstractConnection, secrets: Sequence[str], pace: Pace) -> None:
        self._connection = connection
        self._pace = pace
        self._secrets = tuple(filter(None, secrets))

    async def open(self) -> None:
        """Raises Away."""
        try:
            async with asyncio.timeout(self._pace.connect_s):
                await self._connection.connect()  # type: ignore[no-untyped-call]
        except Exception as error:  # noqa: BLE001 - a server may lie
            raise await self._lost(error, "no connection") from None
        except BaseException:
            await self.close()
            raise

    async def call(self, commands: Sequence[Command], *, within: float = 0.0) -> list[Reply]:
        """Their answers; one that is an error is a ResponseError among them. `within` is in seconds, 0 = as
        long as any answer may take. Raises Away."""
        within = within or self._pace.answer_s
        try:
            async with asyncio.timeout(within):
                await self._connection.send_packed_command(
                    b"".join(map(_packed, commands)), check_health=False
                )
                return await self._answers(len(commands))
        except Exception as error:  # noqa: BLE001 - a server may lie
            raise await self._lost(error, f"no answer within {within:g} s") from None

    async def ask(self, *command: bytes, within: float = 0.0) -> Reply:
        """The answer to one command. Raises Away, also for an error."""
        (reply,) = await self.call([command], within=within)
        if isinstance(reply, ResponseError):
            raise Away(str(reply))
        return reply

    async def send(self, *command: bytes) -> None:
        """Without waiting for an answer. Raises Away."""
        try:
            async with asyncio.timeout(self._pace.answer_s):
                await self._connection.send_packed_command(_packed(command), check_health=False)
        except Exception as error:  # noqa: BLE001 - a server may lie
            raise await self._lost(error, "nothing can be sent") from None

    async def heard(self, within: float) -> Reply:
        """The next thing the server says by itself; None when the time is up. Raises Away."""
        try:
            async with asyncio.timeout(within):
                return await self._connection.read_response(disable_decoding=True, disconnect_on_error=False)
        except TimeoutError:
            return None
        except Exception as error:  # noqa: BLE001 - a server may lie
            raise await self._lost(error, "the link is broken") from None

    async def close(self) -> None:
        # Nothing is waited for: what was said and not answered is of no interest any more.
        await self._connection.disconnect(nowait=True)

    async def _answers(self, count: int) -> list[Reply]:
        read = self._connection.read_response
        answers: list[Reply] = []
        for _ in range(count):
            try:
                answers.append(await read(disable_decoding=True))
            except ResponseError as error:
                # It is told to people, and who says it knows what opens the server.
                answers.append(ResponseError(self._worded(error)))
        return answers

    async def _lost(self, error: Exception, late: str) -> Away:
        """What to raise; the connection is closed. What a lying server makes the library raise may be
        anything."""
        await self._connection.disconnect(nowait=True)
        if isinstance(error, TimeoutError):
            return Away(late)
        return Away(self._worded(error))

    def _worded(self, error: Exception) -> str:
        if isinstance(error, RedisError | OSError):
            return safe_text(str(error) or type(error).__name__, known=self._secrets, limit=180)
        return f"its answer cannot be read ({type(error).__name__})"


def _packed(command: Command) -> bytes:
    return b"*%d\r\n" % len(command) + b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in command])

"""How connections to the servers of one URL are made: where to, over what, and with what opens them."""

import asyncio
import ssl

from openclaw_gateway.sessions.redis.link import Away, Command, ErrorReply, Link, Pace
from openclaw_gateway.sessions.redis.urls import Address, Credentials


class Opener:
    """`tls` was made once: a context reads the system's authorities from disk."""

    def __init__(
        self, credentials: Credentials, tls: ssl.SSLContext | None, pace: Pace, database: int = 0
    ) -> None:
        self._secrets = (credentials.password,) if credentials.password else ()
        self._pace = pace
        self._tls = tls
        self._greeting = _greeting(credentials, database)

    async def open(self, address: Address) -> Link:
        """Raises Away."""
        link = Link(self._secrets, self._pace)
        try:
            async with asyncio.timeout(self._pace.connect_s):
                await self._connect(link, address)
                await self._greet(link)
        except BaseException as error:
            link.close()
            if isinstance(error, TimeoutError):
                raise Away("no connection") from None
            if isinstance(error, Away) or not isinstance(error, Exception):
                raise
            # Where to may be what a server said, and no place at all.
            raise Away(link.shown(error)) from None
        return link

    async def _connect(self, link: Link, address: Address) -> None:
        """Raises OSError, and anything for a name or a number that is none."""
        loop = asyncio.get_running_loop()
        if address.path:
            await loop.create_unix_connection(lambda: link, address.path)
        else:
            await loop.create_connection(lambda: link, address.host, address.port, ssl=self._tls)

    async def _greet(self, link: Link) -> None:
        """Raises Away."""
        if not self._greeting:
            return
        for reply in await link.call(self._greeting):
            if isinstance(reply, ErrorReply):
                raise Away(str(reply))


def _greeting(credentials: Credentials, database: int) -> list[Command]:
    """What is said first: who we are, and which database is meant."""
    said: list[Command] = []
    user, password = (credentials.username or "").encode(), (credentials.password or "").encode()
    if user:
        said.append([b"AUTH", user, password])
    elif password:
        said.append([b"AUTH", password])
    if database:
        said.append([b"SELECT", b"%d" % database])
    return said

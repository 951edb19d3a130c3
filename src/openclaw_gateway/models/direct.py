"""A request that is written in one piece, over aiohttp's pool of connections and with its parser of answers.

What aiohttp's own request does besides (a task that writes the body, headers merged anew, cookies, redirects,
three timers) is a sixth of an answer's work, and the same for each call of an endpoint. Must not know what is
asked, nor what an answer means.
"""

import aiohttp
from aiohttp.connector import Connection

from openclaw_gateway.models.aiohttp_private import Head, connection_to, end_reading, exchange, pool_request
from openclaw_gateway.models.prepared import Prepared

LARGEST = 60 << 10
"""Bytes of a body that goes out this way: a transport takes that much without being waited for."""


class Direct:
    """Posts to one URL, by way of a session's connections. Not through a proxy."""

    def __init__(self, session: aiohttp.ClientSession, prepared: Prepared) -> None:
        """Raises ValueError for headers that cannot be sent."""
        self._session = session
        self._prepared = prepared
        self._request = pool_request(session, prepared.url, prepared.headers)
        lines = [f"POST {prepared.url.raw_path_qs} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in self._request.headers.items()]
        if any(set(line) & {"\r", "\n", "\0"} for line in lines):
            raise ValueError("a header with a line end in it")
        self._head = "\r\n".join([*lines, "Content-Length: "]).encode()

    async def post(self, body: bytes) -> "DirectResponse":
        """Send and wait for the status line; close what comes back. Raises what aiohttp raises."""
        prepared = self._prepared
        connection = await connection_to(self._session, self._request, prepared.timeout)
        try:
            head = await exchange(
                connection,
                b"%b%d\r\n\r\n" % (self._head, len(body)),
                body,
                answer_s=prepared.timeout.sock_read,
            )
        except BaseException:
            connection.close()
            raise
        return DirectResponse(head, connection)


class DirectResponse:
    """What is needed of `aiohttp.ClientResponse`. The connection goes back to the pool with the last byte."""

    __slots__ = ("_connection", "content", "headers", "status")

    def __init__(self, head: Head, connection: Connection) -> None:
        self.status, self.headers, self.content = head
        self._connection: Connection | None = connection
        self.content.on_eof(self._release)

    def close(self) -> None:
        """The connection of an answer that was not read to its end is closed."""
        if self._connection is not None:
            end_reading(self.content)
            self._connection.close()
            self._connection = None

    def _release(self) -> None:
        if self._connection is not None:
            self._connection.release()
            self._connection = None

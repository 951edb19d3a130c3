"""Makes our connections, counts them, and says which are too many.

There are three bounds: `gateway.limits.maxConnections`, a number per address, and what the process may have
open (descriptors.py). A connection beyond them is not shut out: it may make one request, so that a probe is
answered and everybody else is told in HTTP why not. Of those, only so many are kept; for a newer one the
oldest that has said nothing has to go.
"""

import asyncio
from typing import Any

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from openclaw_gateway import descriptors
from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.descriptors import Share
from openclaw_gateway.doors.body_room import BodyRoom
from openclaw_gateway.doors.connection import Connection, Handle
from openclaw_gateway.doors.lateness import Lateness
from openclaw_gateway.errors import Overloaded

log = structlog.get_logger()

DEFAULT_PER_ADDRESS = 200


class Server(web.Server):
    """`limits` may be replaced; they hold for the connections that come from then on."""

    def __init__(self, handle: Handle, limits: Limits, share: Share, **options: Any) -> None:
        super().__init__(_never, handler_cancellation=True)
        self._handle = handle
        self._event_loop = asyncio.get_running_loop()
        self.limits = limits
        self._share = share
        self._lateness = Lateness(self._event_loop)
        self._body_room = BodyRoom()
        self._options = options
        self._per_address: dict[str, int] = {}
        self._within: dict[RequestHandler, str] = {}
        self._beyond: dict[Connection, None] = {}
        self._refused = 0
        self._why = ""

    @property
    def is_crowded(self) -> bool:
        """Whether some connections are beyond the caps now."""
        return bool(self._beyond)

    @property
    def spare(self) -> int:
        """How many connections beyond the caps are heard at once."""
        return self._share.spare

    def admit(self, address: str, descriptor: int) -> Connection:
        """The connection for a socket that was accepted. It counts until it is lost, or let go."""
        crowding = self._crowding(address, descriptor)
        connection = self._connection(crowding)
        if crowding is None:
            self._within[connection] = address
            self._per_address[address] = self._per_address.get(address, 0) + 1
        else:
            self._refused += 1
            self._why = crowding.message
            self._hear(connection)
        return connection

    def let_go(self, connection: RequestHandler) -> None:
        """It no longer counts."""
        self._beyond.pop(connection, None)  # type: ignore[call-overload]
        address = self._within.pop(connection, None)
        if address is not None:
            self._per_address[address] -= 1
            if not self._per_address[address]:
                del self._per_address[address]

    def connection_lost(self, handler: RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self.let_go(handler)

    async def shutdown(self, timeout: float | None = None) -> None:  # noqa: ASYNC109  (aiohttp's signature)
        self._lateness.close()
        await super().shutdown(timeout)

    def sweep(self, now: float) -> None:
        for connection in self.connections:
            if isinstance(connection, Connection):
                connection.sweep(now)
        self.report()

    def report(self) -> None:
        """Say in the log how many were refused since the last time, if any were."""
        if self._refused:
            log.warning(
                "http.too_many_connections", refused=self._refused, open=len(self._within), reason=self._why
            )
            self._refused = 0

    def _connection(self, crowding: Overloaded | None) -> Connection:
        limits = self.limits
        # The parser reports one kind of error for URL and header; unequal limits tell them apart.
        same = limits.max_header_bytes == limits.max_url_bytes
        return Connection(
            self,
            limits,
            self._lateness,
            self._body_room,
            self._handle,
            crowding=crowding,
            loop=self._event_loop,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=limits.keep_alive_s,
            max_line_size=limits.max_url_bytes,
            max_field_size=limits.max_header_bytes + same,
            **self._options,
        )

    def _hear(self, connection: Connection) -> None:
        """Keep it for its one request, instead of the oldest that has made none."""
        if len(self._beyond) >= self._share.spare:
            oldest = next((one for one in self._beyond if one.is_unheard), None)
            if oldest is None:
                connection.turn_away()
                return
            del self._beyond[oldest]
            oldest.turn_away()
        self._beyond[connection] = None

    def _crowding(self, address: str, descriptor: int) -> Overloaded | None:
        limits, share = self.limits, self._share
        if len(self._within) >= limits.max_connections:
            return _crowded("the gateway", "gateway.limits.maxConnections")
        if len(self._within) >= share.connections or descriptors.beyond_line(descriptor):
            return Overloaded(
                f"The gateway may have {share.limit} files open and has no room for more connections. Try "
                "again soon; its operator raises the limit with ulimit -n, or LimitNOFILE in a service.",
                retry_after=1,
            )
        cap = limits.max_connections_per_address
        if self._per_address.get(address, 0) >= (cap or DEFAULT_PER_ADDRESS) and (
            cap is not None or not is_loopback(address)
        ):
            return _crowded("one address", "gateway.limits.maxConnectionsPerAddress")
        return None


def _crowded(who: str, key: str) -> Overloaded:
    return Overloaded(f"Too many connections from {who} ({key}). Close some, then try again.", retry_after=1)


async def _never(_: web.BaseRequest) -> web.StreamResponse:
    raise NotImplementedError  # our connections have their own loop, which calls `handle`

"""The one upstream client: every request to a provider leaves through here.

Pooled connections, and deadlines for every wait. aiohttp's errors end here: what leaves is a ProviderError
that names the provider, never a URL or a key. It must not know any dialect: bytes out, an answer's bytes in.
"""

import asyncio
import io
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import AddrInfoType

from openclaw_gateway import descriptors
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.models.aiohttp_private import Pool, end_deadline
from openclaw_gateway.models.direct import LARGEST, Direct, DirectResponse
from openclaw_gateway.models.http_errors import FAILURES, Phase, translate
from openclaw_gateway.models.large_images import Pieces
from openclaw_gateway.models.prepared import Prepared, prepare
from openclaw_gateway.models.target import Endpoint
from openclaw_gateway.models.upstream_response import UpstreamResponse

# Who we are to an endpoint, as its dialect says it.
Headers = Callable[[Endpoint], Mapping[str, str]]

# More bytes than this are handed to aiohttp as a file: written piece by piece, as the provider takes them.
_LARGE_BODY = 256 << 10
_MAX_DRAINS = 256
# How a path of an endpoint is asked, and the shorter way where there is one.
_Way = tuple[Prepared, Direct | None]
# The kernel takes a 32-bit number.
_MOST_MS = 2**31 - 1


class UpstreamClient:
    """Owns the connections to all providers. Made anywhere, used on one event loop, closed once.

    New `limits` count for endpoints that are new to it.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None
        self._pool: Pool | None = None
        self._ways: WeakKeyDictionary[Endpoint, dict[str, _Way]] = WeakKeyDictionary()
        self._drains: set[asyncio.Task[None]] = set()
        self._closed = False

    async def post(
        self, endpoint: Endpoint, path: str, body: bytes | Pieces, headers: Headers | None = None
    ) -> UpstreamResponse:
        """Send and wait for the status line. The caller must close the response, whatever happens.

        `headers` says who we are, the same for every request to this path of the endpoint. `path` may
        have a query.

        Raises ProviderError when there is no answer, Overloaded when this process may open no more
        connections. Cancelling closes the connection.
        """
        session = self._session or self._open()
        ways = self._ways.get(endpoint)
        way = ways.get(path) if ways is not None else None
        prepared, direct = way or self._prepare(session, endpoint, path, headers)
        response: aiohttp.ClientResponse | DirectResponse
        try:
            if direct is not None and isinstance(body, bytes) and len(body) <= LARGEST:
                response = await direct.post(body)
            else:
                response = await _post(session, prepared, body)
        except FAILURES as error:
            raise translate(error, prepared.vendor, Phase.REQUEST) from None
        return UpstreamResponse(
            response,
            prepared.vendor,
            cap=self.limits.max_upstream_response_bytes,
            silence_s=prepared.silence_s,
            in_background=self._drain,
        )

    async def get(self, endpoint: Endpoint, path: str, headers: Headers | None = None) -> UpstreamResponse:
        """Ask for something once; as `post` otherwise. Nothing is kept for the next time."""
        session = self._session or self._open()
        try:
            prepared = prepare(endpoint, path, headers(endpoint) if headers else {}, self.limits)
            response = await session.get(
                prepared.url,
                headers=prepared.headers,
                timeout=prepared.timeout,
                proxy=prepared.proxy,
                allow_redirects=False,
            )
        except (*FAILURES, ValueError) as error:
            raise translate(error, endpoint.vendor, Phase.REQUEST) from None
        return UpstreamResponse(
            response,
            prepared.vendor,
            cap=self.limits.max_upstream_response_bytes,
            silence_s=prepared.silence_s,
            in_background=self._drain,
        )

    async def close(self) -> None:
        """Close every connection. Calls under way fail; later ones are refused."""
        self._closed = True
        for drain in tuple(self._drains):
            drain.cancel()
        if self._drains:
            await asyncio.wait(self._drains)
        if self._pool is not None:
            self._pool.end_answers()
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise Overloaded("The gateway is shutting down.", code="shutting_down")
        # No limit here: a run has one connection and the gateway limits the runs. aiohttp's default of
        # 100 would make the others wait.
        self._pool = Pool(
            limit=0,
            limit_per_host=0,
            keepalive_timeout=30,
            ttl_dns_cache=60,
            socket_factory=lambda address: _socket(self.limits.upstream_first_byte_s, address),
        )
        self._session = aiohttp.ClientSession(
            connector=self._pool,
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=False,
            # Proxies are looked up in `_prepare`, once per endpoint: aiohttp would start two threads per
            # request for it, and read ~/.netrc for credentials nobody meant for a provider.
            trust_env=False,
        )
        return self._session

    def _prepare(
        self, session: aiohttp.ClientSession, endpoint: Endpoint, path: str, headers: Headers | None
    ) -> "_Way":
        try:
            prepared = prepare(endpoint, path, headers(endpoint) if headers else {}, self.limits)
            direct = prepared.proxy is None and prepared.url.scheme in {"http", "https"}
            way = (prepared, Direct(session, prepared) if direct else None)
        except ValueError as error:
            raise translate(error, endpoint.vendor, Phase.REQUEST) from None
        self._ways.setdefault(endpoint, {})[path] = way
        return way

    def _drain(self, response: UpstreamResponse) -> bool:
        """Let a response read its end in a task of ours; False when there are too many of those."""
        if len(self._drains) >= _MAX_DRAINS or self._closed:
            return False
        task = asyncio.create_task(response.drain(), name="upstream-drain")
        self._drains.add(task)
        task.add_done_callback(self._drains.discard)
        task.add_done_callback(lambda _: response.drained())
        return True


async def _post(
    session: aiohttp.ClientSession, prepared: Prepared, body: bytes | Pieces
) -> aiohttp.ClientResponse:
    # aiohttp watches the silence after the request has been sent, but not the sending.
    async with asyncio.timeout(prepared.answer_s):
        response = await session.post(
            prepared.url,
            data=_data(body),
            # Of what comes in pieces, aiohttp does not know the length; not every server takes that.
            headers={**prepared.headers, "Content-Length": str(len(body))}
            if isinstance(body, Pieces)
            else prepared.headers,
            timeout=prepared.timeout,
            proxy=prepared.proxy,
            allow_redirects=False,
        )
    end_deadline(response)
    return response


def _data(body: bytes | Pieces) -> bytes | io.BytesIO | AsyncIterator[bytes]:
    if isinstance(body, Pieces):
        return aiter(body)
    return body if len(body) <= _LARGE_BODY else io.BytesIO(body)


def _socket(unsent_s: float, address: AddrInfoType) -> socket.socket:
    """A socket that gives up on its own when the other side takes nothing for that long.

    Closing a connection first sends what is still to be sent: without this, a provider that has stopped
    reading would hold the connections of abandoned requests for ever. Raises Overloaded when too many files
    are open.
    """
    try:
        made = socket.socket(*address[:3])
    except OSError as error:
        if error.errno in descriptors.EXHAUSTED:
            raise _no_descriptor() from None
        raise
    if descriptors.beyond_line(made.fileno()):
        made.close()
        raise _no_descriptor()
    made.settimeout(0)
    if (option := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
        made.setsockopt(socket.IPPROTO_TCP, option, min(round(unsent_s * 1000), _MOST_MS))
    return made


def _no_descriptor() -> Overloaded:
    return Overloaded(
        "The gateway has as many files open as it may, and cannot call the model now. Try again soon; its "
        "operator raises the limit with ulimit -n, or LimitNOFILE in a service.",
        retry_after=1,
    )

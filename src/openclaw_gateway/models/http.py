"""The one upstream client: every request to a provider leaves through here.

Pooled connections, deadlines for every wait, a cap for every answer, and the only place that knows
aiohttp's errors: what leaves is a ProviderError that names the provider, never a URL or a key. It must
not know any dialect: bytes out, batches of bytes in.
"""

import asyncio
import io
import socket
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from urllib.request import getproxies, proxy_bypass
from weakref import WeakKeyDictionary

import aiohttp
from aiohttp import AddrInfoType
from multidict import CIMultiDict
from yarl import URL

from openclaw_gateway import __version__
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import Overloaded, ProviderError
from openclaw_gateway.models.http_errors import FAILURES, Phase, translate
from openclaw_gateway.models.target import Endpoint
from openclaw_gateway.models.vendor_errors import Vendor

# Who we are to an endpoint, as its dialect says it.
Headers = Callable[[Endpoint], Mapping[str, str]]

# More bytes than this are handed to aiohttp as a file: written piece by piece, as the provider takes them.
_LARGE_BODY = 256 << 10
_ERROR_BODY = 64 << 10
_ERROR_BODY_S = 5.0
_DRAIN_S = 1.0
_DRAIN_BYTES = 64 << 10
_MAX_DRAINS = 256


class UpstreamClient:
    """Owns the connections to all providers. Made anywhere, used on one event loop, closed once."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._session: aiohttp.ClientSession | None = None
        self._prepared: WeakKeyDictionary[Endpoint, dict[str, _Prepared]] = WeakKeyDictionary()
        self._drains: set[asyncio.Task[None]] = set()
        self._closed = False

    async def post(
        self, endpoint: Endpoint, path: str, body: bytes, headers: Headers | None = None
    ) -> "UpstreamResponse":
        """Send and wait for the status line. The caller must close the response, whatever happens.

        `headers` says who we are, the same for every request to this path of the endpoint. `path` may
        have a query.

        Raises ProviderError when there is no answer. Cancelling closes the connection.
        """
        session = self._session or self._open()
        prepared = self._prepared.get(endpoint, {}).get(path) or self._prepare(endpoint, path, headers)
        try:
            # aiohttp watches the silence after the request has been sent, but not the sending.
            async with asyncio.timeout(prepared.answer_s):
                response = await session.post(
                    prepared.url,
                    data=body if len(body) <= _LARGE_BODY else io.BytesIO(body),
                    headers=prepared.headers,
                    timeout=prepared.timeout,
                    proxy=prepared.proxy,
                    allow_redirects=False,
                )
        except FAILURES as error:
            raise translate(error, prepared.vendor, Phase.REQUEST) from None
        if prepared.silence_s != prepared.timeout.sock_read:
            connection = response.connection
            if connection is not None and connection.protocol is not None:
                connection.protocol.read_timeout = prepared.silence_s
        return UpstreamResponse(self, response, prepared.vendor, self._limits.max_upstream_response_bytes)

    async def close(self) -> None:
        """Close every connection. Calls under way fail; later ones are refused."""
        self._closed = True
        for drain in tuple(self._drains):
            drain.cancel()
        if self._drains:
            await asyncio.wait(self._drains)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._closed:
            raise Overloaded("The gateway is shutting down.", code="shutting_down")
        self._session = aiohttp.ClientSession(
            # No limit here: a run has one connection and the gateway limits the runs. aiohttp's default of
            # 100 would make the others wait.
            connector=aiohttp.TCPConnector(
                limit=0,
                limit_per_host=0,
                keepalive_timeout=30,
                ttl_dns_cache=60,
                socket_factory=partial(_socket, round(self._limits.upstream_first_byte_s * 1000)),
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            raise_for_status=False,
            # Proxies are looked up in `_prepare`, once per endpoint: aiohttp would start two threads per
            # request for it, and read ~/.netrc for credentials nobody meant for a provider.
            trust_env=False,
        )
        return self._session

    def _prepare(self, endpoint: Endpoint, path: str, headers: Headers | None) -> "_Prepared":
        try:
            prepared = _prepare(endpoint, path, headers(endpoint) if headers else {}, self._limits)
        except ValueError as error:
            raise translate(error, endpoint.vendor, Phase.REQUEST) from None
        self._prepared.setdefault(endpoint, {})[path] = prepared
        return prepared

    def drain(self, response: "UpstreamResponse") -> bool:
        """Let a response read its end in a task of ours; False when there are too many of those."""
        if len(self._drains) >= _MAX_DRAINS or self._closed:
            return False
        task = asyncio.create_task(response.drain(), name="upstream-drain")
        self._drains.add(task)
        task.add_done_callback(self._drains.discard)
        task.add_done_callback(lambda _: response.drained())
        return True


class UpstreamResponse:
    """An answer whose status and headers have come. `close` it when done or when it is no longer wanted."""

    def __init__(
        self, client: UpstreamClient, response: aiohttp.ClientResponse, vendor: Vendor, cap: int
    ) -> None:
        self._client = client
        self._response = response
        self._content = response.content
        self._vendor = vendor
        self._left = cap
        self._cap = cap
        self._finished = False
        self.status = response.status
        self.headers = response.headers

    @property
    def content_type(self) -> str:
        """Without parameters, in lower case; empty when the provider sent none."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    async def read(self) -> bytes:
        """All bytes that are there, at least one; b"" at the end. Raises ProviderError."""
        try:
            data = await self._content.readany()
        except FAILURES as error:
            raise translate(error, self._vendor, Phase.ANSWER) from None
        self._left -= len(data)
        if self._left < 0:
            raise ProviderError(
                "bad_response",
                f"The provider {self._vendor.provider} sent more than {self._cap} bytes in one answer; "
                "the rest was dropped. The limit is gateway.limits.maxUpstreamResponseBytes.",
            )
        return data

    async def read_all(self) -> bytes:
        """The whole rest. Raises ProviderError."""
        parts = []
        while part := await self.read():
            parts.append(part)
        return b"".join(parts)

    async def read_error(self) -> bytes:
        """The start of an error's body, as much as there is: the error counts, not the end of its text."""
        parts: list[bytes] = []
        size = 0
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_ERROR_BODY_S):
                while size < _ERROR_BODY and (part := await self.read()):
                    parts.append(part)
                    size += len(part)
        return b"".join(parts)[:_ERROR_BODY]

    def close(self) -> None:
        """Give the connection back if the answer has been read to its end, else close it at once."""
        if not self._finished:
            self._response.close()

    def finish(self) -> None:
        """The caller has all it wants, and only the end of the body may be missing.

        That end is taken in the background, so that nobody waits for it and the connection can be used
        again; nothing more may be read.
        """
        if not self._content.is_eof():
            self._finished = self._client.drain(self)

    async def drain(self) -> None:
        """Read what is left, if it is little and comes soon."""
        left = _DRAIN_BYTES
        with suppress(ProviderError, TimeoutError):
            async with asyncio.timeout(_DRAIN_S):
                while left > 0 and (data := await self.read()):
                    left -= len(data)

    def drained(self) -> None:
        """The other half of `drain`, for when its task has ended, was cancelled, or has never begun."""
        self._response.close()


@dataclass(frozen=True, slots=True)
class _Prepared:
    url: URL
    headers: CIMultiDict[str]
    timeout: aiohttp.ClientTimeout
    silence_s: float | None
    answer_s: float | None
    proxy: URL | None
    vendor: Vendor


def _socket(unsent_ms: int, address: AddrInfoType) -> socket.socket:
    """A socket that gives up on its own when the other side takes nothing for that long.

    Closing a connection first sends what is still to be sent: without this, a provider that has stopped
    reading would hold the connections of abandoned requests for ever.
    """
    made = socket.socket(*address[:3])
    made.settimeout(0)
    if (option := getattr(socket, "TCP_USER_TIMEOUT", None)) is not None:
        made.setsockopt(socket.IPPROTO_TCP, option, unsent_ms)
    return made


def _prepare(endpoint: Endpoint, path: str, shown: Mapping[str, str], limits: Limits) -> _Prepared:
    base = URL(endpoint.base_url)
    headers = CIMultiDict(
        {
            "Accept": "*/*",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": f"openclaw-gateway/{__version__}",
        }
    )
    headers.update(shown)
    if base.user is not None and "Authorization" not in headers:
        pair = f"{base.user}:{base.password or ''}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    headers.update(endpoint.headers)
    path, _, query = path.partition("?")
    url = base.with_user(None).with_path(base.path.rstrip("/") + path, keep_query=True).update_query(query)
    first_byte, silence = limits.upstream_first_byte_s, limits.upstream_silence_s
    if endpoint.timeout_s is not None:
        first_byte = silence = endpoint.timeout_s
    connect = limits.upstream_connect_s
    return _Prepared(
        url,
        headers,
        aiohttp.ClientTimeout(
            total=None, connect=connect, sock_connect=connect, sock_read=first_byte or None
        ),
        silence or None,
        connect + first_byte if first_byte else None,
        _proxy_for(url),
        endpoint.vendor,
    )


def _proxy_for(url: URL) -> URL | None:
    """The proxy the environment names (HTTPS_PROXY, HTTP_PROXY, NO_PROXY); never one for this machine."""
    host = url.host or ""
    if host in {"localhost", "::1"} or host.startswith("127."):
        return None
    proxies = getproxies()
    if url.scheme not in proxies or proxy_bypass(host):
        return None
    return URL(proxies[url.scheme])

"""One page or file over the network: redirects followed by hand and each checked, size and time bounded.

Sends no cookies, through no proxy, and credentials only where the operator says so. Knows nothing of HTML.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from yarl import URL

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.web.addresses import Address, AddressRule, NotReached, checked_url, public
from openclaw_gateway.tools.web.body import BoundedBody
from openclaw_gateway.tools.web.dial import Lookup, checked_connector, system_lookup
from openclaw_gateway.tools.web.fetched import FetchLimits, Page, Reply

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024


class Fetcher:
    """`lookup` and `rule` say what names mean and which addresses are open."""

    def __init__(self, *, lookup: Lookup = system_lookup, rule: AddressRule = public) -> None:
        self._lookup = lookup
        self._rule = rule

    async def fetch(self, text: str, limits: FetchLimits) -> Page:
        """Raises ToolError with a sentence for the model; NotReached, which is one, where nothing answers or
        may be asked."""
        url = _listed(checked_url(text, self._rule), limits)
        async with _told(url, limits), self._session(limits, self._rule) as session:
            for _ in range(limits.max_redirects + 1):
                found = await self._hop(session, url, limits)
                if isinstance(found, Page):
                    return found
                url = found
        raise ToolError(f"More than {limits.max_redirects} redirects.")

    async def ask(
        self,
        url: URL,
        limits: FetchLimits,
        *,
        secret: Mapping[str, str] = {},
        body: Mapping[str, Any] | None = None,
    ) -> Reply:
        """What a server of the operator's answers; with a `body` to a POST of it as JSON.

        Its address may be a private one. Where it redirects to is checked like every page unless it is the
        server itself, and gets no `secret` headers; a POST is not sent anywhere else. Raises ToolError.
        """
        home = url.origin()
        async with _told(url, limits):
            for _ in range(limits.max_redirects + 1):
                own = url.origin() == home
                url = url if own else checked_url(str(url), self._rule)
                async with (
                    self._session(limits, _any if own else self._rule) as session,
                    session.request(
                        "GET" if body is None else "POST",
                        url,
                        allow_redirects=False,
                        headers={"Accept": "application/json", **(secret if own else {})},
                        json=body,
                    ) as response,
                ):
                    target = response.headers.get("Location")
                    if body is not None or response.status not in _REDIRECTS or not target:
                        return Reply(response.status, await _read(response, url, limits), _retry(response))
                    url = url.join(URL(target))
        raise ToolError(f"More than {limits.max_redirects} redirects.")

    def _session(self, limits: FetchLimits, rule: AddressRule) -> ClientSession:
        return ClientSession(
            connector=checked_connector(self._lookup, rule),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=ClientTimeout(total=None, connect=10.0),
            read_bufsize=_CHUNK,
            headers={
                "User-Agent": limits.user_agent,
                "Accept": limits.accept,
                "Accept-Encoding": "gzip, deflate",
                "Accept-Language": "en,*;q=0.5",
            },
        )

    async def _hop(self, session: ClientSession, url: URL, limits: FetchLimits) -> Page | URL:
        async with session.get(url, allow_redirects=False) as response:
            target = response.headers.get("Location")
            if response.status in _REDIRECTS and target:
                return _listed(checked_url(str(url.join(URL(target))), self._rule), limits)
            if not 200 <= response.status < 300:
                raise ToolError(f"{url.host} answered {_status(response.status)}.")
            return await _read(response, url, limits)


@asynccontextmanager
async def _told(url: URL, limits: FetchLimits) -> AsyncIterator[None]:
    """Within the time allowed, and what goes wrong on the way as a sentence."""
    try:
        async with asyncio.timeout(limits.timeout_s):
            yield
    except TimeoutError:
        raise ToolError(f"No complete answer within {limits.timeout_s:g} s.") from None
    except ssl.SSLError:
        raise ToolError(f"{url.host}: its certificate is not accepted.") from None
    except (ClientError, OSError, ValueError):
        raise NotReached(f"{url.host} cannot be reached, or does not speak HTTP.") from None


def _listed(url: URL, limits: FetchLimits) -> URL:
    host = (url.host or "").rstrip(".").lower()
    if limits.hosts and not any(_is_below(host, each.strip().lower()) for each in limits.hosts):
        raise ToolError(f"{host[:200]} is not among the hosts that may be asked from here.")
    return url


def _is_below(host: str, listed: str) -> bool:
    return host.endswith(listed[1:]) if listed.startswith("*.") else host == listed


def _any(address: Address, port: int) -> bool:
    return True


def _retry(response: ClientResponse) -> int | None:
    """`Retry-After` in seconds, up to a month; a date or nonsense is none."""
    written = response.headers.get("Retry-After", "").strip()
    return int(written) if written.isdecimal() and len(written) <= 7 else None


async def _read(response: ClientResponse, url: URL, limits: FetchLimits) -> Page:
    body = BoundedBody(response.headers.get("Content-Encoding", ""), limits.max_bytes + 1)
    async for chunk in response.content.iter_chunked(_CHUNK):
        body.feed(chunk)
        if body.full:
            break
    media_type = response.content_type.lower() if "Content-Type" in response.headers else ""
    return Page(
        str(url),
        media_type,
        response.charset,
        body.data[: limits.max_bytes],
        len(body.data) > limits.max_bytes,
    )


def _status(code: int) -> str:
    """The status with its usual name; the server's own words are not ours to repeat."""
    try:
        return f"{code} {HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)

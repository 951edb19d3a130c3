"""One page over the network: redirects followed by hand and each checked, size and time bounded.

Sends no cookies, no credentials, and through no proxy. Knows nothing of HTML.
"""

import asyncio
import ssl
from http import HTTPStatus

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar
from msgspec import Struct
from yarl import URL

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.web.addresses import AddressRule, checked_url, public
from openclaw_gateway.tools.web.body import BoundedBody
from openclaw_gateway.tools.web.dial import Lookup, checked_connector, system_lookup

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024
_ACCEPT = "text/html,application/xhtml+xml,text/markdown,text/plain,application/json;q=0.9,*/*;q=0.5"


class FetchLimits(Struct, frozen=True):
    max_bytes: int = 750_000
    max_redirects: int = 3
    timeout_s: float = 30.0
    user_agent: str = "Mozilla/5.0 (compatible; openclaw-gateway)"


class Page(Struct, frozen=True):
    """`cut` when the body was longer than allowed."""

    url: str
    media_type: str
    charset: str | None
    body: bytes
    cut: bool


class Fetcher:
    """`lookup` and `rule` say what names mean and which addresses are open."""

    def __init__(self, *, lookup: Lookup = system_lookup, rule: AddressRule = public) -> None:
        self._lookup = lookup
        self._rule = rule

    async def fetch(self, text: str, limits: FetchLimits) -> Page:
        """Raises ToolError with a sentence for the model."""
        url = checked_url(text, self._rule)
        try:
            async with asyncio.timeout(limits.timeout_s), self._session(limits) as session:
                for _ in range(limits.max_redirects + 1):
                    found = await self._hop(session, url, limits)
                    if isinstance(found, Page):
                        return found
                    url = found
        except TimeoutError:
            raise ToolError(f"No complete answer within {limits.timeout_s:g} s.") from None
        except ssl.SSLError:
            raise ToolError(f"{url.host}: its certificate is not accepted.") from None
        except (ClientError, OSError, ValueError):
            raise ToolError(f"{url.host} cannot be reached, or does not speak HTTP.") from None
        raise ToolError(f"More than {limits.max_redirects} redirects.")

    def _session(self, limits: FetchLimits) -> ClientSession:
        return ClientSession(
            connector=checked_connector(self._lookup, self._rule),
            cookie_jar=DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,
            timeout=ClientTimeout(total=None, connect=10.0),
            read_bufsize=_CHUNK,
            headers={
                "User-Agent": limits.user_agent,
                "Accept": _ACCEPT,
                "Accept-Encoding": "gzip, deflate",
                "Accept-Language": "en,*;q=0.5",
            },
        )

    async def _hop(self, session: ClientSession, url: URL, limits: FetchLimits) -> Page | URL:
        async with session.get(url, allow_redirects=False) as response:
            target = response.headers.get("Location")
            if response.status in _REDIRECTS and target:
                return checked_url(str(url.join(URL(target))), self._rule)
            if not 200 <= response.status < 300:
                raise ToolError(f"{url.host} answered {_status(response.status)}.")
            return await _read(response, url, limits)


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

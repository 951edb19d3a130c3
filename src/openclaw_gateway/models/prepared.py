"""What is worked out once for every request to one path of an endpoint: URL, headers, deadlines, proxy.

Must not know requests, nor connections.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.request import getproxies, proxy_bypass

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from openclaw_gateway import __version__
from openclaw_gateway.config.schema import Limits
from openclaw_gateway.models.target import Endpoint
from openclaw_gateway.models.vendor_errors import Vendor


@dataclass(frozen=True, slots=True)
class Prepared:
    url: URL
    headers: CIMultiDict[str]
    timeout: aiohttp.ClientTimeout
    silence_s: float | None
    answer_s: float | None
    proxy: URL | None
    vendor: Vendor


def prepare(endpoint: Endpoint, path: str, shown: Mapping[str, str], limits: Limits) -> Prepared:
    """`path` may have a query; with `/..` before it, it stands beside the last part of the base URL."""
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
    folder = base.path.rstrip("/")
    if path.startswith("/../"):
        folder, path = folder.rpartition("/")[0], path.removeprefix("/..")
    url = base.with_user(None).with_path(folder + path, keep_query=True).update_query(query)
    first_byte, silence = limits.upstream_first_byte_s, limits.upstream_silence_s
    if endpoint.timeout_s is not None:
        first_byte = silence = endpoint.timeout_s
    connect = limits.upstream_connect_s
    return Prepared(
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

"""From where and to where: the Host, Origin and Sec-Fetch-Site rules, before anything else is read.

Pure. A page in the user's browser can send requests to loopback, and a name it controls can resolve
there; neither may reach an agent. The same rules hold for HTTP and for the WebSocket upgrade.
"""

import ipaddress
from collections.abc import Iterable
from urllib.parse import urlsplit

from openclaw_gateway.config.schema import HOSTS_KEY, ORIGINS_KEY
from openclaw_gateway.errors import Forbidden, Misdirected

_LOCAL_NAMES = {"localhost", "host.docker.internal", "gateway.docker.internal"}
_LOCAL_SUFFIXES = (".localhost", ".ts.net")


class Guard:
    """`allowed_hosts` are names, `allowed_origins` are origins such as https://app.example."""

    def __init__(self, allowed_hosts: Iterable[str], allowed_origins: Iterable[str]) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in allowed_hosts)
        self._origins = frozenset(origin.lower().rstrip("/") for origin in allowed_origins)
        self._known: dict[str, bool] = {}

    def check(
        self, host: str | None, origin: str | None, fetch_site: str | None, *, any_host: bool = False
    ) -> None:
        """Raises Misdirected (Host, unless any will do) or Forbidden (Origin, Sec-Fetch-Site)."""
        if host is not None and not any_host and not self._host_allowed(host):
            raise Misdirected(
                "This gateway does not answer to the host name in the request. If it should, add the name "
                f"to {HOSTS_KEY}."
            )
        if origin is None:
            if fetch_site is not None and fetch_site.strip().lower() == "cross-site":
                raise _foreign()
        elif not self.origin_allowed(origin) and not _same_origin(origin, host):
            raise _foreign()

    def origin_allowed(self, origin: str) -> bool:
        """Whether CORS allows this origin."""
        return origin.lower().rstrip("/") in self._origins

    def _host_allowed(self, host: str) -> bool:
        known = self._known.get(host)
        if known is None:
            known = self._decide(host)
            if len(self._known) < 256:
                self._known[host] = known
        return known

    def _decide(self, host: str) -> bool:
        name = _host_name(host)
        return (
            name in _LOCAL_NAMES or name in self._hosts or name.endswith(_LOCAL_SUFFIXES) or _is_address(name)
        )


def _foreign() -> Forbidden:
    return Forbidden(
        "Requests from another web site's pages are refused. To let a page use this gateway, add its "
        f"origin to {ORIGINS_KEY}.",
        code="origin_not_allowed",
    )


def _same_origin(origin: str, host: str | None) -> bool:
    try:
        return host is not None and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


def _host_name(host: str) -> str:
    host = host.strip().lower()
    if host.startswith("["):
        address, _, port = host[1:].partition("]")
        return address if not port or (port[0] == ":" and port[1:].isdigit()) else host
    name, _, port = host.rpartition(":")
    return (name if name and port.isdigit() else host).rstrip(".")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

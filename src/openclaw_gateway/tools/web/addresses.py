"""Which URLs and addresses may be fetched for a model: the public internet over http and https. Pure.

The rule for names is a courtesy, the one for addresses is the wall: it is asked for every address that a
name resolves to, and again for the address that is dialled. Of IPv6 only what is assigned for the public
counts, and nothing that carries an IPv4 address inside it.
"""

import ipaddress
from collections.abc import Callable

from yarl import URL

from openclaw_gateway.errors import ToolError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Whether an address, reached at a port, may be dialled.
AddressRule = Callable[[Address, int], bool]

_MAX_URL = 4096
_NAMES = frozenset({"localhost", "metadata.google.internal"})
_DOMAINS = (".localhost", ".local", ".internal", ".home.arpa")
_CLOSED_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_OPEN_6 = ipaddress.IPv6Network("2000::/3")
_CLOSED_6 = tuple(
    ipaddress.IPv6Network(text)
    # Protocol assignments with Teredo, documentation, 6to4, documentation.
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class NotReached(ToolError):
    """Nothing was had from there: it is not open, or nobody answers. An outsider must not learn which."""


def public(address: Address, port: int = 0) -> bool:
    """Whether this is an address of the public internet."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return (
        address.scope_id is None
        and address in _OPEN_6
        and not any(address in network for network in _CLOSED_6)
    )


def checked_url(text: str, rule: AddressRule = public) -> URL:
    """The URL, if it may be asked for. Raises ToolError with what is wrong, NotReached where it is closed."""
    if len(text) > _MAX_URL:
        raise ToolError(f"The URL is longer than {_MAX_URL} characters.")
    try:
        url = URL(text.strip())
    except ValueError:
        raise ToolError("This is not a URL. Give it in full, such as https://example.com/page.") from None
    if url.scheme not in {"http", "https"} or not url.raw_host:
        raise ToolError("Only URLs that begin with http:// or https:// and name a host can be fetched.")
    if url.user is not None or url.password is not None:
        raise ToolError("The URL contains a user name or password; give it without.")
    host = url.raw_host.rstrip(".").lower()
    literal = _literal(host)
    if literal is not None:
        if not rule(literal, url.port or 0):
            raise refusal(host)
    elif host in _NAMES or host.endswith(_DOMAINS) or "." not in host or _is_number(host):
        raise refusal(host)
    return url


def refusal(host: str) -> NotReached:
    return NotReached(
        f"{host[:200]} is not on the public internet; only public addresses are reached from here."
    )


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_number(host: str) -> bool:
    """127.1, 0x7f.0.0.1, 2130706433, 0177.0.0.1: what some resolvers take for an IPv4 address."""
    last = host.rpartition(".")[2]
    return last.isdigit() or last.startswith("0x")

"""Whose request it is when a proxy the operator trusts brought it (`gateway.trustedProxies`). Pure.

A proxy appends the address it was asked from to X-Forwarded-For; what stands before that, anybody may have
written. So the list is read from its end, for as long as the address that vouches is a trusted one.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

FORWARDED_FOR = "X-Forwarded-For"


class Proxies:
    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """The client's address; `forwarded` are the header's lines, `peer` the socket's other end."""
        if not self._networks:
            return peer
        found = peer
        hops = [hop for line in forwarded for hop in line.split(",")]
        while self._trusts(found) and hops:
            before = _address(hops.pop())
            if before is None:
                break
            found = str(before)
        return found

    def _trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._networks)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """Also with a port, as some proxies write it; IPv4 mapped into IPv6 is the IPv4 address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address

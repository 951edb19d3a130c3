"""Whose request it is when a proxy the operator trusts brought it (`gateway.trustedProxies`). Pure.

A proxy appends the address it was asked from to X-Forwarded-For; what stands before that, anybody may have
written. So the list is read from its end, for as long as the address that vouches is a trusted one.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

FORWARDED_FOR = "X-Forwarded-For"


class Proxies:
    """Equal to one that trusts the same."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Proxies) and self._networks == other._networks

    def __hash__(self) -> int:
        return hash(self._networks)

    def client(self, peer: str, forwarded: Iterable[str]) -> str:
        """The client's address; `forwarded` are the header's lines, `peer` the socket's other end."""
        if not self._networks:
            return peer
        found = peer
        hops = [hop for line in forwarded for hop in line.split(",")]
        while self.trusts(found) and hops:
            before = plain_address(hops.pop())
            if before is None:
                break
            found = str(before)
        return found

    def trusts(self, text: str) -> bool:
        address = plain_address(text)
        return address is not None and any(address in network for network in self._networks)

    def overlooks(self, peer: str) -> bool:
        """Whether forwarding headers from there are likely those of a proxy that nobody has named: one on
        this machine or in its own network. What strangers write into their requests says nothing."""
        address = plain_address(peer)
        return address is not None and address.is_private and not self.trusts(peer)


def plain_address(text: str) -> IPv4Address | IPv6Address | None:
    """None for what is none. Also with a port, as some proxies write it; IPv4 mapped into IPv6 is the IPv4
    address."""
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

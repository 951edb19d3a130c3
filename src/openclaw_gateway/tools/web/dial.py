"""Connections to checked addresses only, and to exactly those that were checked.

A name is resolved once per connection; when any of its addresses is refused, all are. What was resolved is
what is dialled: nothing is looked up a second time, so an answer that changes meanwhile changes nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable

from aiohttp import AddrInfoType, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from openclaw_gateway.tools.web.addresses import AddressRule, refusal

# The addresses of a name, as text. Raises OSError when there are none.
Lookup = Callable[[str, int], Awaitable[list[str]]]


async def system_lookup(host: str, port: int) -> list[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedResolver(AbstractResolver):
    def __init__(self, lookup: Lookup, rule: AddressRule) -> None:
        self._lookup = lookup
        self._rule = rule

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises ToolError when one of the addresses may not be dialled, OSError when there is none."""
        addresses = [ipaddress.ip_address(text) for text in await self._lookup(host, port)]
        if not addresses:
            raise OSError(f"no address for {host}")
        if not all(self._rule(address, port) for address in addresses):
            raise refusal(host)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""


def checked_connector(lookup: Lookup, rule: AddressRule) -> TCPConnector:
    """For one fetch: no pool, no cache of names."""

    def socket_for(info: AddrInfoType) -> socket.socket:
        # The last line of defence, whatever path the address came by.
        family, kind, protocol, _, target = info
        address = ipaddress.ip_address(target[0])
        if not rule(address, target[1]):
            raise refusal(str(address))
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)  # noqa: FBT003 - the library takes it by position only
        return made

    return TCPConnector(
        resolver=CheckedResolver(lookup, rule),
        use_dns_cache=False,
        force_close=True,
        socket_factory=socket_for,
    )

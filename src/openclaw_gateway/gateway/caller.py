"""Who stands at a door before anybody knows him: where the request came from, and what its head says."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.gateway.proxies import plain_address

# What proxies write into a request they pass on, and a browser into one that a page makes.
_FORWARDED = (
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port"),
    *("X-Real-IP", "Via"),
)
_BROUGHT = (*_FORWARDED, "Origin")


def no_header(_: str) -> Sequence[str]:
    return ()


class Caller(Struct, frozen=True):
    """`peer` is the socket's other end, `address` the client's beyond the proxies that are trusted; `header`
    gives the lines of a header by its name in any case."""

    peer: str
    address: str
    header: Callable[[str], Sequence[str]] = no_header

    def is_direct(self) -> bool:
        """Whether nothing in the head says that a proxy or somebody's page brought it."""
        return not any(map(self.header, _BROUGHT))

    def is_of_this_machine(self) -> bool:
        """Whether a program of this machine asks, a browser too; what a proxy brings comes from elsewhere."""
        loopback = is_loopback(str(plain_address(self.peer) or ""))
        return loopback and self.address == self.peer and not any(map(self.header, _FORWARDED))

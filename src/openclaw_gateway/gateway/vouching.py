"""Whom a proxy in front has let in (`gateway.auth.mode: "trusted-proxy"`): its word, and when it counts.

Believed is a request whose socket ends at an address of `gateway.trustedProxies` that is not this machine's
own, with every required header and exactly one user in the header of users. Two lines of it are no user: one
of them may be the client's. The scopes are the operator's, or fewer where the proxy says so. The order of the
checks and the names are OpenClaw's.
"""

from collections.abc import Container

from openclaw_gateway.config.auth import is_loopback
from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.config.schema import TrustedProxyConfig
from openclaw_gateway.errors import Unauthorized
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.own_addresses import OwnAddresses
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.proxies import Proxies, plain_address

_SCOPES = tuple(f"{brand.header_prefix}scopes" for brand in BRANDS)


class Vouching:
    """Equal to one that believes the same."""

    def __init__(
        self, policy: TrustedProxyConfig, proxies: Proxies, own: Container[str] | None = None
    ) -> None:
        self._policy = policy
        self._proxies = proxies
        self._own = OwnAddresses() if own is None else own

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vouching) and (self._policy, self._proxies) == (
            other._policy,
            other._proxies,
        )

    def __hash__(self) -> int:
        return hash(self._policy)

    def is_beside(self, caller: Caller) -> bool:
        """Whether it is a program of this machine that no proxy brought: it may send the password instead."""
        return is_loopback(str(plain_address(caller.peer) or "")) and caller.is_direct()

    def principal(self, caller: Caller) -> Principal:
        """Raises Unauthorized."""
        self._check_source(caller.peer)
        for name in self._policy.required_headers:
            if not any(line.strip() for line in caller.header(name)):
                raise _refused(
                    "the proxy did not send a header that gateway.auth.trustedProxy.requiredHeaders asks for"
                )
        lines = [line.strip() for line in caller.header(self._policy.user_header)]
        if len(lines) != 1 or not lines[0]:
            raise _refused(
                "the proxy did not name one user in the header gateway.auth.trustedProxy.userHeader asks for"
            )
        if self._policy.allow_users and lines[0] not in self._policy.allow_users:
            raise _refused("this user is none of gateway.auth.trustedProxy.allowUsers")
        return as_said(caller)

    def _check_source(self, peer: str) -> None:
        address = plain_address(peer)
        if address is None or not self._proxies.trusts(str(address)):
            raise _refused(
                "this gateway takes requests from its reverse proxy only. Ask through the proxy; its address "
                "belongs into gateway.trustedProxies"
            )
        if is_loopback(str(address)):
            if not self._policy.allow_loopback:
                raise _refused(
                    "a proxy on the gateway's own machine counts only when "
                    "gateway.auth.trustedProxy.allowLoopback is true"
                )
        elif str(address) in self._own:
            raise _refused("the request comes from the gateway's own machine, not from its reverse proxy")


def as_said(caller: Caller) -> Principal:
    """The operator, where no secret says who asks, with no more scopes than the request's head allows: an
    empty header allows none."""
    lines = [line for name in _SCOPES for line in caller.header(name)]
    if not lines:
        return OPERATOR
    said = frozenset(scope.strip() for line in lines for scope in line.split(","))
    return Principal(OPERATOR.owner, frozenset(filter(OPERATOR.may, said)))


def _refused(why: str) -> Unauthorized:
    return Unauthorized(f"Unauthorized: {why}.")

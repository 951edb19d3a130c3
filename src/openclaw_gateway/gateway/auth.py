"""From a credential to a principal: the same function for HTTP, WebSocket and the terminal.

Secrets are compared as SHA-256 digests in constant time, so neither length nor encoding tells anything.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable

from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.errors import Unauthorized
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import OPERATOR, Principal


class Authenticator:
    """`limiter` None = failures are not limited. Times are monotonic seconds.

    `revoked` is set when a newer one no longer takes what this one took.
    """

    def __init__(
        self,
        auth: ResolvedAuth,
        limiter: FailureLimiter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode = auth.mode
        self._digest = _digest(auth.secret or "") if auth.mode != "none" else None
        self.limiter = limiter
        self.revoked = asyncio.Event()
        self._clock = clock

    def replaced_by(self, newer: "Authenticator") -> None:
        """Who was let in here stays in where the newer one would let him in."""
        if newer._digest is None or newer._digest == self._digest:
            newer.revoked = self.revoked
        else:
            self.revoked.set()

    def authenticate(self, credential: str | None, peer: str) -> Principal:
        """The principal for `credential` (a token or password), asked from address `peer`.

        Raises Unauthorized, or RateLimited after too many wrong credentials from that address.
        """
        if self._digest is None:
            return OPERATOR
        if self.limiter is not None:
            self.limiter.check(peer, self._clock())
        if credential and hmac.compare_digest(_digest(credential), self._digest):
            if self.limiter is not None:
                self.limiter.succeeded(peer)
            return OPERATOR
        if credential and self.limiter is not None:
            self.limiter.failed(peer, self._clock())
        raise Unauthorized(
            f"Unauthorized: {'wrong' if credential else 'missing'} {self.mode}. Send the gateway's "
            f"{self.mode} as 'Authorization: Bearer <{self.mode}>'."
        )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

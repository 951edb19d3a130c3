"""From a credential to a principal: the same function for HTTP and WebSocket.

A secret is compared first, then the limiter is asked: so the right one is let in whatever a stranger at the
same address did, and a wrong one is refused in two words, one of them while its address is locked out.
Secrets are compared as SHA-256 digests in constant time, so neither length nor encoding tells anything. What
keeps guessing hopeless is the secret itself (`config/auth` refuses a guessable one where others can reach the
gateway); the lock-out makes guessing seen.
"""

import hashlib
import hmac
import math
import time
from collections.abc import Callable

import structlog

from openclaw_gateway.config.auth import ResolvedAuth
from openclaw_gateway.errors import RateLimited, Unauthorized
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.limiter import FailureLimiter
from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.vouching import Vouching, as_said

log = structlog.get_logger()


class Authenticator:
    """`vouching` is for the mode "trusted-proxy". Times are monotonic seconds.

    `revoked` is set when a newer one no longer takes what this one took.
    """

    def __init__(
        self,
        auth: ResolvedAuth,
        limiter: FailureLimiter,
        vouching: Vouching | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.mode = auth.mode
        self._digest = None if auth.secret is None else _digest(auth.secret)
        self._vouching = vouching
        self.limiter = limiter
        self.revoked = Bell()
        self._clock = clock

    def replaced_by(self, newer: "Authenticator") -> None:
        """Who was let in here stays in where the newer one would let him in."""
        same = newer._digest == self._digest and newer._vouching == self._vouching
        if newer.mode == "none" or same:
            newer.revoked = self.revoked
        else:
            self.revoked.set()

    def authenticate(self, credential: str | None, caller: Caller) -> Principal:
        """The principal for `credential` (a token or password) or, where a proxy decides, for its word.

        Raises Unauthorized, or RateLimited for a wrong credential after too many from that address.
        """
        if self._vouching is not None:
            try:
                return self._vouching.principal(caller)
            except Unauthorized:
                if not credential or self._digest is None or not self._vouching.is_beside(caller):
                    raise
            return self._by_secret(credential, caller, self._digest, "password")
        if self._digest is None:
            return as_said(caller)
        return self._by_secret(credential, caller, self._digest, self.mode)

    def _by_secret(self, credential: str | None, caller: Caller, digest: bytes, kind: str) -> Principal:
        if credential and hmac.compare_digest(_digest(credential), digest):
            self.limiter.succeeded(caller)
            return OPERATOR
        if credential:
            self._wrong(caller)
        raise Unauthorized(
            f"Unauthorized: {'wrong' if credential else 'missing'} {kind}. Send the gateway's "
            f"{kind} as 'Authorization: Bearer <{kind}>'."
        )

    def _wrong(self, caller: Caller) -> None:
        now = self._clock()
        left = self.limiter.locked_for(caller, now)
        if left > 0:
            raise RateLimited(
                f"Too many failed authentication attempts. Try again in {math.ceil(left)} seconds, or "
                "with the right credential.",
                retry_after=left,
            )
        lock = self.limiter.failed(caller, now)
        if lock is not None:
            log.warning(
                "auth.locked_out",
                address=lock.address,
                tries=lock.tries,
                seconds=lock.seconds,
                detail="wrong credentials from there are refused unseen for so long; the right one is let in",
            )
            if lock.last:
                log.warning("auth.no_room", detail="so many are locked out that every wrong credential is")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()

"""How many wrong credentials one address may try. Pure but for its own memory; the caller brings the time.

A sliding window of failures per address, then a lock-out. IPv4 addresses mapped into IPv6 count as the
IPv4 address. The number of addresses remembered is bounded: the oldest are forgotten first.
"""

import math
from collections import OrderedDict, deque

from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.errors import RateLimited

MAX_ADDRESSES = 10_000
_LOOPBACK = ("127.", "::1")


class FailureLimiter:
    def __init__(self, config: RateLimitConfig) -> None:
        self._config = config
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()
        self._locked_until: dict[str, float] = {}

    def check(self, peer: str, now: float) -> None:
        """Raises RateLimited while `peer` is locked out."""
        until = self._locked_until.get(_canonical(peer))
        if until is None:
            return
        if now >= until:
            self.succeeded(peer)
            return
        left = until - now
        raise RateLimited(
            f"Too many failed authentication attempts. Try again in {math.ceil(left)} seconds.",
            retry_after=left,
        )

    def failed(self, peer: str, now: float) -> None:
        """Count a wrong credential."""
        address = _canonical(peer)
        if self._config.exempt_loopback and address.startswith(_LOOPBACK):
            return
        times = self._failures.setdefault(address, deque())
        self._failures.move_to_end(address)
        times.append(now)
        while times and times[0] < now - self._config.window_ms / 1000:
            times.popleft()
        if len(times) >= self._config.max_attempts:
            self._locked_until[address] = now + self._config.lockout_ms / 1000
        while len(self._failures) > MAX_ADDRESSES:
            oldest, _ = self._failures.popitem(last=False)
            self._locked_until.pop(oldest, None)

    def succeeded(self, peer: str) -> None:
        """Forget the failures of `peer`."""
        address = _canonical(peer)
        self._failures.pop(address, None)
        self._locked_until.pop(address, None)


def _canonical(peer: str) -> str:
    return peer.removeprefix("::ffff:") if peer.count(".") == 3 else peer

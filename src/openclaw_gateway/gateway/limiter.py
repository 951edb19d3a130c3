"""How many wrong credentials one address may try. Pure but for its own memory; the caller brings the time.

A sliding window of failures per address, then a lock-out. One address is one IPv4 address, written either
way, or one /64 of IPv6, which is what one customer has; the machine itself is one, whichever of its loopback
addresses it takes. What is remembered is bounded twice: those who have failed, of whom the longest quiet are
forgotten first, and those who are locked out, who have room of their own and leave it by the clock alone.

Where several processes are one gateway, each tells the others of what failed (`SharedLimits`) and heeds their
lock-outs; one that must count alone locks out after its share of the tries.

Who has the right secret is never asked here: a lock-out holds for wrong ones (`auth`).
"""

from collections import OrderedDict, deque
from functools import lru_cache
from ipaddress import IPv6Network, ip_address

from msgspec import Struct

from openclaw_gateway.config.schema import RateLimitConfig
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.sessions.limits import LockOutRule, SharedLimits
from openclaw_gateway.sessions.local.limits import LocalLimits

MAX_ADDRESSES = 10_000
MAX_LOCKED = 10_000
# Of all addresses together: `maxAttempts` may be any number.
MAX_TRIES = 200_000
LOOPBACK = "loopback"


class LockOut(Struct, frozen=True):
    """`address` as it is counted; `last`: no further address can be remembered as locked out."""

    address: str
    tries: int
    seconds: float
    last: bool


class FailureLimiter:
    """With the memory of the one `before`, when it follows another configuration. `shared` is what the
    processes of this gateway count together."""

    def __init__(
        self,
        config: RateLimitConfig,
        before: "FailureLimiter | None" = None,
        shared: SharedLimits | None = None,
    ) -> None:
        self.config = config
        self._rule = LockOutRule(config.max_attempts, config.window_ms / 1000, config.lockout_ms / 1000)
        self._shared: SharedLimits = LocalLimits() if shared is None else shared
        self._failures: OrderedDict[str, deque[float]] = before._failures if before else OrderedDict()
        self._tries: int = before._tries if before else 0
        self._locked: OrderedDict[str, float] = before._locked if before else OrderedDict()

    def locked_for(self, caller: Caller, now: float) -> float:
        """For how many seconds more; 0 = not locked out.

        With no room left to remember locked addresses everybody counts as one until there is.
        """
        if self._is_exempt(caller):
            return 0.0
        address = subject(caller.address)
        until = self._locked.get(address)
        if until is None and self._is_full(now):
            until = next(iter(self._locked.values()))
        elsewhere = self._shared.locked_for(address, now)
        return elsewhere if until is None else max(elsewhere, until - now)

    def failed(self, caller: Caller, now: float) -> LockOut | None:
        """Count a wrong credential of somebody who is not locked out; the lock-out it led to."""
        if self._is_exempt(caller):
            return None
        address = subject(caller.address)
        self._shared.failed(address, self._rule)
        times = self._failures.setdefault(address, deque())
        self._failures.move_to_end(address)
        while times and times[0] <= now - self.config.window_ms / 1000:
            times.popleft()
            self._tries -= 1
        times.append(now)
        self._tries += 1
        if len(times) >= self._shared.share(self.config.max_attempts):
            return self._lock(address, now)
        while len(self._failures) > MAX_ADDRESSES or self._tries > MAX_TRIES:
            self._forget(next(iter(self._failures)))
        return None

    def succeeded(self, caller: Caller) -> None:
        """Forget the failures of an address. One that is locked out stays so, for wrong credentials."""
        if self._failures:
            address = subject(caller.address)
            self._forget(address)
            self._shared.succeeded(address)

    def _lock(self, address: str, now: float) -> LockOut | None:
        tries, seconds = len(self._failures[address]), self.config.lockout_ms / 1000
        self._forget(address)
        if seconds <= 0:
            return None
        self._locked.pop(address, None)
        self._locked[address] = now + seconds
        return LockOut(address, tries, seconds, self._is_full(now))

    def _is_full(self, now: float) -> bool:
        """Having let go those whose time is over: they stand in order while nobody edits `lockoutMs`."""
        while self._locked and next(iter(self._locked.values())) <= now:
            self._locked.popitem(last=False)
        return len(self._locked) >= MAX_LOCKED

    def _forget(self, address: str) -> None:
        self._tries -= len(self._failures.pop(address, ()))

    def _is_exempt(self, caller: Caller) -> bool:
        """Only the machine's own requests: what a proxy or a page brought comes from elsewhere."""
        return self.config.exempt_loopback and subject(caller.address) == LOOPBACK and caller.is_direct()


@lru_cache(maxsize=4096)
def subject(address: str) -> str:
    """What an address is counted as; a text that is no address as itself."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    if parsed.is_loopback:
        return LOOPBACK
    return str(parsed) if parsed.version == 4 else str(IPv6Network((int(parsed), 64), strict=False))

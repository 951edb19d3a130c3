"""Which credential of a provider to use next, and which to leave alone for a while.

Pure: the time comes in as an argument, in seconds of a clock that never goes back. Rules: a key that was
refused or has reached its limit rests, longer each time, until an answer came with it; what fails while
it rests anyway (many runs fail together) counts once. Bounded: of too many, the oldest failure is
forgotten. A key is known by its place among its provider's, so that no secret is kept here.
"""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from openclaw_gateway.errors import ProviderError, ProviderReason

_SHORT = (30.0, 60.0, 300.0)
_BILLING = tuple(600.0 * 2**n for n in range(8))  # 10 minutes to 21 hours
# Seconds to rest after the first, second … failure in a row; the last stands for all further ones.
RESTS: Mapping[ProviderReason, tuple[float, ...]] = {
    "auth": _SHORT,
    "rate_limit": _SHORT,
    "billing": _BILLING,
}
_LONGEST_ASKED_S = 3600.0
_MAX_KNOWN = 1024

Credential = tuple[str, int]
"""The name of a circle of keys (a provider's id, where its agents share them) and the key's place, from 0."""


class _Failures(Struct):
    in_a_row: int = 0
    last: float = 0.0
    until: float = 0.0


class Cooldowns:
    """What is known of the credentials that have failed lately. Empty = all is well."""

    def __init__(self, *, max_known: int = _MAX_KNOWN) -> None:
        self._failures: dict[Credential, _Failures] = {}
        self._max_known = max_known

    def rests(self, credential: Credential, now: float) -> bool:
        """Whether it should not be used now if there is another."""
        known = self._failures.get(credential)
        return known is not None and now < known.until

    def in_order(self, provider: str, keys: int, now: float) -> Sequence[int]:
        """The places of the provider's keys: the usable before the resting, least recently failed first."""
        if not self._failures or keys == 1:
            return range(keys)

        def rank(place: int) -> tuple[bool, float, int]:
            known = self._failures.get((provider, place))
            return (self.rests((provider, place), now), known.last if known else float("-inf"), place)

        return sorted(range(keys), key=rank)

    def failed(self, credential: Credential, error: ProviderError, now: float) -> None:
        """Note what may be the credential's fault; any other failure says nothing about it."""
        steps = RESTS.get(error.reason)
        if steps is None:
            return
        # Taken out and put back: the dictionary stays in the order of the last failure.
        known = self._failures.pop(credential, None) or _Failures()
        self._failures[credential] = known
        if now >= known.until:
            known.in_a_row += 1
        known.last = now
        rest = steps[min(known.in_a_row, len(steps)) - 1]
        if error.reason == "rate_limit" and error.retry_after is not None:
            rest = max(rest, min(error.retry_after, _LONGEST_ASKED_S))
        known.until = max(known.until, now + rest)
        while len(self._failures) > self._max_known:
            del self._failures[next(iter(self._failures))]

    def succeeded(self, credential: Credential) -> None:
        if self._failures:
            self._failures.pop(credential, None)

    def forget(self, provider: str) -> None:
        """Its keys are other ones now."""
        for credential in [each for each in self._failures if each[0] == provider]:
            del self._failures[credential]

    def __len__(self) -> int:
        return len(self._failures)

"""What runs came to in a time: which rows of the ledger are wanted, and what is summed of them. Pure."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace


class SpendingWanted(Struct, frozen=True):
    """Runs started `since_ms` <= start < `until_ms`, in Unix milliseconds, of one agent or of all (None).

    With `sessions` only those in one of them, told apart by it.
    """

    owner: str
    since_ms: int
    until_ms: int
    agent: str | None = None
    sessions: tuple[str, ...] | None = None


class Spent(Struct, frozen=True):
    """The sum of the runs of one agent that one model answered; `session` None = of whichever session.

    `cost` is that of the runs whose cost is known, `unpriced` how many others there are, `failed` how many
    ended in an error, `called` how many calls of tools there were. `first_ms` and `last_ms` are when the
    earliest and the latest of them began.
    """

    agent: str
    model: str
    session: str | None
    runs: int
    failed: int
    unpriced: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    first_ms: int
    last_ms: int
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    called: int = 0


def added(parts: Iterable[Spent]) -> tuple[Spent, ...]:
    """Those of the same agent, model and session as one; what took most tokens first."""
    sums: dict[tuple[str, str, str | None], Spent] = {}
    for part in parts:
        place = (part.agent, part.model, part.session)
        before = sums.get(place)
        sums[place] = part if before is None else _both(before, part)
    return tuple(sorted(sums.values(), key=lambda one: -(one.prompt_tokens + one.completion_tokens)))


def _both(one: Spent, other: Spent) -> Spent:
    return replace(
        one,
        runs=one.runs + other.runs,
        failed=one.failed + other.failed,
        unpriced=one.unpriced + other.unpriced,
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
        cost=one.cost + other.cost,
        first_ms=min(one.first_ms, other.first_ms),
        last_ms=max(one.last_ms, other.last_ms),
        cached_tokens=one.cached_tokens + other.cached_tokens,
        cache_write_tokens=one.cache_write_tokens + other.cache_write_tokens,
        called=one.called + other.called,
    )

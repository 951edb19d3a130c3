"""What a caller's runs came to, day by day. Sums alone; nothing of what was said."""

from collections.abc import Sequence

from msgspec import Struct

from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.sessions.spending import SpendingWanted, Spent
from openclaw_gateway.sessions.store import Store


class Day(Struct, frozen=True):
    """`date` is YYYY-MM-DD in the caller's time zone; it holds `since_ms` <= t < `until_ms`, Unix ms."""

    date: str
    since_ms: int
    until_ms: int


class DaySpent(Struct, frozen=True):
    date: str
    spent: tuple[Spent, ...]


class Spending:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def by_day(
        self,
        principal: Principal,
        days: Sequence[Day],
        *,
        agent: str | None = None,
        sessions: tuple[str, ...] | None = None,
    ) -> tuple[DaySpent, ...]:
        """The days on which something ran. With `sessions` in these alone, told apart.

        Raises StoreError, Forbidden.
        """
        principal.require(READ)
        found = []
        for day in days:
            wanted = SpendingWanted(principal.owner, day.since_ms, day.until_ms, agent, sessions)
            if spent := await self._store.spent(wanted):
                found.append(DaySpent(day.date, spent))
        return tuple(found)

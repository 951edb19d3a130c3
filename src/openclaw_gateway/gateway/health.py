"""Whether a request would be served now, and if not, what keeps it. Knows no door."""

import time
from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.gateway.health_news import HealthNews
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.sessions.store import Store


class Readiness(Struct, frozen=True):
    """`failing` names what keeps the gateway from taking requests."""

    failing: tuple[str, ...]
    uptime_ms: int

    @property
    def ready(self) -> bool:
        return not self.failing


class Health:
    """`starting` names what is still on its way up, if anything; `news` tells what was noticed."""

    def __init__(self, store: Store, live: LiveRuns, starting: Callable[[], str | None]) -> None:
        self.news = HealthNews()
        self._store = store
        self._store_ok = True
        self._live = live
        self._starting = starting
        self._began = time.monotonic()

    def uptime_ms(self) -> int:
        return int((time.monotonic() - self._began) * 1000)

    async def readiness(self) -> Readiness:
        """The store is asked."""
        self._store_ok = (await self._store.health()).ok
        return Readiness(self.notice(), self.uptime_ms())

    def notice(self) -> tuple[str, ...]:
        """What keeps the gateway from taking requests; of the store, what was known last."""
        failing = []
        if self._live.admission.draining or self._live.admission.leaving:
            failing.append("draining")
        if self._live.admission.suspended:
            failing.append("instance_lock")
        if not self._store_ok:
            failing.append("store")
        starting = self._starting()
        if starting is not None:
            failing.append(starting)
        self.news.noticed(tuple(failing))
        return tuple(failing)

"""Whether the gateway is ready, as was last noticed, and who wants to hear when that changes.

Nothing is looked at for it: what is noticed is what somebody asks (a probe, a client, a greeting), or what
the gateway does itself.
"""

from collections.abc import Callable

from openclaw_gateway.gateway.principal import READ, Principal


class HealthNews:
    """`failing` is what was noticed last; `version` grows with every change."""

    def __init__(self) -> None:
        self.failing: tuple[str, ...] = ()
        self.version = 1
        self._watching: dict[object, Callable[[], None]] = {}

    def noticed(self, failing: tuple[str, ...]) -> None:
        if failing == self.failing:
            return
        self.failing = failing
        self.version += 1
        for told in tuple(self._watching.values()):
            told()

    def watch(self, principal: Principal, told: Callable[[], None]) -> Callable[[], None]:
        """Until the returned function is called."""
        principal.require(READ)
        place = object()
        self._watching[place] = told

        def leave() -> None:
            self._watching.pop(place, None)

        return leave

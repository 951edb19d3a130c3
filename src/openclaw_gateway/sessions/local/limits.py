"""LocalLimits: the SharedLimits of a gateway that is one process, which need tell nobody."""

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.sessions.limits import LockOutRule


class LocalLimits:
    def __init__(self) -> None:
        self._places: dict[str, set[str]] = {}

    def failed(self, subject: str, rule: LockOutRule) -> None:
        """Whoever asks counts for himself."""

    def succeeded(self, subject: str) -> None:
        """Likewise."""

    def locked_for(self, subject: str, now: float) -> float:
        return 0.0

    def share(self, most: float) -> float:
        return most

    async def enter(self, name: str, most: int) -> str | None:
        if len(self._places.get(name, ())) >= most:
            return None
        place = fresh_digits()
        self._places.setdefault(name, set()).add(place)
        return place

    def leave(self, name: str, place: str) -> None:
        places = self._places.get(name)
        if places is not None:
            places.discard(place)
            if not places:
                del self._places[name]

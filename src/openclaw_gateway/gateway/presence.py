"""Who is connected over the WebSocket, as they call themselves. A caller sees his own connections alone."""

from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.gateway.principal import READ, Principal


class Present(Struct, frozen=True):
    """What a client says of itself; `since_ms` is Unix milliseconds. Nothing is decided by it."""

    owner: str
    client: str
    version: str
    platform: str
    mode: str
    scopes: tuple[str, ...]
    since_ms: int


class Presence:
    def __init__(self) -> None:
        self._present: dict[object, Present] = {}

    def enter(self, one: Present) -> Callable[[], None]:
        """Until the returned function is called."""
        place = object()
        self._present[place] = one

        def leave() -> None:
            self._present.pop(place, None)

        return leave

    def of(self, principal: Principal) -> list[Present]:
        """The caller's connections, oldest first."""
        principal.require(READ)
        return [one for one in self._present.values() if one.owner == principal.owner]

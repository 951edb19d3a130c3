"""Who is connected over the WebSocket, as they call themselves, and who wants to hear when that changes.

A caller sees his own connections alone. Whoever wants to hear is told at most once a second, however many
come and go; with nobody who wants to, nothing is done but counted.
"""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.gateway.principal import READ, Principal

TOGETHER_S = 1.0


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
    """`together_s` is how long changes are collected before they are told."""

    def __init__(self, together_s: float = TOGETHER_S) -> None:
        self.together_s = together_s
        self._present: dict[object, Present] = {}
        self._versions: dict[str, int] = {}
        self._watching: dict[str, dict[object, Callable[[], None]]] = {}
        self._due: dict[str, asyncio.TimerHandle] = {}

    def enter(self, one: Present) -> Callable[[], None]:
        """Until the returned function is called."""
        place = object()
        self._present[place] = one
        self._changed(one.owner)

        def leave() -> None:
            if self._present.pop(place, None) is not None:
                self._changed(one.owner)

        return leave

    def of(self, principal: Principal) -> list[Present]:
        """The caller's connections, oldest first."""
        principal.require(READ)
        return [one for one in self._present.values() if one.owner == principal.owner]

    def version(self, principal: Principal) -> int:
        """Grows with each of the caller's connections that comes or goes; 0 before the first."""
        return self._versions.get(principal.owner, 0)

    def watch(self, principal: Principal, told: Callable[[], None]) -> Callable[[], None]:
        """`told` is called when the caller's connections have changed, until the returned function is."""
        principal.require(READ)
        owner, place = principal.owner, object()
        self._watching.setdefault(owner, {})[place] = told

        def leave() -> None:
            watching = self._watching.get(owner, {})
            watching.pop(place, None)
            if not watching:
                self._watching.pop(owner, None)
                if (due := self._due.pop(owner, None)) is not None:
                    due.cancel()

        return leave

    def _changed(self, owner: str) -> None:
        self._versions[owner] = self._versions.get(owner, 0) + 1
        if owner in self._watching and owner not in self._due:
            loop = asyncio.get_running_loop()
            self._due[owner] = loop.call_later(self.together_s, self._tell, owner)

    def _tell(self, owner: str) -> None:
        del self._due[owner]
        for told in tuple(self._watching.get(owner, {}).values()):
            told()

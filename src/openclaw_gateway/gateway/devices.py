"""The devices that were let in: which, when, and whether they are connected here now.

What connects bring is collected before it is kept; what the operator decides is kept at once. Who may see or
change it is decided here. Knows no door and no signature, and not where the book is kept.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.errors import DevicesUnwritable, NotFound
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.device_book import (
    MOST_KNOWN,
    Act,
    Book,
    Here,
    Shelf,
    with_approved,
    with_seen,
    without,
)
from openclaw_gateway.gateway.principal import PAIRING, Principal
from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.wire.devices import Device, Removed, Seen
from openclaw_gateway.work.deeds import Deeds

R = TypeVar("R")
Changed = Callable[[Book, Book], None]

_SEEN_AGAIN_MS = 3_600_000
# Where it could not be kept.
_AGAIN_S = 10.0


class _Present(Struct):
    """`removed` is set when the device is taken off the list; `connections` are so many."""

    removed: Bell
    connections: int = 0


class Devices:
    """`shelf` keeps the book. What the operator decides is one of the `deeds`: done to its end, whether or
    not he stays."""

    def __init__(self, shelf: Shelf) -> None:
        self.deeds = Deeds()
        self._shelf = shelf
        # As it is kept, and with what is not yet: who was here since, and who was removed.
        self._kept = Book()
        self._book = Book()
        self._seen: dict[str, Here] = {}
        self._gone: dict[str, Removed] = {}
        self._present: dict[str, _Present] = {}
        self._hearing: list[Changed] = []
        self._later: asyncio.Task[None] | None = None
        self._due = False
        self._closed = False
        self._written_ms = 0
        # For all the connections without a device: thousands may be idle.
        self._never = Bell()
        shelf.hear(self._is_kept)

    async def open(self) -> None:
        """Raises StoreError."""
        await self._shelf.open()

    async def close(self) -> None:
        """What was not written yet is."""
        await self.deeds.close()
        self._closed = True
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)
        if self._due:
            self._due = False
            with contextlib.suppress(DevicesUnwritable):
                await self._keep()
        await self._shelf.close()

    @property
    def book(self) -> Book:
        return self._book

    def hear(self, changed: Changed) -> None:
        """What is kept has changed, whichever process has done it: from what to what. It must not raise."""
        self._hearing.append(changed)

    def seen(self, seen: Seen, now_ms: int) -> None:
        """It was let in."""
        id_, here = seen.device_id, Here(seen, now_ms)
        before = self._book.devices.get(id_)
        self._book = with_seen(self._book, (here,))
        device = self._book.devices.get(id_)
        if device is None:
            return
        self._seen[id_] = here
        if len(self._seen) > MOST_KNOWN:
            self._seen = {id_: here for id_, here in self._seen.items() if id_ in self._book.devices}
        same = before is not None and replace(before, last_seen_at_ms=device.last_seen_at_ms) == device
        if not same or now_ms - self._written_ms >= _SEEN_AGAIN_MS:
            self._keep_later()

    async def approve(self, seen: Seen, now_ms: int) -> Device:
        """Raises Overloaded, DevicesUnwritable: then it is not."""
        return await self.change(lambda book: with_approved(book, seen, now_ms))

    async def change(self, act: Act[R]) -> R:
        """A decision; its caller makes one of the `deeds` of it. `act` may be called several times. Raises
        DevicesUnwritable, and what `act` raises."""
        return await self._kept_with(act)

    def enter(self, device_id: str | None) -> tuple[Bell, Callable[[], None]]:
        """A connection of the device begins, until the returned function is called; the bell rings when the
        device is removed."""
        if device_id is None:
            return self._never, _nothing
        present = self._present.setdefault(device_id, _Present(Bell()))
        present.connections += 1

        def leave() -> None:
            present.connections -= 1
            if not present.connections and self._present.get(device_id) is present:
                del self._present[device_id]

        return present.removed, leave

    def known(self, principal: Principal) -> list[tuple[Device, bool]]:
        """All, newest first, and whether each is connected here. Raises Forbidden."""
        principal.require(PAIRING)
        newest = sorted(self._book.devices.values(), key=lambda each: each.last_seen_at_ms, reverse=True)
        return [(device, device.device_id in self._present) for device in newest]

    async def remove(self, principal: Principal, device_id: str) -> Device:
        """Forget it, and end its connections. Raises Forbidden, NotFound, DevicesUnwritable: then it is
        forgotten here all the same, and kept so as soon as that can be."""
        principal.require(PAIRING)
        removed = Removed(device_id, fresh_digits())
        device = self._book.devices.get(device_id)
        if device is None:
            # Another process may have let it in a moment ago.
            return await self.deeds.done(
                self._kept_with(lambda book: _removed(book, removed)), "devices.remove"
            )
        self._forget(removed)
        self._gone[device_id] = removed
        await self.deeds.done(self._keep(), "devices.remove")
        return device

    def _forget(self, removed: Removed) -> None:
        self._seen.pop(removed.device_id, None)
        self._book = without(self._book, removed)
        if (present := self._present.pop(removed.device_id, None)) is not None:
            present.removed.set()

    def _is_kept(self, book: Book) -> None:
        before, self._kept = self._kept, book
        known = set(before.removed)
        for removed in book.removed:
            if removed not in known and self._gone.get(removed.device_id) != removed:
                self._forget(removed)
        self._book = self._with_all(book)
        for changed in self._hearing:
            changed(before, book)

    def _with_all(self, book: Book) -> Book:
        for removed in self._gone.values():
            book = without(book, removed)
        return with_seen(book, self._seen.values()) if self._seen else book

    def _keep_later(self) -> None:
        self._due = True
        if not self._closed and (self._later is None or self._later.done()):
            self._later = asyncio.create_task(self._collect(), name="devices.write")

    async def _collect(self) -> None:
        wait_s = self._shelf.together_s
        while self._due:
            await asyncio.sleep(wait_s)
            self._due = False
            try:
                await self._keep()
            except DevicesUnwritable:
                wait_s = max(self._shelf.together_s, _AGAIN_S)
            except asyncio.CancelledError:
                self._due = True
                raise

    async def _keep(self) -> None:
        await self._kept_with(lambda book: (book, None))

    async def _kept_with(self, act: Act[R]) -> R:
        """What `act` gives, once that and all there is to keep is kept. A failure leaves the latter for
        later."""
        taken: list[tuple[dict[str, Removed], dict[str, Here]]] = []

        def all_of_it(book: Book) -> tuple[Book, R]:
            taken.append((dict(self._gone), dict(self._seen)))
            return act(self._with_all(book))

        try:
            result = await self._shelf.change(all_of_it)
        except DevicesUnwritable:
            if self._gone or self._seen:
                self._keep_later()
            raise
        gone, seen = taken[-1]
        _drop(self._gone, gone)
        _drop(self._seen, seen)
        self._written_ms = max((each.last_seen_at_ms for each in self._kept.devices.values()), default=0)
        return result


def _removed(book: Book, removed: Removed) -> tuple[Book, Device]:
    device = book.devices.get(removed.device_id)
    if device is None:
        raise NotFound(
            f"unknown deviceId: {removed.device_id[:128]}. device.pair.list names those that are known.",
            code="device_not_found",
        )
    return without(book, removed), device


def _drop(left: dict[str, R], done: dict[str, R]) -> None:
    """What is there now is of later."""
    for name, one in done.items():
        if left.get(name) is one:
            del left[name]


def _nothing() -> None:
    pass

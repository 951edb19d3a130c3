"""Which devices may connect from elsewhere, where the operator wants to be asked (`gateway.devices.pairing`).

A device that nobody has approved, or that asks for more than was approved, leaves a request and is sent away;
it comes back by itself. Requests are few and short-lived. Knows no door, and not where the book is kept.
"""

import uuid
from collections.abc import Callable
from typing import TypeVar

from openclaw_gateway.errors import NotFound, NotPaired
from openclaw_gateway.gateway.device_book import (
    Act,
    Book,
    is_approved,
    pending,
    request_of,
    with_approved,
    with_request,
    with_resolved,
)
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.principal import PAIRING, Principal
from openclaw_gateway.wire.devices import Device, PairingRequest, PairingResolved, Seen

R = TypeVar("R")
News = PairingRequest | PairingResolved


class Pairing:
    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._hearing: dict[object, Callable[[News], None]] = {}
        # Ends that are told of once whoever has decided has his answer.
        self._own: set[PairingResolved] = set()
        devices.hear(self._changed)

    async def check(self, seen: Seen, now_ms: int) -> None:
        """Waits for nothing where the device was approved for what it asks. Raises NotPaired where it was
        not; Overloaded when too many wait, DevicesUnwritable when its request cannot be kept."""
        if is_approved(self._devices.book, seen):
            return
        request = request_of(self._devices.book, seen, now_ms)
        if request is None:
            request = await self._asked(seen, now_ms)
            if is_approved(self._devices.book, seen):
                return
        device = self._devices.book.devices.get(seen.device_id)
        approved = () if device is None or device.approved_at_ms is None else device.approved_scopes
        what = (
            "device is asking for more scopes than currently approved"
            if approved
            else ("device is not approved yet")
        )
        raise NotPaired(
            f"pairing required: {what} (requestId: {request.request_id})",
            reason="scope-upgrade" if approved else "not-paired",
            request_id=request.request_id,
            device_id=seen.device_id,
            scopes=seen.scopes,
            approved=approved,
        )

    def pending(self, principal: Principal, now_ms: int) -> list[PairingRequest]:
        """The newest first. Raises Forbidden."""
        principal.require(PAIRING)
        return sorted(pending(self._devices.book, now_ms), key=lambda each: each.ts, reverse=True)

    async def approve(
        self, principal: Principal, request_id: str, now_ms: int
    ) -> tuple[PairingRequest, Device]:
        """Nobody gives away more than he has. Raises Forbidden, NotFound, Overloaded, DevicesUnwritable."""

        def act(book: Book) -> tuple[Book, tuple[PairingRequest, Device]]:
            request = _found(book, principal, request_id, now_ms)
            for scope in request.scopes:
                principal.require(scope)
            book, device = with_approved(book, _seen(request), now_ms)
            for each in [each for each in book.requests if is_approved(book, _seen(each))]:
                book = with_resolved(book, each, "approved", now_ms)
            return book, (request, device)

        principal.require(PAIRING)
        return await self._decided(act, "pairing.approve")

    async def reject(self, principal: Principal, request_id: str, now_ms: int) -> PairingRequest:
        """Raises Forbidden, NotFound, DevicesUnwritable."""

        def act(book: Book) -> tuple[Book, PairingRequest]:
            request = _found(book, principal, request_id, now_ms)
            return with_resolved(book, request, "rejected", now_ms), request

        principal.require(PAIRING)
        return await self._decided(act, "pairing.reject")

    def hear(self, principal: Principal, told: Callable[[News], None]) -> Callable[[], None]:
        """`told` hears of requests and their ends, if the caller may, until the returned function is
        called."""
        place = object()
        if principal.may(PAIRING):
            self._hearing[place] = told

        def leave() -> None:
            self._hearing.pop(place, None)

        return leave

    async def _decided(self, act: Act[R], name: str) -> R:
        ends: list[PairingResolved] = []

        def noting(book: Book) -> tuple[Book, R]:
            after, result = act(book)
            self._own.difference_update(ends)
            ends[:] = [end for end in after.resolved if end not in book.resolved]
            self._own.update(ends)
            return after, result

        async def decide() -> R:
            try:
                return await self._devices.change(noting)
            finally:
                self._own.difference_update(ends)

        def tell(_: R) -> None:
            for end in ends:
                self._tell(end)

        return await self._devices.deeds.done(decide(), name, tell)

    async def _asked(self, seen: Seen, now_ms: int) -> PairingRequest:
        id_ = str(uuid.uuid4())
        asking = self._devices.change(lambda book: with_request(book, seen, now_ms, id_))
        return await self._devices.deeds.done(asking, "pairing.ask")

    def _changed(self, before: Book, after: Book) -> None:
        ended, asked = {*before.resolved, *self._own}, {each.request_id for each in before.requests}
        for end in after.resolved:
            if end not in ended:
                self._tell(end)
        for request in after.requests:
            if request.request_id not in asked:
                self._tell(request)

    def _tell(self, news: News) -> None:
        for told in tuple(self._hearing.values()):
            told(news)


def _found(book: Book, principal: Principal, request_id: str, now_ms: int) -> PairingRequest:
    """Raises Forbidden, NotFound."""
    principal.require(PAIRING)
    for request in pending(book, now_ms):
        if request.request_id == request_id:
            return request
    raise NotFound(
        f"unknown requestId: {request_id[:128]}. A device that waits asks anew after five minutes; "
        "device.pair.list names the requests there are.",
        code="pairing_request_not_found",
    )


def _seen(request: PairingRequest) -> Seen:
    return Seen(**{name: getattr(request, name) for name in Seen.__struct_fields__})

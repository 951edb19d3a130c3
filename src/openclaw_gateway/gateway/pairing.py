"""Which devices may connect from elsewhere, where the operator wants to be asked (`gateway.devices.pairing`).

A device that nobody has approved, or that asks for more than was approved, leaves a request and is sent away;
it comes back by itself. Requests are few and short-lived, in memory alone. Knows no door.
"""

import uuid
from collections.abc import Callable

from msgspec.structs import asdict, replace

from openclaw_gateway.errors import NotFound, NotPaired, Overloaded
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.limiter import subject
from openclaw_gateway.gateway.principal import PAIRING, Principal
from openclaw_gateway.wire.devices import Decision, Device, PairingRequest, PairingResolved, Seen

# As in OpenClaw.
EXPIRES_MS = 300_000
MOST_PENDING = 100
MOST_OF_ADDRESS = 10

News = PairingRequest | PairingResolved


class Pairing:
    def __init__(self, devices: Devices) -> None:
        self._devices = devices
        self._pending: dict[str, PairingRequest] = {}
        # Those whose approval is being written.
        self._approving: set[str] = set()
        self._hearing: dict[object, Callable[[News], None]] = {}

    def check(self, seen: Seen, now_ms: int) -> None:
        """Raises NotPaired unless the device was approved for what it asks; Overloaded when too many wait."""
        device = self._devices.find(seen.device_id)
        approved = () if device is None or device.approved_at_ms is None else device.approved_scopes
        if device is not None and device.approved_at_ms is not None:
            may = Principal("", frozenset(approved)).may
            if all(map(may, seen.scopes)):
                return
        reason = "scope-upgrade" if approved else "not-paired"
        request = self._request(seen, now_ms, is_repair=bool(approved))
        what = (
            "device is asking for more scopes than currently approved"
            if approved
            else ("device is not approved yet")
        )
        raise NotPaired(
            f"pairing required: {what} (requestId: {request.request_id})",
            reason=reason,
            request_id=request.request_id,
            device_id=seen.device_id,
            scopes=seen.scopes,
            approved=approved,
        )

    def pending(self, principal: Principal, now_ms: int) -> list[PairingRequest]:
        """The newest first. Raises Forbidden."""
        principal.require(PAIRING)
        self._expire(now_ms)
        return sorted(self._pending.values(), key=lambda each: each.ts, reverse=True)

    async def approve(
        self, principal: Principal, request_id: str, now_ms: int
    ) -> tuple[PairingRequest, Device]:
        """Nobody gives away more than he has. Raises Forbidden, NotFound, Overloaded, DevicesUnwritable."""
        return await self._devices.deeds.done(
            self._approve(principal, request_id, now_ms),
            "pairing.approve",
            lambda done: self._tell_end(done[0], "approved", now_ms),
        )

    async def _approve(
        self, principal: Principal, request_id: str, now_ms: int
    ) -> tuple[PairingRequest, Device]:
        request = self._find(principal, request_id, now_ms)
        for scope in request.scopes:
            principal.require(scope)
        self._approving.add(request_id)
        try:
            device = await self._devices.approve(_seen(request), now_ms)
        finally:
            self._approving.discard(request_id)
        del self._pending[request_id]
        return request, device

    def reject(self, principal: Principal, request_id: str, now_ms: int) -> PairingRequest:
        """Raises Forbidden, NotFound."""
        request = self._find(principal, request_id, now_ms)
        self._resolve(request, "rejected", now_ms)
        return request

    def hear(self, principal: Principal, told: Callable[[News], None]) -> Callable[[], None]:
        """`told` hears of requests and their ends, if the caller may, until the returned function is
        called."""
        place = object()
        if principal.may(PAIRING):
            self._hearing[place] = told

        def leave() -> None:
            self._hearing.pop(place, None)

        return leave

    def _find(self, principal: Principal, request_id: str, now_ms: int) -> PairingRequest:
        principal.require(PAIRING)
        self._expire(now_ms)
        request = self._pending.get(request_id)
        if request is None or request_id in self._approving:
            raise NotFound(
                f"unknown requestId: {request_id[:128]}. A device that waits asks anew after five minutes; "
                "device.pair.list names the requests there are.",
                code="pairing_request_not_found",
            )
        return request

    def _request(self, seen: Seen, now_ms: int, *, is_repair: bool) -> PairingRequest:
        """The request that the device has left, or a new one. A wish for more takes the place of the former
        with all that was asked for: so a device that asks now for this and now for that is told of a few
        times, not for ever."""
        self._expire(now_ms)
        wanted = set(seen.scopes)
        for former in [each for each in self._pending.values() if each.device_id == seen.device_id]:
            if wanted.issubset(former.scopes):
                return former
            if former.request_id not in self._approving:
                wanted.update(former.scopes)
                self._resolve(former, "rejected", now_ms)
        seen = replace(seen, scopes=tuple(sorted(wanted)))
        self._check_room(seen)
        request = PairingRequest(**asdict(seen), request_id=str(uuid.uuid4()), ts=now_ms, is_repair=is_repair)
        self._pending[request.request_id] = request
        self._tell(request)
        return request

    def _check_room(self, seen: Seen) -> None:
        here = subject(seen.remote_ip or "")
        of_address = sum(subject(each.remote_ip or "") == here for each in self._pending.values())
        if len(self._pending) >= MOST_PENDING or of_address >= MOST_OF_ADDRESS:
            raise Overloaded(
                "Too many devices wait to be approved. Try again in five minutes.",
                retry_after=EXPIRES_MS // 1000,
            )

    def _expire(self, now_ms: int) -> None:
        for each in list(self._pending.values()):
            if now_ms - each.ts >= EXPIRES_MS and each.request_id not in self._approving:
                del self._pending[each.request_id]

    def _resolve(self, request: PairingRequest, decision: Decision, now_ms: int) -> None:
        if self._pending.pop(request.request_id, None) is not None:
            self._tell_end(request, decision, now_ms)

    def _tell_end(self, request: PairingRequest, decision: Decision, now_ms: int) -> None:
        self._tell(PairingResolved(request.request_id, request.device_id, decision, now_ms))

    def _tell(self, news: News) -> None:
        for told in tuple(self._hearing.values()):
            told(news)


def _seen(request: PairingRequest) -> Seen:
    return Seen(**{name: getattr(request, name) for name in Seen.__struct_fields__})

"""What is known of devices, and how each act changes it: who was here, who was approved or removed, who asks.

Pure, so that two processes may each do their act to what the other has made of it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import asdict, replace

from openclaw_gateway.errors import Overloaded
from openclaw_gateway.gateway.limiter import subject
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.wire.devices import Decision, Device, PairingRequest, PairingResolved, Removed, Seen

R = TypeVar("R")

MOST_KNOWN = 1_000
# As in OpenClaw.
EXPIRES_MS = 300_000
MOST_PENDING = 100
MOST_OF_ADDRESS = 10


class Book(Struct, frozen=True):
    """`devices` by their ids. Of what was `removed` or `resolved` the newest are kept, for those who have not
    heard of it yet."""

    devices: Mapping[str, Device] = {}
    removed: tuple[Removed, ...] = ()
    requests: tuple[PairingRequest, ...] = ()
    resolved: tuple[PairingResolved, ...] = ()


Act = Callable[[Book], tuple[Book, R]]


class Shelf(Protocol):
    """Where the book is kept. `together_s` is how long changes that can wait are collected; `told` hears what
    the book has become, whoever has changed it."""

    @property
    def together_s(self) -> float: ...

    def hear(self, told: Callable[[Book], None]) -> None: ...

    async def open(self) -> None:
        """Raises StoreError."""

    async def change(self, act: Act[R]) -> R:
        """`act` may be called several times. Raises DevicesUnwritable, and what `act` raises: then nothing is
        changed."""

    async def close(self) -> None: ...


class Here(Struct, frozen=True):
    """A device was let in."""

    seen: Seen
    at_ms: int


def with_seen(book: Book, every: Iterable[Here]) -> Book:
    """Beyond so many, the one that was not seen for longest is forgotten, of those that nobody has approved;
    where there is none, it is not recorded."""
    devices = dict(book.devices)
    for here in every:
        seen, before = here.seen, devices.get(here.seen.device_id)
        if before is not None:
            last_ms = max(before.last_seen_at_ms, here.at_ms)
            devices[seen.device_id] = replace(before, **asdict(seen), last_seen_at_ms=last_ms)
        elif _make_room(devices):
            devices[seen.device_id] = _new(here)
    return replace(book, devices=devices)


def with_approved(book: Book, seen: Seen, now_ms: int) -> tuple[Book, Device]:
    """From now on it is let in for these scopes, and those of before. Raises Overloaded."""
    devices = dict(book.devices)
    before = devices.get(seen.device_id)
    if before is None and not _make_room(devices):
        raise Overloaded(f"{MOST_KNOWN} devices are approved already. Remove some (device.pair.remove).")
    before = before or _new(Here(seen, now_ms))
    scopes = tuple(sorted({*before.approved_scopes, *seen.scopes}))
    device = replace(before, approved_at_ms=now_ms, approved_scopes=scopes)
    devices[seen.device_id] = device
    return replace(book, devices=devices), device


def without(book: Book, removed: Removed) -> Book:
    if removed in book.removed:
        return book
    devices = {id_: device for id_, device in book.devices.items() if id_ != removed.device_id}
    return replace(book, devices=devices, removed=(*book.removed, removed)[-MOST_KNOWN:])


def is_approved(book: Book, seen: Seen) -> bool:
    """For all that it asks for."""
    device = book.devices.get(seen.device_id)
    if device is None or device.approved_at_ms is None:
        return False
    may = Principal("", frozenset(device.approved_scopes)).may
    return all(map(may, seen.scopes))


def request_of(book: Book, seen: Seen, now_ms: int) -> PairingRequest | None:
    """The one that covers what it asks for, if it has left one."""
    wanted = set(seen.scopes)
    of_device = [each for each in pending(book, now_ms) if each.device_id == seen.device_id]
    return next((each for each in of_device if wanted.issubset(each.scopes)), None)


def with_request(book: Book, seen: Seen, now_ms: int, id_: str) -> tuple[Book, PairingRequest]:
    """The request that the device has left, or a new one. A wish for more takes the place of the former with
    all that was asked for: so a device that asks now for this and now for that is told of a few times, not
    for ever. Raises Overloaded."""
    if (left := request_of(book, seen, now_ms)) is not None:
        return book, left
    book, wanted = _unexpired(book, now_ms), set(seen.scopes)
    for former in [each for each in book.requests if each.device_id == seen.device_id]:
        wanted.update(former.scopes)
        book = with_resolved(book, former, "rejected", now_ms)
    seen = replace(seen, scopes=tuple(sorted(wanted)))
    _check_room(book, seen)
    before = book.devices.get(seen.device_id)
    is_repair = before is not None and bool(before.approved_scopes)
    request = PairingRequest(**asdict(seen), request_id=id_, ts=now_ms, is_repair=is_repair)
    return replace(book, requests=(*book.requests, request)), request


def with_resolved(book: Book, request: PairingRequest, decision: Decision, now_ms: int) -> Book:
    requests = tuple(each for each in book.requests if each.request_id != request.request_id)
    end = PairingResolved(request.request_id, request.device_id, decision, now_ms)
    return replace(book, requests=requests, resolved=(*book.resolved, end)[-MOST_PENDING:])


def pending(book: Book, now_ms: int) -> tuple[PairingRequest, ...]:
    return tuple(each for each in book.requests if now_ms - each.ts < EXPIRES_MS)


def _unexpired(book: Book, now_ms: int) -> Book:
    return replace(book, requests=pending(book, now_ms))


def _check_room(book: Book, seen: Seen) -> None:
    here = subject(seen.remote_ip or "")
    of_address = sum(subject(each.remote_ip or "") == here for each in book.requests)
    if len(book.requests) >= MOST_PENDING or of_address >= MOST_OF_ADDRESS:
        raise Overloaded(
            "Too many devices wait to be approved. Try again in five minutes.",
            retry_after=EXPIRES_MS // 1000,
        )


def _make_room(devices: dict[str, Device]) -> bool:
    """Whether there is some."""
    if len(devices) < MOST_KNOWN:
        return True
    strangers = [each for each in devices.values() if each.approved_at_ms is None]
    if not strangers:
        return False
    del devices[min(strangers, key=lambda each: each.last_seen_at_ms).device_id]
    return True


def _new(here: Here) -> Device:
    return Device(**asdict(here.seen), created_at_ms=here.at_ms, last_seen_at_ms=here.at_ms)

"""The devices that were let in: which, when, and whether they are connected now.

Kept in memory and in one file, which is written at most once a minute for what connects bring, and at once
for what the operator decides. Who may see or change it is decided here. Knows no door and no signature.
"""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import structlog
from msgspec import Struct
from msgspec.structs import asdict, replace

from openclaw_gateway.errors import DevicesUnwritable, NotFound, Overloaded
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.device_file import FILE_NAME, read_devices, write_devices
from openclaw_gateway.gateway.principal import PAIRING, Principal
from openclaw_gateway.wire.devices import Device, Seen
from openclaw_gateway.work.deeds import Deeds
from openclaw_gateway.work.threads import Threads

log = structlog.get_logger()

TOGETHER_S = 60.0
MOST_KNOWN = 1_000
_SEEN_AGAIN_MS = 3_600_000
_DEADLINE_S = 10.0


class _Present(Struct):
    """`removed` is set when the device is taken off the list; `connections` are so many."""

    removed: Bell
    connections: int = 0


class Devices:
    """`own_dir` is our folder of the state directory. `together_s` is how long changes are collected. What
    the operator decides is one of the `deeds`: done to its end, whether or not he stays."""

    def __init__(self, own_dir: Path, together_s: float = TOGETHER_S) -> None:
        self.deeds = Deeds()
        self._path = own_dir / FILE_NAME
        self._together_s = together_s
        self._known: dict[str, Device] = {}
        self._present: dict[str, _Present] = {}
        self._threads = Threads("devices", most=1)
        self._writing = asyncio.Lock()
        self._later: asyncio.Task[None] | None = None
        self._due = False
        self._closed = False
        self._written_ms = 0
        # For all the connections without a device: thousands may be idle.
        self._never = Bell()

    async def open(self) -> None:
        """A file that cannot be read is one in which nobody stands."""
        try:
            self._known = await self._threads.run(
                "read", lambda: read_devices(self._path), deadline_s=_DEADLINE_S
            )
        except (OSError, TimeoutError) as error:
            log.warning("devices.unreadable", path=str(self._path), error=str(error) or "it takes too long")

    async def close(self) -> None:
        """What was not written yet is."""
        await self.deeds.close()
        self._closed = True
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)
        if self._due:
            self._due = False
            await self._write_or_say()

    def seen(self, seen: Seen, now_ms: int) -> None:
        """It was let in. Beyond so many, the one that was not seen for longest is forgotten, of those that
        nobody has approved."""
        before = self._known.get(seen.device_id)
        said = asdict(seen)
        if before is None:
            device = Device(**said, created_at_ms=now_ms, last_seen_at_ms=now_ms)
            if not self._make_room():
                return
        else:
            device = replace(before, **said, last_seen_at_ms=now_ms)
        self._known[seen.device_id] = device
        same = before is not None and replace(before, last_seen_at_ms=now_ms) == device
        if not same or now_ms - self._written_ms >= _SEEN_AGAIN_MS:
            self._write_later()

    def find(self, device_id: str) -> Device | None:
        return self._known.get(device_id)

    async def approve(self, seen: Seen, now_ms: int) -> Device:
        """From now on it is let in for these scopes, and those of before. Its caller makes one of the
        `deeds` of it. Raises Overloaded, DevicesUnwritable: then it is not."""
        before = self._known.get(seen.device_id)
        if before is None and not self._make_room():
            raise Overloaded(f"{MOST_KNOWN} devices are approved already. Remove some (device.pair.remove).")
        said = asdict(seen)
        device = before or Device(**said, created_at_ms=now_ms, last_seen_at_ms=now_ms)
        scopes = tuple(sorted({*device.approved_scopes, *seen.scopes}))
        approved = replace(device, approved_at_ms=now_ms, approved_scopes=scopes)
        await self._write(approved)
        # It may have been here meanwhile.
        newest = self._known.get(seen.device_id, approved)
        self._known[seen.device_id] = replace(newest, approved_at_ms=now_ms, approved_scopes=scopes)
        return self._known[seen.device_id]

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
        """All, newest first, and whether each is connected. Raises Forbidden."""
        principal.require(PAIRING)
        newest = sorted(self._known.values(), key=lambda each: each.last_seen_at_ms, reverse=True)
        return [(device, device.device_id in self._present) for device in newest]

    async def remove(self, principal: Principal, device_id: str) -> Device:
        """Forget it, and end its connections. Raises Forbidden, NotFound, DevicesUnwritable: then it is
        forgotten all the same, but only until the next start."""
        principal.require(PAIRING)
        device = self._known.pop(device_id, None)
        if device is None:
            raise NotFound(
                f"unknown deviceId: {device_id[:128]}. device.pair.list names those that are known.",
                code="device_not_found",
            )
        if (present := self._present.pop(device_id, None)) is not None:
            present.removed.set()
        await self.deeds.done(self._write(), "devices.remove")
        return device

    def _make_room(self) -> bool:
        """Whether there is some."""
        if len(self._known) < MOST_KNOWN:
            return True
        strangers = [each for each in self._known.values() if each.approved_at_ms is None]
        if not strangers:
            return False
        del self._known[min(strangers, key=lambda each: each.last_seen_at_ms).device_id]
        return True

    def _write_later(self) -> None:
        self._due = True
        if not self._closed and (self._later is None or self._later.done()):
            self._later = asyncio.create_task(self._collect(), name="devices.write")

    async def _collect(self) -> None:
        while self._due:
            await asyncio.sleep(self._together_s)
            self._due = False
            try:
                await self._write_or_say()
            except asyncio.CancelledError:
                self._due = True
                raise

    async def _write_or_say(self) -> None:
        with contextlib.suppress(DevicesUnwritable):
            await self._write()

    async def _write(self, more: Device | None = None) -> None:
        """All, and what is to be known once it is written. Raises DevicesUnwritable.

        A removal that was not written is tried again later."""
        async with self._writing:
            # As it is now: another decision may have been written meanwhile.
            known = self._known if more is None else {**self._known, more.device_id: more}
            devices = tuple(known.values())
            try:
                await self._threads.run(
                    "write", lambda: write_devices(self._path, devices), deadline_s=_DEADLINE_S
                )
            except (OSError, TimeoutError) as error:
                why = getattr(error, "strerror", None) or "it takes too long"
                log.warning("devices.unwritable", path=str(self._path), error=why)
                if more is None:
                    self._write_later()
                raise DevicesUnwritable(f"{FILE_NAME} cannot be written: {why}. Try again.") from None
            self._written_ms = max((each.last_seen_at_ms for each in devices), default=0)


def _nothing() -> None:
    pass

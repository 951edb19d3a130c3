"""The book of devices as one process keeps it: the devices in a file of our own folder, the rest in memory.

The file is read once, written whole or not at all, for its owner alone. Knows nothing of what a device may.
"""

import asyncio
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog
from msgspec.structs import replace

from openclaw_gateway.errors import DevicesUnwritable
from openclaw_gateway.gateway.device_book import Act, Book
from openclaw_gateway.wire.devices import Device, DeviceBook
from openclaw_gateway.work.threads import Threads

R = TypeVar("R")
log = structlog.get_logger()

FILE_NAME = "devices.json"
TOGETHER_S = 60.0
_DEADLINE_S = 10.0


class DeviceFile:
    """A Shelf. `own_dir` is our folder of the state directory."""

    together_s = TOGETHER_S

    def __init__(self, own_dir: Path) -> None:
        self._path = own_dir / FILE_NAME
        self._book = Book()
        self._told: Callable[[Book], None] | None = None
        self._threads = Threads("devices", most=1)
        self._writing = asyncio.Lock()

    def hear(self, told: Callable[[Book], None]) -> None:
        self._told = told

    async def open(self) -> None:
        """A file that cannot be read is one in which nobody stands."""
        try:
            devices = await self._threads.run(
                "read", lambda: read_devices(self._path), deadline_s=_DEADLINE_S
            )
        except (OSError, TimeoutError) as error:
            log.warning("devices.unreadable", path=str(self._path), error=str(error) or "it takes too long")
        else:
            self._is_now(replace(self._book, devices=devices))

    async def change(self, act: Act[R]) -> R:
        async with self._writing:
            before = self._book
            book, result = act(before)
            if (book.devices, book.removed) != (before.devices, before.removed):
                await self._write(tuple(book.devices.values()))
            self._is_now(book)
            return result

    async def close(self) -> None:
        pass

    def _is_now(self, book: Book) -> None:
        self._book = book
        if self._told is not None:
            self._told(book)

    async def _write(self, devices: tuple[Device, ...]) -> None:
        try:
            await self._threads.run(
                "write", lambda: write_devices(self._path, devices), deadline_s=_DEADLINE_S
            )
        except (OSError, TimeoutError) as error:
            why = getattr(error, "strerror", None) or "it takes too long"
            log.warning("devices.unwritable", path=str(self._path), error=why)
            raise DevicesUnwritable(f"{FILE_NAME} cannot be written: {why}. Try again.") from None


def read_devices(path: Path) -> dict[str, Device]:
    """By their ids. What is no such file, or cannot be read, is put aside: nothing is written over it, and
    nothing is known. It blocks. Raises OSError."""
    try:
        book = msgspec.json.decode(path.read_bytes(), type=DeviceBook)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError):
        aside = path.with_suffix(".unreadable")
        path.replace(aside)
        log.warning(
            "devices.unreadable",
            path=str(path),
            detail=f"it cannot be read as a file of devices and is now {aside.name}: "
            "every device is unknown again",
        )
        return {}
    return {device.device_id: device for device in book.devices}


def write_devices(path: Path, devices: Iterable[Device]) -> None:
    """It blocks. Raises OSError."""
    data = msgspec.json.format(msgspec.json.encode(DeviceBook(tuple(devices))), indent=2) + b"\n"
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

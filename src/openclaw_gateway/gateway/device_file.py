"""The file of known devices, in our own folder: read once, written whole or not at all, for its owner alone.

All of it blocks. Knows nothing of what a device may.
"""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

import msgspec
import structlog

from openclaw_gateway.wire.devices import Device, DeviceBook

log = structlog.get_logger()

FILE_NAME = "devices.json"


def read_devices(path: Path) -> dict[str, Device]:
    """By their ids. What is no such file, or cannot be read, is put aside: nothing is written over it, and
    nothing is known. Raises OSError."""
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
    """Raises OSError."""
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

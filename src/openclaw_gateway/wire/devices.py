"""Devices that sign their connects, as the control protocol tells of them and as they are kept on disk.

Names are OpenClaw's (`device.pair.list`, the events `device.pair.*`). Times are Unix milliseconds.
"""

from typing import Literal

from msgspec import Struct

ROLE = "operator"
Decision = Literal["approved", "rejected"]


class Seen(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What a connect says of its device, once that has signed it. `scopes` are those it was given."""

    device_id: str
    public_key: str
    client_id: str
    client_mode: str
    platform: str
    scopes: tuple[str, ...]
    display_name: str | None = None
    device_family: str | None = None
    remote_ip: str | None = None


class Device(Seen, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """One that was let in. `approved_*` are set once somebody has approved it."""

    created_at_ms: int
    last_seen_at_ms: int
    approved_at_ms: int | None = None
    approved_scopes: tuple[str, ...] = ()


class PairingRequest(Seen, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A device waits to be approved. `is_repair`: it was, for less than it asks for now."""

    request_id: str
    ts: int
    is_repair: bool = False


class PairingResolved(Struct, frozen=True, rename="camel"):
    request_id: str
    device_id: str
    decision: Decision
    ts: int


class Removed(Struct, frozen=True, rename="camel"):
    """A device was taken off the list. `mark` tells this from another time."""

    device_id: str
    mark: str


class DeviceBook(Struct, frozen=True):
    """The file of those that were let in."""

    devices: tuple[Device, ...] = ()
    version: int = 1


class SharedDeviceBook(DeviceBook, frozen=True):
    """What all processes of a gateway know of devices; the file of one has the devices alone."""

    removed: tuple[Removed, ...] = ()
    requests: tuple[PairingRequest, ...] = ()
    resolved: tuple[PairingResolved, ...] = ()

"""Devices that sign their connects, as the control protocol tells of them and as they are kept on disk.

Names are OpenClaw's (`device.pair.list`, the events `device.pair.*`). Times are Unix milliseconds.
"""

from msgspec import Struct

ROLE = "operator"


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


class DeviceBook(Struct, frozen=True):
    """The file of those that were let in."""

    devices: tuple[Device, ...] = ()
    version: int = 1

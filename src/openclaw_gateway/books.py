"""What the operator decides beside the configuration: in files of this process, or in documents that all
processes go by, where the store is shared.

Knows which kinds there are, and nothing of what stands in them.
"""

import contextlib

from msgspec import Struct

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.gateway.device_file import DeviceFile
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.shared_devices import SharedDevices
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.documents import Documents
from openclaw_gateway.sessions.shared import SharedStore


class Books(Struct, frozen=True):
    devices: Devices


async def open_books(
    loaded: LoadedConfig, shared: SharedStore | None, bus: Bus, undo: contextlib.AsyncExitStack
) -> Books:
    """`undo` closes them again. Raises StoreError."""
    own_dir = loaded.own_dir
    if shared is None:
        return Books(await _opened(Devices(DeviceFile(own_dir)), undo))
    documents = Documents(shared, bus)
    undo.push_async_callback(documents.close)
    return Books(await _opened(Devices(SharedDevices(documents, own_dir)), undo))


async def _opened(devices: Devices, undo: contextlib.AsyncExitStack) -> Devices:
    await devices.open()
    undo.push_async_callback(devices.close)
    return devices

"""What the operator decides beside the configuration: in files of this process, or in documents that all
processes go by, where the store is shared.

Knows which kinds there are, and nothing of what stands in them.
"""

import contextlib

from msgspec import Struct

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.gateway.device_file import DeviceFile
from openclaw_gateway.gateway.devices import Devices
from openclaw_gateway.gateway.operator.shared_approvals import SharedApprovals
from openclaw_gateway.gateway.shared_devices import SharedDevices
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.documents import Documents
from openclaw_gateway.sessions.shared import SharedStore
from openclaw_gateway.tools.exec.approvals import KeptApprovals
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile


class Books(Struct, frozen=True):
    devices: Devices
    approvals: KeptApprovals


async def open_books(
    loaded: LoadedConfig, shared: SharedStore | None, bus: Bus, undo: contextlib.AsyncExitStack
) -> Books:
    """`undo` closes them again. Raises StoreError."""
    own_dir = loaded.own_dir
    if shared is None:
        return Books(await _opened(Devices(DeviceFile(own_dir)), undo), ApprovalsFile(own_dir))
    documents = Documents(shared, bus)
    undo.push_async_callback(documents.close)
    approvals = SharedApprovals(documents, own_dir)
    undo.push_async_callback(approvals.close)
    await approvals.open()
    return Books(await _opened(Devices(SharedDevices(documents, own_dir)), undo), approvals)


async def _opened(devices: Devices, undo: contextlib.AsyncExitStack) -> Devices:
    undo.push_async_callback(devices.close)
    await devices.open()
    return devices

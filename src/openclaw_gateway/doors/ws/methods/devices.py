"""`device.pair.*`: which devices have signed their connects, and which of them go.

Names and shapes are OpenClaw's (docs/gateway/protocol, "Device pairing"). It issues tokens to devices, which
are not here: `tokens` is empty.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import PAIRING
from openclaw_gateway.wire.devices import ROLE, Device


class DeviceParams(Struct, frozen=True, rename="camel"):
    device_id: Annotated[str, Meta(min_length=1, max_length=256)]


async def _list(call: MethodCall, _: Nothing) -> object:
    """Raises Forbidden."""
    known = call.gateway.devices.known(call.principal)
    return {"pending": [], "paired": [{**_shown(one), "connected": connected} for one, connected in known]}


async def _remove(call: MethodCall, params: DeviceParams) -> object:
    """Raises Forbidden, NotFound, DevicesUnwritable."""
    return _shown(await call.gateway.devices.remove(call.principal, params.device_id))


def _shown(device: Device) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(device)
    return {**told, "role": ROLE, "roles": [ROLE], "tokens": []}


METHODS = (
    Method("device.pair.list", PAIRING, Nothing, _list),
    Method("device.pair.remove", PAIRING, DeviceParams, _remove),
)

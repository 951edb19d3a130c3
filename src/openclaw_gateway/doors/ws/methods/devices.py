"""`device.pair.*`: which devices have signed their connects, which wait to be approved, and which of them go.

Names and shapes are OpenClaw's (docs/gateway/protocol, "Device pairing"). It issues tokens to devices, which
are not here: `tokens` is empty.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import PAIRING
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.wire.devices import ROLE, Device, Seen


class DeviceParams(Struct, frozen=True, rename="camel"):
    device_id: Annotated[str, Meta(min_length=1, max_length=256)]


class RequestParams(Struct, frozen=True, rename="camel"):
    request_id: Annotated[str, Meta(min_length=1, max_length=256)]


async def _list(call: MethodCall, _: Nothing) -> object:
    """Raises Forbidden."""
    known = call.gateway.devices.known(call.principal)
    pending = [_with_role(one) for one in call.gateway.pairing.pending(call.principal, now_ms())]
    return {
        "pending": pending,
        "paired": [{**_shown(one), "connected": connected} for one, connected in known],
    }


async def _remove(call: MethodCall, params: DeviceParams) -> object:
    """Raises Forbidden, NotFound, DevicesUnwritable."""
    return _shown(await call.gateway.devices.remove(call.principal, params.device_id))


async def _approve(call: MethodCall, params: RequestParams) -> object:
    """Raises Forbidden, NotFound, Overloaded, DevicesUnwritable."""
    pairing = call.gateway.pairing
    request, device = await pairing.approve(call.principal, params.request_id, now_ms())
    return {"requestId": request.request_id, "device": _shown(device)}


async def _reject(call: MethodCall, params: RequestParams) -> object:
    """Raises Forbidden, NotFound, DevicesUnwritable."""
    request = await call.gateway.pairing.reject(call.principal, params.request_id, now_ms())
    return {"requestId": request.request_id, "deviceId": request.device_id}


def _shown(device: Device) -> dict[str, Any]:
    return {**_with_role(device), "tokens": []}


def _with_role(one: Seen) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(one)
    return {**told, "role": ROLE, "roles": [ROLE]}


METHODS = (
    Method("device.pair.list", PAIRING, Nothing, _list),
    Method("device.pair.approve", PAIRING, RequestParams, _approve),
    Method("device.pair.reject", PAIRING, RequestParams, _reject),
    Method("device.pair.remove", PAIRING, DeviceParams, _remove),
)

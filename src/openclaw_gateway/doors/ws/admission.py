"""Who of those who knock is let in: the first frame, the secret, the device, in this order.

Knows no socket: the first frame in, what is kept of it or what is answered out.
"""

import base64
from collections.abc import Callable

from msgspec import Struct

from openclaw_gateway.doors.ws.protocol import Close, Connect, Refusal, failure, read_connect
from openclaw_gateway.doors.ws.refusals import auth_shape, device_shape, shape, unpaired_shape
from openclaw_gateway.errors import (
    DeviceRefused,
    DevicesUnwritable,
    GatewayError,
    NotPaired,
    Overloaded,
    RateLimited,
    ShuttingDown,
    Unauthorized,
)
from openclaw_gateway.gateway.bell import Bell
from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.gateway.device_proof import verify
from openclaw_gateway.gateway.presence import Present
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.gateway.signatures import installed
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.wire.devices import Seen
from openclaw_gateway.wire.frames import ErrorShape

# How far from now a device may say it has signed. Newer clients say the time of the challenge; older ones
# read their own clock.
_TOLERANCE_MS = 120_000
_OLDER_TOLERANCE_MS = 600_000
_NEWER = 4
_MOST_CHARS = 128


class Knock(Struct, frozen=True):
    """`nonce` is what the client was challenged with; `refused` is told why it was not let in."""

    first: bytes
    nonce: str
    caller: Caller
    closing: Bell
    refused: Callable[[GatewayError], None]


class LetIn(Struct, frozen=True):
    """What of a `connect` is kept as long as its connection: not its secret. `id` is that of the request."""

    id: str
    protocol: int
    present: Present
    principal: Principal
    revoked: Bell
    device_id: str | None = None


async def judge(knock: Knock, gateway: Gateway) -> LetIn | Refusal:
    connect = read_connect(knock.first, gateway.limits.max_json_depth)
    if isinstance(connect, Refusal):
        return connect
    if knock.closing.is_set():
        return Refusal(failure(connect.id, shape(ShuttingDown())), Close.RESTART)
    try:
        principal = gateway.authenticate(connect.secret, knock.caller).narrowed(connect.scopes)
        revoked = gateway.generation.authenticator.revoked
        key = await _device_key(connect, knock.nonce, gateway)
        # From here to the end nothing waits: nobody is let in whom the operator has just sent away.
        seen = _seen(connect, key, principal, knock.caller)
        await _check_pairing(seen, knock.caller, gateway)
    except (Unauthorized, RateLimited, NotPaired, Overloaded, DevicesUnwritable) as error:
        knock.refused(error)
        return Refusal(failure(connect.id, _shape(error, connect, gateway)), Close.REFUSED)
    client, scopes = connect.client, tuple(sorted(principal.scopes))
    present = Present(
        principal.owner, client.id, client.version, client.platform, client.mode, scopes, now_ms()
    )
    if seen is None:
        return LetIn(connect.id, connect.protocol, present, principal, revoked)
    gateway.devices.seen(seen, now_ms())
    return LetIn(connect.id, connect.protocol, present, principal, revoked, seen.device_id)


def _shape(
    error: Unauthorized | RateLimited | NotPaired | Overloaded | DevicesUnwritable,
    connect: Connect,
    gateway: Gateway,
) -> ErrorShape:
    match error:
        case DeviceRefused():
            return device_shape(error)
        case NotPaired():
            return unpaired_shape(error, gateway.generation.program)
        case Unauthorized() | RateLimited():
            return auth_shape(error, gateway.auth_mode, secret_sent=bool(connect.secret))
        case _:
            return shape(error)


async def _check_pairing(seen: Seen | None, caller: Caller, gateway: Gateway) -> None:
    """Waits only for one that is sent away, or has just been approved. Raises NotPaired, Overloaded,
    DevicesUnwritable."""
    if not gateway.config.gateway.devices.pairing or caller.is_of_this_machine():
        return
    if seen is None:
        missing = "" if installed() else "; this one cannot verify any: install openclaw-gateway[devices]"
        raise NotPaired(
            "device identity required: from elsewhere this gateway is used by approved devices alone, which "
            f"sign their connects{missing}"
        )
    await gateway.pairing.check(seen, now_ms())


def _seen(connect: Connect, key: bytes | None, principal: Principal, caller: Caller) -> Seen | None:
    """None without a device that was verified."""
    if key is None or connect.claim is None:
        return None
    client, scopes = connect.client, tuple(sorted(principal.scopes))
    return Seen(
        connect.claim.proof.id,
        base64.urlsafe_b64encode(key).decode().rstrip("="),
        client.id,
        client.mode,
        client.platform,
        scopes,
        (client.display_name or "")[:_MOST_CHARS] or None,
        (client.device_family or "")[:_MOST_CHARS] or None,
        caller.address or None,
    )


async def _device_key(connect: Connect, nonce: str, gateway: Gateway) -> bytes | None:
    """The key of the device that has signed; None without a device, and where nothing can be verified.

    Raises DeviceRefused."""
    if connect.claim is None or (check := await gateway.signatures.checker()) is None:
        return None
    tolerance_ms = _TOLERANCE_MS if connect.protocol >= _NEWER else _OLDER_TOLERANCE_MS
    return verify(connect.claim, nonce, now_ms(), tolerance_ms=tolerance_ms, check=check)

"""The client of a gateway that was found: what opens it, and for one that --url has named the device of this
machine, which signs.

A gateway elsewhere may let in approved devices alone (gateway.devices.pairing); this machine's own asks none
of those who are on it.
"""

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.running.address import Address
from openclaw_gateway.client.connection import GatewayClient, Hear
from openclaw_gateway.client.device import FILE_NAME, DeviceKey


def client_of(
    address: Address,
    scopes: tuple[str, ...],
    *,
    client_id: str = "gateway-client",
    mode: str = "backend",
    hear: Hear | None = None,
) -> GatewayClient:
    """Raises CommandFailed where the device's key cannot be read or made."""
    return GatewayClient(
        address.ws_url,
        token=address.token,
        password=address.password,
        client_id=client_id,
        mode=mode,
        scopes=scopes,
        hear=hear,
        device=_device(address),
        here=not address.named,
    )


def _device(address: Address) -> DeviceKey | None:
    """None where none is needed, and without the package that signs."""
    if address.keys is None:
        return None
    try:
        return DeviceKey.of(address.keys)
    except ImportError:
        return None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is no Ed25519 key"
        raise CommandFailed(
            f"The key of this machine's device, {address.keys / FILE_NAME}, cannot be used: {why}. Make it "
            "readable, or remove it: a new one is made, which gateways have to approve anew.",
            code="device_key_unusable",
        ) from None

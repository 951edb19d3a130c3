"""The address of this machine in its network, as others see it. Sends nothing."""

import socket

# An address that is nobody's (RFC 5737): the kernel is only asked which way it would go.
_SOMEWHERE = ("192.0.2.1", 9)


def own_address() -> str | None:
    """None without a network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
        try:
            asks.connect(_SOMEWHERE)
        except OSError:
            return None
        address = str(asks.getsockname()[0])
    return None if address.startswith(("127.", "0.")) else address

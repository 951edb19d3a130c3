"""Where the gateway listens: flag, then environment, then configuration, then the default.

Pure, but for the question whether this machine is in a tailnet.
"""

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Mapping
from typing import get_args

from openclaw_gateway.config.brands import env
from openclaw_gateway.config.schema import Bind, Config
from openclaw_gateway.config.wording import choice
from openclaw_gateway.errors import ConfigError

DEFAULT_PORT = 18789
_LOOPBACK = ("127.0.0.1", "::1")
# Where Tailscale gives its addresses out (RFC 6598), and the one at which it answers itself.
_TAILNET = ipaddress.ip_network("100.64.0.0/10")
_TAILSCALE = ("100.100.100.100", 53)


def tailnet_address() -> str | None:
    """This machine's address in its tailnet; None where it is in none. Sends nothing."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(_TAILSCALE)
        address = str(probe.getsockname()[0])
        if ipaddress.ip_address(address) in _TAILNET:
            return address
    return None


def resolve_port(config: Config, *, environ: Mapping[str, str], flag: int | None = None) -> int:
    """The port; 0 (any free one) only from the flag. Raises ConfigError for what is no port."""
    if flag is not None:
        if not 0 <= flag <= 65535:
            raise ConfigError([f"--port: must be from 0 to 65535, but is {flag}"])
        return flag
    variable = env(environ, "GATEWAY_PORT")
    if variable is None:
        return DEFAULT_PORT if config.gateway.port is None else config.gateway.port
    text, name = variable
    port = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 1 <= port <= 65535:
        raise ConfigError([f"{name}: must be a number from 1 to 65535"])
    return port


def resolve_bind(
    config: Config, *, flag: str | None = None, tailnet: Callable[[], str | None] = tailnet_address
) -> tuple[str, ...]:
    """The addresses to listen on: loopback alone where "tailnet" is asked for and there is none.

    Raises ConfigError for one that is unknown or incomplete.
    """
    where = "gateway.bind" if flag is None else "--bind"
    bind = config.gateway.bind if flag is None else flag
    match bind:
        case "loopback" | "auto":
            return _LOOPBACK
        case "lan":
            return ("0.0.0.0",)
        case "custom" if config.gateway.custom_bind_host:
            return (config.gateway.custom_bind_host,)
        case "custom":
            problem = 'is "custom"; set gateway.customBindHost to the address to listen on'
        case "tailnet":
            address = tailnet()
            return _LOOPBACK if address is None else (_LOOPBACK[0], address)
        case _:
            problem = choice(bind, get_args(Bind))
    raise ConfigError([f"{where}: {problem}"])

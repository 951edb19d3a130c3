"""Where the gateway listens: flag, then environment, then configuration, then the default. Pure."""

from collections.abc import Mapping
from typing import get_args

from openclaw_gateway.config.brands import env
from openclaw_gateway.config.schema import Bind, Config
from openclaw_gateway.config.wording import choice
from openclaw_gateway.errors import ConfigError

DEFAULT_PORT = 18789
_LOOPBACK = ("127.0.0.1", "::1")


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


def resolve_bind(config: Config, *, flag: str | None = None) -> tuple[str, ...]:
    """The addresses to listen on. Raises ConfigError for one that is unknown, incomplete or not served."""
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
            problem = (
                'is "tailnet", which this gateway does not serve; use "custom" and set '
                "gateway.customBindHost to the machine's address in the tailnet"
            )
        case _:
            problem = choice(bind, get_args(Bind))
    raise ConfigError([f"{where}: {problem}"])

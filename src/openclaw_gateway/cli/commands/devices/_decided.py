"""What the operator decides of a device, and what a waiting one asks: the same for each command that decides.

An answer of another shape is said to be one.
"""

from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.cli.harmless import visible
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.client.answers import told
from openclaw_gateway.gateway.principal import PAIRING
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 30.0


class Request(Struct, frozen=True, rename="camel"):
    """One that waits, as `device.pair.list` tells it, as far as it is shown."""

    request_id: str
    device_id: str
    client_id: str = ""
    client_mode: str = ""
    platform: str = ""
    display_name: str = ""
    remote_ip: str = ""
    scopes: tuple[str, ...] = ()


class Waiting(Struct, frozen=True):
    """The newest first."""

    pending: tuple[Request, ...] = ()


class _Device(Struct, frozen=True, rename="camel"):
    device_id: str


class _Done(Struct, frozen=True, rename="camel"):
    device_id: str | None = None
    device: _Device | None = None


def decided(
    invocation: Invocation, which: Which, method: str, asked: Mapping[str, str], *, scope: str, word: str
) -> None:
    """Do it, and say of which device it is `word` now. Raises ConfigError, CommandFailed."""
    configure_logging(level="silent")
    answer = asked_gateway(
        Surroundings.of(invocation), method, asked, scopes=(scope,), timeout_s=_ANSWER_S, **which
    )
    done = told(answer, method, _Done)
    device = (done.device.device_id if done.device is not None else done.device_id) or ""
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({word: device})
        return
    terminal.say(f"{visible(device)} is {word}.")


def waiting(invocation: Invocation, which: Which) -> tuple[Request, ...]:
    """The newest first. Raises ConfigError, CommandFailed."""
    configure_logging(level="silent")
    method = "device.pair.list"
    answer = asked_gateway(
        Surroundings.of(invocation), method, {}, scopes=(PAIRING,), timeout_s=_ANSWER_S, **which
    )
    return told(answer, method, Waiting).pending


def show(terminal: Terminal, invocation: Invocation, request: Request) -> None:
    terminal.heading(f"{visible(request.request_id)} waits to be approved")
    terminal.row("device", visible(request.device_id))
    client = f"{request.client_id} ({request.client_mode}) on {request.platform}"
    terminal.row("client", visible(client), aside=visible(request.display_name))
    terminal.row("scopes", visible(", ".join(request.scopes)), aside=visible(request.remote_ip))
    terminal.say(f"{invocation.typed} devices approve {visible(request.request_id)}")

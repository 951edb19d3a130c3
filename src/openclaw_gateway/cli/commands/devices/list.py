"""`devices list`: the devices that wait to be approved, and those that have connected, the newest first."""

import time
from typing import Unpack

import click
from msgspec import Struct

from openclaw_gateway.cli.commands.devices._decided import Waiting, show
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.harmless import visible
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.client.answers import told
from openclaw_gateway.gateway.principal import PAIRING
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 10.0


class _Device(Struct, frozen=True, rename="camel"):
    """A device as `device.pair.list` tells it, as far as it is shown."""

    device_id: str
    last_seen_at_ms: int = 0
    client_id: str = ""
    client_mode: str = ""
    platform: str = ""
    display_name: str = ""
    remote_ip: str = ""
    scopes: tuple[str, ...] = ()
    connected: bool = False
    approved_at_ms: int | None = None
    approved_scopes: tuple[str, ...] = ()


class _Listed(Waiting, frozen=True):
    paired: tuple[_Device, ...] = ()


@click.command("list", cls=WithExample, example="--json", params=[json_option()])
@gateway_options
@pass_invocation
def command(invocation: Invocation, **which: Unpack[Which]) -> None:
    """List the devices that wait to be approved, and those that have signed their connects, the one that was
    seen last first."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    answer = asked_gateway(around, "device.pair.list", {}, scopes=(PAIRING,), timeout_s=_ANSWER_S, **which)
    listed = told(answer, "device.pair.list", _Listed)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"pending": answer.get("pending", []), "paired": answer.get("paired", [])})
        return
    for request in listed.pending:
        show(terminal, invocation, request)
    for device in listed.paired:
        terminal.title(device.device_id)
        terminal.row("client", visible(_client(device)), aside=visible(device.display_name))
        terminal.row("scopes", visible(", ".join(device.scopes)))
        if device.approved_at_ms is not None:
            terminal.row("approved", visible(", ".join(device.approved_scopes)))
        terminal.row("seen", _seen(device), aside=visible(device.remote_ip))
    if not listed.paired and not listed.pending:
        terminal.say("There is none.")


def _client(device: _Device) -> str:
    return f"{device.client_id} ({device.client_mode}) on {device.platform}"


def _seen(device: _Device) -> str:
    if device.connected:
        return "connected"
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(device.last_seen_at_ms / 1000))

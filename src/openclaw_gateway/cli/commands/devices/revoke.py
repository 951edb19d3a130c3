"""`devices revoke`: take a device off the list of the running gateway."""

from typing import Unpack

import click

from openclaw_gateway.cli.commands.devices._decided import decided
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.gateway.principal import PAIRING


@click.command("revoke", cls=WithExample, example="DEVICE", params=[json_option()])
@click.argument("device", metavar="DEVICE")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, device: str, **which: Unpack[Which]) -> None:
    """End the connections of DEVICE, which `devices list` shows, and forget it. From elsewhere it is let in
    no more with gateway.devices.pairing; without that, who has the secret may connect again."""
    decided(invocation, which, "device.pair.remove", {"deviceId": device}, scope=PAIRING, word="removed")

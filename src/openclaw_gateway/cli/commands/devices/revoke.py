"""`devices revoke`: take a device off the list of the running gateway."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.gateway.principal import PAIRING
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 30.0


@click.command("revoke", cls=WithExample, example="DEVICE", params=[json_option()])
@click.argument("device", metavar="DEVICE")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, device: str, **which: Unpack[Which]) -> None:
    """End the connections of DEVICE, which `devices list` shows, and forget it. From elsewhere it is let in
    no more with gateway.devices.pairing; without that, who has the secret may connect again."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    asked = {"deviceId": device}
    answer = asked_gateway(
        around, "device.pair.remove", asked, scopes=(PAIRING,), timeout_s=_ANSWER_S, **which
    )
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"removed": answer["deviceId"]})
        return
    terminal.say(f"{answer['deviceId']} is removed.")

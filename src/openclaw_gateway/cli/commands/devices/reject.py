"""`devices reject`: send a device that waits away."""

from typing import Unpack

import click

from openclaw_gateway.cli.commands.devices._decided import decided
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.gateway.principal import ADMIN


@click.command("reject", cls=WithExample, example="ID", params=[json_option()])
@click.argument("request", metavar="ID")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, request: str, **which: Unpack[Which]) -> None:
    """Turn down the request ID, which `devices list` shows. The device may ask again."""
    decided(invocation, which, "device.pair.reject", {"requestId": request}, scope=ADMIN, word="rejected")

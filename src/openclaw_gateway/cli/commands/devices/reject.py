"""`devices reject`: send a device that waits away."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.gateway.principal import ADMIN
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 30.0


@click.command("reject", cls=WithExample, example="ID", params=[json_option()])
@click.argument("request", metavar="ID")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, request: str, **which: Unpack[Which]) -> None:
    """Turn down the request ID, which `devices list` shows. The device may ask again."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    answer = asked_gateway(
        around, "device.pair.reject", {"requestId": request}, scopes=(ADMIN,), timeout_s=_ANSWER_S, **which
    )
    device = answer["deviceId"]
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"rejected": device})
        return
    terminal.say(f"{device} is rejected.")

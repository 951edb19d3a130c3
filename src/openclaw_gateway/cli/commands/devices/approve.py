"""`devices approve`: let a device that waits connect from elsewhere.

As in OpenClaw, the newest request is only shown: what is approved has been named.
"""

from typing import Unpack

import click
import msgspec

from openclaw_gateway.cli.commands.devices._decided import decided, show, waiting
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.gateway.principal import ADMIN


@click.command("approve", cls=WithExample, example="ID", params=[json_option()])
@click.argument("request", metavar="ID", required=False)
@click.option("--latest", is_flag=True, help="Show the newest request, as without ID; nothing is approved.")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, request: str | None, latest: bool, **which: Unpack[Which]) -> None:
    """Let the device that has left the request ID, which `devices list` shows, connect from elsewhere."""
    if request is not None and latest:
        raise click.UsageError("Give ID, or --latest to see which one is the newest.")
    if request is not None:
        decided(
            invocation, which, "device.pair.approve", {"requestId": request}, scope=ADMIN, word="approved"
        )
        return
    newest = waiting(invocation, which)[:1]
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"pending": msgspec.to_builtins(newest)})
        return
    for each in newest:
        show(terminal, invocation, each)
    if not newest:
        terminal.say("No device waits to be approved.")

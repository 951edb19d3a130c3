"""`sessions reset`: a conversation begins anew under its key."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import changed, whole_key
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging


@click.command("reset", cls=WithExample, example="main", params=[json_option()])
@click.argument("key")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, key: str, **which: Unpack[Which]) -> None:
    """Begin the conversation KEY anew: the agent is not told any more what was said. Its runs end."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    answer = changed(around, "sessions.reset", whole_key(around, key, which), which)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"key": answer["key"]})
        return
    terminal.say(f"{answer['key']} begins anew.")

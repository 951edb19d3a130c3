"""`sessions rename`: a conversation is given a name for people."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import named, whole_key
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging


@click.command("rename", cls=WithExample, example="main 'Trip to Oslo'", params=[json_option()])
@click.argument("key")
@click.argument("label")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, key: str, label: str, **which: Unpack[Which]) -> None:
    """Call the conversation KEY by a LABEL; an empty one takes the name away. The key stays."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    whole = whole_key(around, key, which)
    named(around, whole, label.strip() or None, which)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"key": whole, "label": label.strip() or None})
        return
    terminal.say(f"{whole} is called {label.strip()!r}." if label.strip() else f"{whole} has no name.")

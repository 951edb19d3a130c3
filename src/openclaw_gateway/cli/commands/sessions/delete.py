"""`sessions delete`: a conversation, with all that was said in it."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import changed, whole_key
from openclaw_gateway.cli.sure import ask_first
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging


@click.command("delete", cls=WithExample, example="agent:main:old --yes", params=[json_option()])
@click.argument("key")
@click.option("--yes", is_flag=True, help="Do not ask first.")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, key: str, yes: bool, **which: Unpack[Which]) -> None:
    """Delete the conversation KEY. Its runs end, and it cannot be brought back."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    terminal = Terminal(invocation)
    whole = whole_key(around, key, which)
    if not yes:
        if invocation.json or not terminal.errors_are_seen:
            raise click.UsageError("Say --yes: nobody can be asked here.")
        ask_first(terminal, f"Delete {whole}, with all that was said in it?", "Nothing was deleted.")
    answer = changed(around, "sessions.delete", whole, which)
    if invocation.json:
        terminal.result({"key": answer["key"], "deleted": answer["deleted"]})
        return
    terminal.say(
        f"{answer['key']} is deleted." if answer["deleted"] else f"{answer['key']} was gone already."
    )

"""`sessions show`: what was said in one conversation."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import MOST, history, whole_key
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.transcript_text import markdown
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.logs import configure_logging


@click.command("show", cls=WithExample, example="main --limit 20", params=[json_option()])
@click.argument("key")
@click.option(
    "--limit", type=WholeNumber(1, MOST), default=200, show_default=True, help="How many of the newest."
)
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, key: str, limit: int, **which: Unpack[Which]) -> None:
    """Print the newest messages of the conversation KEY."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    told = history(around, whole_key(around, key, which), which, limit=limit)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"key": told["sessionKey"], "messages": told["messages"], "hasMore": told["hasMore"]})
        return
    terminal.title(told["sessionKey"])
    for piece in markdown(told["messages"]):
        terminal.say(f"\n{piece}".rstrip("\n"))
    if told["hasMore"]:
        terminal.notice(f"of {told['totalMessages']:,} messages the newest; --limit shows up to {MOST:,}.")

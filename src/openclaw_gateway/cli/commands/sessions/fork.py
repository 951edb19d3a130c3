"""`sessions fork`: another conversation that goes on from this one, which stays as it is."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import named, whole_key, written
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging


@click.command("fork", cls=WithExample, example="main --label 'Another way'", params=[json_option()])
@click.argument("key")
@click.option(
    "--at",
    metavar="MESSAGE",
    help="From this message, by its id (of sessions search, or show --json): before a question, behind an "
    "answer. Else from the end.",
)
@click.option("--label", metavar="NAME", help="What the new one is called.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation, *, key: str, at: str | None, label: str | None, **which: Unpack[Which]
) -> None:
    """Make another conversation that goes on from KEY."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    asked = {"sessionKey": whole_key(around, key, which)} | ({} if at is None else {"entryId": at})
    answer = written(around, "sessions.fork", asked, which)
    made = answer["sessionKey"]
    if label is not None:
        named(around, made, label, which)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"key": made, "parent": asked["sessionKey"], "text": answer.get("editorText")})
        return
    terminal.say(made)
    if answer.get("editorText"):
        terminal.notice(f"It ends before: {answer['editorText']}")

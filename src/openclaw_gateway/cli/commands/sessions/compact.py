"""`sessions compact`: the older part of a conversation is summarised now."""

from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import changed, whole_key
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging

# It waits for the runs before it, and then for the model.
_ANSWER_S = 900.0


@click.command("compact", cls=WithExample, example="main", params=[json_option()])
@click.argument("key")
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, key: str, **which: Unpack[Which]) -> None:
    """Have the agent's model summarise the older part of the conversation KEY: the agent is told the summary
    instead of it. What was said stays."""
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    answer = changed(around, "sessions.compact", whole_key(around, key, which), which, timeout_s=_ANSWER_S)
    terminal = Terminal(invocation)
    summary = answer["result"]["summary"] if answer["compacted"] else None
    if invocation.json:
        terminal.result({"key": answer["key"], "compacted": answer["compacted"], "summary": summary})
        return
    terminal.say(summary if summary is not None else f"Nothing was summarised: {answer['reason']}.")

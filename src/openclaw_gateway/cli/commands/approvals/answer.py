"""`approvals answer`: say whether a command that waits may run."""

from pathlib import Path
from typing import get_args

import click

from openclaw_gateway.cli.commands.approvals._gateway import operator
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.options import gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.wire.approvals import Decision


@click.command("answer", cls=WithExample, example="0123456789ab allow-once", params=[json_option()])
@click.argument("question", metavar="ID")
@click.argument("decision", type=click.Choice(get_args(Decision)))
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    question: str,
    decision: Decision,
    url: str | None,
    token: str | None,
    password: str | None,
    config_path: Path | None,
) -> None:
    """Answer the question ID, which `approvals pending` shows."""
    around = Surroundings.of(invocation)

    async def answer() -> None:
        async with operator(around, config_path, url, token, password) as client:
            await client.request("exec.approval.resolve", {"id": question, "decision": decision})

    run(answer())
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"id": question, "decision": decision})
    else:
        terminal.say(f"{question} is answered: {decision}.")

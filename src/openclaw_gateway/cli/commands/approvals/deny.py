"""`approvals deny`: no agent runs a program, whatever else allows it."""

from pathlib import Path

import click

from openclaw_gateway.cli.commands.approvals._change import change, checked
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.tools.exec.approvals import deny


@click.command("deny", cls=WithExample, example="rm", params=[json_option()])
@click.argument("pattern")
@click.option("--agent", metavar="ID", help="Only for this agent; otherwise for all.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, pattern: str, agent: str | None, config_path: Path | None) -> None:
    """Deny the program PATTERN: its name, or a glob of its path. It wins over what allows it.

    Programs that run others (sh -c, python -c) are not seen through: deny them too. While anything is denied,
    words that run another command (env, xargs, time, VAR=x) are refused.
    """
    change(
        invocation,
        checked(pattern),
        deny,
        done="is denied for {who}",
        idle="was denied for {who} already",
        agent=agent,
        config_path=config_path,
    )

"""`approvals allow`: let agents run a program."""

import click

from openclaw_gateway.cli.commands.approvals._change import change
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.tools.approvals import allow


@click.command("allow", cls=WithExample, example="npm --agent main", params=[json_option()])
@click.argument("pattern")
@click.option("--agent", metavar="ID", help="Only for this agent; otherwise for all.")
@pass_invocation
def command(invocation: Invocation, pattern: str, agent: str | None) -> None:
    """Allow the program PATTERN: its name, or a glob of its path such as '/opt/tools/*'."""
    change(invocation, pattern, agent, allow, "allowed")

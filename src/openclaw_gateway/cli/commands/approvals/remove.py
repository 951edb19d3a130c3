"""`approvals remove`: take back what was allowed or denied."""

from pathlib import Path

import click

from openclaw_gateway.cli.commands.approvals._change import change
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.tools.exec.approvals import remove


@click.command("remove", cls=WithExample, example="npm --agent main", params=[json_option()])
@click.argument("pattern")
@click.option("--agent", metavar="ID", help="Only for this agent; otherwise what was said for all.")
@config_option
@pass_invocation
def command(invocation: Invocation, *, pattern: str, agent: str | None, config_path: Path | None) -> None:
    """Take PATTERN, written as it was, out of what is allowed and what is denied."""
    change(
        invocation,
        pattern.strip(),
        remove,
        done="is neither allowed nor denied by name for {who} any more",
        idle="was neither allowed nor denied by name for {who}",
        agent=agent,
        config_path=config_path,
    )

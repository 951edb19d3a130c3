"""`approvals allow`: let agents run a program."""

from pathlib import Path

import click

from openclaw_gateway.cli.commands.approvals._change import change, checked
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.tools.approvals import allow
from openclaw_gateway.tools.program_patterns import covers_nothing, loosens


@click.command("allow", cls=WithExample, example="npm --agent main", params=[json_option()])
@click.argument("pattern")
@click.option("--agent", metavar="ID", help="Only for this agent; otherwise for all.")
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Another configuration file.")
@pass_invocation
def command(invocation: Invocation, *, pattern: str, agent: str | None, config_path: Path | None) -> None:
    """Allow the program PATTERN: its name, or a glob of its path such as '/opt/tools/*'."""
    pattern = checked(pattern)
    more = ""
    if covers_nothing(pattern):
        more = ", which changes nothing: it runs other programs, and those are allowed by their own names"
    elif loosens(pattern):
        more = ", now with any argument, also outside the workspace"
    change(
        invocation,
        pattern,
        allow,
        done=f"is allowed for {{who}}{more}",
        idle="was allowed for {who} already",
        agent=agent,
        config_path=config_path,
    )

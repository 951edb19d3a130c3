"""`approvals allow`: let agents run a program."""

from pathlib import Path

import click

from openclaw_gateway.cli.commands.approvals._change import change, checked
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.tools.exec.approvals import allow
from openclaw_gateway.tools.exec.program_patterns import covers_nothing, loosens, opened_by, words_of


@click.command("allow", cls=WithExample, example="'npm test' --agent main", params=[json_option()])
@click.argument("pattern")
@click.option("--agent", metavar="ID", help="Only for this agent; otherwise for all.")
@config_option
@click.option("--yes", is_flag=True, help="Also what allows everything.")
@pass_invocation
def command(
    invocation: Invocation, *, pattern: str, agent: str | None, config_path: Path | None, yes: bool
) -> None:
    """Allow the command PATTERN: a program's name, or a glob of its path such as '/opt/tools/*', and behind
    it the first arguments if only these are meant: 'git commit', 'npm run *'."""
    pattern = checked(pattern)
    opened = opened_by(pattern)
    if opened is not None and not yes:
        raise click.UsageError(f"{opened} With --yes it is written all the same.")
    change(
        invocation,
        pattern,
        allow,
        done=f"is allowed for {{who}}{_covered(pattern)}",
        idle="was allowed for {who} already",
        agent=agent,
        config_path=config_path,
    )


def _covered(pattern: str) -> str:
    """What more it says than its words."""
    program, *arguments = words_of(pattern)
    if covers_nothing(pattern):
        return ", which changes nothing: it runs other programs, and those are allowed by their own names"
    if arguments:
        return (
            ", with what follows it, also paths outside the workspace; what it makes of the workspace's "
            "files (scripts, settings), which agents write, is allowed with it"
        )
    if not loosens(pattern):
        return ""
    git = program.rpartition("/")[2] == "git"
    written = " (a clone, a worktree or an archive is written wherever it says)" if git else ""
    return f", now with any argument, also outside the workspace{written}"

"""`completion`: what a shell needs to complete commands and options with the tab key."""

import click
from click.shell_completion import get_completion_class

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, pass_invocation

_SHELLS = ("bash", "zsh", "fish")


@click.command("completion", cls=WithExample, example="bash >> ~/.bashrc")
@click.argument("shell", type=click.Choice(_SHELLS))
@pass_invocation
def command(invocation: Invocation, shell: str) -> None:
    """Print the completion of SHELL. Bash and zsh: into ~/.bashrc or ~/.zshrc; fish: into its completions."""
    made = get_completion_class(shell)
    root = click.get_current_context().find_root().command
    if made is None:
        raise click.BadParameter("is not known", param_hint="SHELL")
    variable = f"_{invocation.program}_COMPLETE".replace("-", "_").upper()
    click.echo(made(root, {}, invocation.program, variable).source())

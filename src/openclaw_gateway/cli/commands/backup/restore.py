"""`backup restore`: what `backup create` saved takes the place of what is there, which is kept."""

from pathlib import Path

import click

from openclaw_gateway.cli.archive import restore_archive
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.errors import StartupError
from openclaw_gateway.instance import EX_ALREADY_RUNNING, InstanceLock


@click.command("restore", cls=WithExample, example="sessions.tar.gz", params=[json_option()])
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@pass_invocation
def command(invocation: Invocation, *, file: Path) -> None:
    """Put back what is in FILE. The gateway must not run. What was there is moved aside, and a configuration
    that is there stays."""
    around = Surroundings.of(invocation)
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    try:
        with InstanceLock(paths.own_dir):
            aside, config = restore_archive(around.cwd / file, paths.own_dir, paths.state_dir)
    except StartupError as error:
        if error.exit_code != EX_ALREADY_RUNNING:
            raise
        raise CommandFailed(
            f"The gateway of {paths.state_dir} runs. Stop it first: {invocation.typed} gateway stop",
            code=error.code,
            exit_code=error.exit_code,
        ) from None
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"aside": str(aside) if aside else None, "config": [str(path) for path in config]})
        return
    terminal.say(f"Restored into {paths.own_dir}.")
    if aside is not None:
        terminal.say(f"What was there is in {aside}.")
    for path in config:
        terminal.say(f"{path} was put back, too.")

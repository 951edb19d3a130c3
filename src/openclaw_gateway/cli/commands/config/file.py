"""`config file`: where the configuration is."""

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths


@click.command("file", cls=WithExample, example="", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> None:
    """Print the path of the configuration file, whether it exists or not."""
    around = Surroundings.of(invocation)
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    terminal = Terminal(invocation)
    if not invocation.json:
        terminal.verbatim(str(paths.config_file))
        return
    terminal.result(
        {
            "path": str(paths.config_file),
            "exists": paths.config_file.exists(),
            "overlay": str(paths.overlay_file),
            "stateDir": str(paths.state_dir),
        }
    )

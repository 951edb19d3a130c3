"""`backup create`: sessions, ledger, files and configuration in one archive, while the gateway runs."""

import time
from pathlib import Path

import click

from openclaw_gateway import __version__
from openclaw_gateway.cli.archive import make_archive
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.sizes import size_text


@click.command("create", cls=WithExample, example="sessions.tar.gz", params=[json_option()])
@click.argument("file", required=False, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The same as FILE.",
)
@pass_invocation
def command(invocation: Invocation, *, file: Path | None, output: Path | None) -> None:
    """Save sessions, usage, approvals and configuration in FILE, or in one with the time in its name. The
    gateway may go on running. The file holds secrets."""
    around = Surroundings.of(invocation)
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd)
    named = f"{invocation.program}-{time.strftime('%Y%m%d-%H%M%S')}.tar.gz"
    target = around.cwd / (output or file or named)
    config = [
        path for path in (paths.config_file, paths.overlay_file, paths.state_dir / ".env") if path.is_file()
    ]
    about = make_archive(target, paths.own_dir, config, __version__)
    size = target.stat().st_size
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result(
            {"file": str(target), "bytes": size, "files": about.files, "config": [p.name for p in config]}
        )
        return
    terminal.say(f"Saved in {target}, {size_text(size)}. Secrets are in it, workspaces are not.")

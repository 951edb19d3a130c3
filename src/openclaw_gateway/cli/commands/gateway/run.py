"""`gateway run`: the daemon in the foreground, until a signal."""

from typing import Any

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.process.serving import banner, remarks, serve, until_ready
from openclaw_gateway.cli.process.start_flags import start_flags
from openclaw_gateway.cli.setup.offer import offer_setup
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.daemon import Daemon


@click.command("run", cls=WithExample, example="--port 18789")
@start_flags
@click.option("--verbose", is_flag=True, help="Log every detail.")
@click.option("--allow-unconfigured", is_flag=True, help="Start without a configuration, too.")
@pass_invocation
def command(
    invocation: Invocation,
    /,
    *,
    verbose: bool,
    allow_unconfigured: bool,
    **flags: Any,
) -> int:
    """Run the gateway in the foreground. Ctrl-C ends it after the runs that are going on."""
    around = Surroundings.of(invocation)
    if not allow_unconfigured:
        offer_setup(invocation, around, flags["config_path"])
    options = Options(**around.for_options(), **flags)

    async def announce(terminal: Terminal, daemon: Daemon, urls: tuple[str, ...]) -> None:
        banner(terminal, invocation.typed, daemon, urls)
        if daemon.auth.generated:
            terminal.row(
                "token",
                daemon.auth.secret or "",
                aside="shown here only, new at each start; set gateway.auth.token to keep one",
            )
        remarks(terminal, daemon)
        await until_ready(daemon)
        terminal.say("Ready. Ctrl-C stops it.")

    level = "debug" if verbose else None
    again = f"{invocation.typed} gateway run --port "
    return run(serve(invocation, options, announce, elsewhere=again, level=level))

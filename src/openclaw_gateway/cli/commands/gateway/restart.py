"""`gateway restart`: the installed service, ended after its runs and started again."""

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.process.ends_option import ends_option
from openclaw_gateway.cli.process.stopping import stop_process
from openclaw_gateway.cli.service.awaited import wait_ended, wait_ready
from openclaw_gateway.cli.service.installed import installed
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths


@click.command("restart", cls=WithExample, example="", params=[json_option()])
@ends_option
@pass_invocation
def command(invocation: Invocation, *, timeout_s: int) -> None:
    """Restart the installed service. A gateway that runs beside it makes room for it."""
    around = Surroundings.of(invocation)
    own_dir = resolve_paths(around.environ, home=around.home, cwd=around.cwd).own_dir
    manager, state = installed(around, own_dir)
    if state.running:
        manager.stop()
        wait_ended(manager, timeout_s)
    stop_process(own_dir, timeout_s)
    manager.start()
    origin = wait_ready(manager, own_dir)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"service": manager.look(), "url": origin})
    else:
        terminal.say(f"{state.name} runs again, and is ready at {origin}.")

"""`gateway start`: the installed service, until it is ready."""

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.service.awaited import wait_ready
from openclaw_gateway.cli.service.here import said_pid
from openclaw_gateway.cli.service.installed import installed
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.instance import holder


@click.command("start", cls=WithExample, example="", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> None:
    """Start the installed service and wait until it is ready. Without one: `gateway run`."""
    around = Surroundings.of(invocation)
    own_dir = resolve_paths(around.environ, home=around.home, cwd=around.cwd).own_dir
    manager, state = installed(around, own_dir)
    other = holder(own_dir)
    if not state.running and other is not None:
        raise CommandFailed(
            f"A gateway runs already for {own_dir.parent}{said_pid(other)}, and not as the "
            f"service. End it with {invocation.typed} gateway stop.",
            code="already_running",
        )
    if not state.running:
        manager.start()
    origin = wait_ready(manager, own_dir)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"service": manager.look(), "url": origin})
    else:
        terminal.say(f"{state.name} {'runs already' if state.running else 'runs'}, and is ready at {origin}.")

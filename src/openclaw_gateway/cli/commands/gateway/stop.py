"""`gateway stop`: end the gateway of this state directory, after the runs that are going on."""

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.process.ends_option import ends_option
from openclaw_gateway.cli.process.stopping import stop_process
from openclaw_gateway.cli.service.awaited import wait_ended
from openclaw_gateway.cli.service.here import service_here
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths


@click.command("stop", cls=WithExample, example="", params=[json_option()])
@ends_option
@pass_invocation
def command(invocation: Invocation, *, timeout_s: int) -> None:
    """Stop the running gateway: the service, or the one that runs in a terminal.

    It refuses new runs and ends when those that are going on have ended. A service stays installed.
    """
    around = Surroundings.of(invocation)
    own_dir = resolve_paths(around.environ, home=around.home, cwd=around.cwd).own_dir
    service = service_here(around)
    ended, name = None, None
    if service is not None and service[1].running:
        manager, state = service
        manager.stop()
        wait_ended(manager, timeout_s)
        ended, name = state.pid, state.name
    # Beside the service, or instead of it.
    ended = stop_process(own_dir, timeout_s) or ended
    if ended is None and name is None:
        raise CommandFailed(
            f"No gateway runs for the state directory {own_dir.parent}.", code="gateway_unreachable"
        )
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"pid": ended, "service": name})
    elif name is not None:
        terminal.say(f"The service {name} is stopped.")
    else:
        terminal.say(f"The gateway (pid {ended}) is stopped.")

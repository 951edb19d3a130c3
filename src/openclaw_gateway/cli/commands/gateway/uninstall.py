"""`gateway uninstall`: no service any more. The configuration and the sessions stay."""

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.process.ends_option import ends_option
from openclaw_gateway.cli.service.awaited import wait_ended
from openclaw_gateway.cli.service.here import manager_here
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal


@click.command("uninstall", cls=WithExample, example="", params=[json_option()])
@ends_option
@pass_invocation
def command(invocation: Invocation, *, timeout_s: int) -> None:
    """Stop the service and take it away. Nothing else is deleted."""
    manager = manager_here(Surroundings.of(invocation))
    state = manager.look()
    if not (state.installed or state.running or state.troubles):
        raise CommandFailed(
            f"No service is installed: there is no {state.name}.", code="service_not_installed"
        )
    if state.running:
        manager.stop()
        wait_ended(manager, timeout_s)
    manager.uninstall()
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"service": manager.look()})
    else:
        terminal.say(f"{state.name} is gone. Configuration and sessions are where they were.")

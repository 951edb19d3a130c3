"""The service, where a command needs one that is installed; and what is the case where there is none."""

from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service.here import manager_here, said_pid
from openclaw_gateway.cli.service.manager import Manager, ServiceState
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.instance import holder


def installed(around: Surroundings, own_dir: Path) -> tuple[Manager, ServiceState]:
    """Raises CommandFailed (code "service_not_installed", "service_unsupported"), ConfigError."""
    try:
        manager = manager_here(around)
        state = manager.look()
    except CommandFailed as error:
        message = f"No service is installed. {_without_one(own_dir)} {error.message}"
        raise CommandFailed(message, code=error.code) from None
    if state.installed:
        return manager, state
    why = f" {' '.join(state.troubles)}" if state.troubles else ""
    # One whose file was taken away runs on: it was not started by hand.
    without = "" if state.running else f" {_without_one(own_dir)}"
    raise CommandFailed(
        f"No service is installed: there is no {state.name}.{why}{without} `openclaw gateway install` makes "
        "one.",
        code="service_not_installed",
    )


def _without_one(own_dir: Path) -> str:
    found = holder(own_dir)
    if found is None:
        return f"No gateway runs for {own_dir.parent}; `openclaw gateway run` runs one in this terminal."
    return (
        f"The gateway that runs for {own_dir.parent}{said_pid(found)} was started by hand: end it with "
        "`openclaw gateway stop`, and start it with `openclaw gateway run`."
    )

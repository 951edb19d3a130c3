"""The service, where a command needs one that is installed."""

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service.manager import Manager, ServiceState


def installed(manager: Manager) -> ServiceState:
    """Raises CommandFailed (code "service_not_installed")."""
    state = manager.look()
    if state.installed:
        return state
    why = f" {' '.join(state.troubles)}" if state.troubles else ""
    raise CommandFailed(
        f"There is no service {state.name}.{why} `openclaw gateway install` makes one; `openclaw gateway "
        "run` runs the gateway in this terminal.",
        code="service_not_installed",
    )

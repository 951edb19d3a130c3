"""Waiting for a service: until it serves, until it has ended. What can only be looked at is looked at."""

import time
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.running.address import from_here
from openclaw_gateway.cli.running.readiness import ask_readiness
from openclaw_gateway.cli.service.manager import Manager
from openclaw_gateway.instance import holder

READY_S = 120
_LOOK_S = 0.1
_ANSWER_S = 5.0


def wait_ready(manager: Manager, own_dir: Path, seconds: float = READY_S) -> str:
    """Where it serves. Raises CommandFailed where it does not come to that."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        state = manager.look()
        found = holder(own_dir)
        if found is not None and found.url and state.running and found.pid in {state.pid, None}:
            origin = from_here(found.url)
            try:
                if ask_readiness(origin, timeout_s=_ANSWER_S).ready:
                    return origin
            except OSError:
                pass
        if not state.running or (state.pid is None and state.troubles):
            why = " ".join(state.troubles) or "It has ended; `openclaw gateway logs` shows why."
            raise CommandFailed(f"The service {state.name} does not run. {why}", code="service_failed")
        time.sleep(_LOOK_S)
    raise CommandFailed(
        f"The service is not ready after {seconds:g} s; `openclaw gateway logs` shows why.",
        code="service_failed",
    )


def wait_ended(manager: Manager, seconds: float) -> None:
    """Raises CommandFailed (code "stop_timeout")."""
    until = time.monotonic() + seconds
    while manager.look().running:
        if time.monotonic() > until:
            raise CommandFailed(
                f"The service is told to stop, and has still runs after {seconds:g} seconds. It ends "
                "with them.",
                code="stop_timeout",
            )
        time.sleep(_LOOK_S)

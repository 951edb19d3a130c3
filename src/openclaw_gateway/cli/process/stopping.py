"""Ends the gateway that the lock of a state directory names, after the runs that are going on."""

import os
import signal
import time
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.instance import holder

_LOOK_S = 0.05


def stop_process(own_dir: Path, seconds: float) -> int | None:
    """The number of the process that was ended; None where nothing ran. Raises CommandFailed."""
    found = holder(own_dir)
    if found is None:
        return None
    # The lock is held by it, so the number is its own and nobody else's.
    if found.pid is None:
        raise CommandFailed("Who runs it does not say its process. End it where it was started.")
    try:
        os.kill(found.pid, signal.SIGTERM)
    except OSError as error:
        raise CommandFailed(
            f"The gateway (pid {found.pid}) cannot be stopped: {(error.strerror or '').lower()}."
        ) from None
    if not _ended(own_dir, found.pid, seconds):
        raise CommandFailed(
            f"The gateway (pid {found.pid}) is told to stop, and has still runs after {seconds:g} seconds. "
            "Once more ends it at once.",
            code="stop_timeout",
        )
    return found.pid


def _ended(own_dir: Path, pid: int, seconds: float) -> bool:
    """Whether it has given up the lock by then. That can only be looked at."""
    until = time.monotonic() + seconds
    while (now := holder(own_dir)) is not None and now.pid == pid:
        if time.monotonic() > until:
            return False
        time.sleep(_LOOK_S)
    return True

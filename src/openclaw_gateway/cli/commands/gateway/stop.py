"""`gateway stop`: end the gateway of this state directory, after the runs that are going on."""

import asyncio
import os
import signal
import time
from pathlib import Path

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.instance import holder

_LOOK_S = 0.05


@click.command("stop", cls=WithExample, example="", params=[json_option()])
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(1),
    default=60,
    show_default=True,
    metavar="S",
    help="Seconds to wait for its runs to end.",
)
@pass_invocation
def command(invocation: Invocation, *, timeout_s: int) -> None:
    """Stop the running gateway. It refuses new runs and ends when those that are going on have ended."""
    around = Surroundings.of(invocation)
    own_dir = resolve_paths(around.environ, home=around.home, cwd=around.cwd).own_dir
    found = holder(own_dir)
    terminal = Terminal(invocation)
    if found is None:
        raise CommandFailed(
            f"No gateway runs for the state directory {own_dir.parent}.", code="gateway_unreachable"
        )
    # The lock is held by it, so the number is its own and nobody else's.
    if found.pid is None:
        raise CommandFailed("Who runs it does not say its process. End it where it was started.")
    try:
        os.kill(found.pid, signal.SIGTERM)
    except OSError as error:
        raise CommandFailed(
            f"The gateway (pid {found.pid}) cannot be stopped: {(error.strerror or '').lower()}."
        ) from None

    if not run(_ended(own_dir, found.pid, timeout_s)):
        raise CommandFailed(
            f"The gateway (pid {found.pid}) is told to stop, and has still runs after {timeout_s} seconds. "
            "Once more ends it at once.",
            code="stop_timeout",
        )
    if invocation.json:
        terminal.result({"pid": found.pid})
    else:
        terminal.say(f"The gateway (pid {found.pid}) is stopped.")


async def _ended(own_dir: Path, pid: int, seconds: int) -> bool:
    """Whether it has given up the lock by then. That can only be looked at."""
    until = time.monotonic() + seconds
    while (now := holder(own_dir)) is not None and now.pid == pid:
        if time.monotonic() > until:
            return False
        await asyncio.sleep(_LOOK_S)
    return True

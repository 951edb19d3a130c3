"""`health`: is the gateway ready to take requests. Asks the running one and prints what it says."""

from pathlib import Path

import click

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.address import origin_of, running_origin
from openclaw_gateway.cli.running.readiness import ask_readiness
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber


@click.command("health", cls=WithExample, example="", params=[json_option()])
@click.option("--url", metavar="URL", help="Another gateway than the one of the configuration.")
@config_option
@click.option(
    "--timeout",
    "timeout_ms",
    type=WholeNumber(1),
    default=10_000,
    show_default=True,
    metavar="MS",
    help="Milliseconds to wait for the answer.",
)
@pass_invocation
def command(invocation: Invocation, url: str | None, config_path: Path | None, timeout_ms: int) -> int:
    """Ask the running gateway whether it is ready. Exit code 0, or 1 when it is not."""
    origin = origin_of(url) if url else running_origin(Surroundings.of(invocation), config_path)[1]
    try:
        readiness = ask_readiness(origin, timeout_s=timeout_ms / 1000)
    except OSError as error:
        reason = (error.strerror or str(error) or type(error).__name__).lower()
        raise CommandFailed(
            f"No gateway answers at {origin} ({reason}). Start one with: {invocation.typed} gateway",
            code="gateway_unreachable",
        ) from None
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"ok": readiness.ready, "url": origin, **readiness.answer})
    elif readiness.ready:
        terminal.say(f"The gateway at {origin} is ready.")
    else:
        failing = readiness.answer.get("failing")
        why = ", ".join(map(str, failing)) if isinstance(failing, list) else f"HTTP {readiness.status}"
        terminal.fault(f"The gateway at {origin} is not ready: {why}.")
    return 0 if readiness.ready else FAILED

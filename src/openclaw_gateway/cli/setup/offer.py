"""What `gateway run` does where there is no configuration: it offers to make one.

Without one it would start with the OpenAI API switched off, which is what people install it for.
"""

import sys
from pathlib import Path

import click

from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.paths import resolve_paths


def offer_setup(invocation: Invocation, around: Surroundings, config_path: Path | None) -> None:
    """Returns once there is a configuration. Raises CommandFailed where none is made."""
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd, config_path=config_path)
    try:
        if paths.config_file.exists() or paths.overlay_file.exists():
            return
    except OSError:
        return  # who reads it says what is wrong
    if sys.stdin.isatty() and sys.stdout.isatty():
        asked = f"There is no configuration ({paths.config_file}). Make one now?"
        if click.confirm(asked, default=True):
            _asked_for(invocation)
            return
    raise CommandFailed(
        f"There is no configuration at {paths.config_file}, and without one the OpenAI API is off. Make one "
        f"with `{invocation.typed} setup` (`{invocation.typed} setup --yes` asks nothing), or start without: "
        f"{invocation.typed} gateway run --allow-unconfigured",
        code="config_missing",
        exit_code=CONFIG,
    )


def _asked_for(invocation: Invocation) -> None:
    # Only who has no configuration needs it, and only once.
    from openclaw_gateway.cli.setup.choices import Choices  # noqa: PLC0415
    from openclaw_gateway.cli.setup.end import set_up  # noqa: PLC0415

    choices = Choices(invocation, asks=True)
    choices.model(None, None, None)
    choices.place(None, None)
    choices.clients(())
    set_up(choices, starts=True)

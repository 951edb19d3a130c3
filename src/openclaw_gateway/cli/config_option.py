"""`--config`, the same for every command: a file that is named has to be there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation

F = TypeVar("F", bound=Callable[..., Any])


def config_option(command: F) -> F:
    """Arrives as `config_path`."""
    return _option(_there)(command)


def new_config_option(command: F) -> F:
    """For a command that writes the file."""
    return _option(None)(command)


def _option(callback: Callable[..., Path | None] | None) -> Callable[[F], F]:
    return click.option(
        "--config",
        "config_path",
        type=click.Path(path_type=Path),
        callback=callback,
        help="Another configuration file.",
    )


def _there(ctx: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    if value is None:
        return None
    # Where "~" leads is the configuration's to say; what it needs is imported by whoever names a file.
    from openclaw_gateway.cli.surroundings import Surroundings  # noqa: PLC0415
    from openclaw_gateway.config.paths import resolve_paths  # noqa: PLC0415

    around = Surroundings.of(ctx.ensure_object(Invocation))
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd, config_path=value)
    try:
        found = paths.config_file.exists()
    except OSError:
        found = True  # reading it says better why it cannot be read
    if not found:
        raise CommandFailed(
            f"There is no file {paths.config_file}. Name one that is there, or leave out --config to use the "
            "usual one.",
            code="config_not_found",
            exit_code=CONFIG,
        )
    return value

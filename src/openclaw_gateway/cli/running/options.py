"""`--url`, `--token`, `--password`, `--config`: which gateway a command asks, the same for all that do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click

from openclaw_gateway.cli.config_option import config_option

F = TypeVar("F", bound=Callable[..., Any])


class Which(TypedDict):
    """Which gateway is asked, as `asked_gateway` takes it."""

    url: str | None
    token: str | None
    password: str | None
    config_path: Path | None


def gateway_options(command: F) -> F:
    """Arrive by the names of `Which`."""
    command = config_option(command)
    command = click.option("--password", help="The same for a password.")(command)
    command = click.option("--token", help="The gateway's token, if not the configured one.")(command)
    return click.option("--url", metavar="URL", help="Another gateway; needs its own --token or --password.")(
        command
    )

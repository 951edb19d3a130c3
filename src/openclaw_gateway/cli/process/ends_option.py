"""`--timeout` of the commands that end a gateway: how long its runs have for their end, the same for all."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from openclaw_gateway.cli.whole_number import WholeNumber

F = TypeVar("F", bound=Callable[..., Any])


def ends_option(command: F) -> F:
    """Arrives as `timeout_s`."""
    return click.option(
        "--timeout",
        "timeout_s",
        type=WholeNumber(1),
        default=60,
        show_default=True,
        metavar="S",
        help="Seconds to wait for its runs to end.",
    )(command)

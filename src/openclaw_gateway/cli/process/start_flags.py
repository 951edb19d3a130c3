"""The flags of a start, the same for whoever starts and whoever only looks what a start would do."""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

import click

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.config.schema import AuthMode, Bind
from openclaw_gateway.sessions.shared import Role

F = TypeVar("F", bound=Callable[..., Any])

_FLAGS = (
    click.option("--port", type=WholeNumber(0, 65535), help="Port to listen on; 0 takes a free one."),
    click.option("--bind", type=click.Choice(get_args(Bind)), help="Where to listen; loopback by default."),
    click.option(
        "--role",
        type=click.Choice(get_args(Role)),
        help="Of several processes: take requests, execute them, or both (the default).",
    ),
    click.option("--auth", type=click.Choice(get_args(AuthMode)), help="How callers prove who they are."),
    click.option("--token", help="The token callers must send. Others can see it in the process list."),
    click.option("--password", help="The same for a password."),
    config_option,
)


def start_flags(command: F) -> F:
    """Gives a command the flags; their names are those of blueprint.Options."""
    for flag in reversed(_FLAGS):
        command = flag(command)
    return command

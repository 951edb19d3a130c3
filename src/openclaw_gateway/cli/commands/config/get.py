"""`config get`: one value of the configuration, as written, or the default that applies instead."""

from pathlib import Path
from typing import Any

import click
import msgspec

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.defaults_in_use import in_use
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.key_path import look_up, parse_key_path
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.masking import masked
from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.redaction import MASK


@click.command("get", cls=WithExample, example="gateway.auth.mode", params=[json_option()])
@click.argument("path")
@click.option("--show-secrets", is_flag=True, help="Print tokens, passwords and keys instead of ***.")
@config_option
@pass_invocation
def command(invocation: Invocation, path: str, *, show_secrets: bool, config_path: Path | None) -> None:
    """Print the value at PATH, such as gateway.port or agents.list[0].id."""
    try:
        steps = parse_key_path(path)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like agents.list[0].id", param_hint="PATH") from None
    value = _value(Surroundings.of(invocation).load(config_path), steps, path, shown=show_secrets)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.json(value)
    elif isinstance(value, str):
        terminal.verbatim(value)
    else:
        terminal.verbatim(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())
    if value == MASK:
        terminal.notice("the value is a secret; --show-secrets prints it.")


def _value(loaded: LoadedConfig, steps: KeyPath, path: str, *, shown: bool) -> Any:
    for document in (
        lambda: loaded.document,
        lambda: in_use(loaded),
        lambda: _without_nulls(msgspec.to_builtins(loaded.config)),
    ):
        try:
            value = look_up(document() if shown else masked(document()), steps)
        except LookupError:
            continue
        if value is not None:
            return value
    raise CommandFailed(
        f"Nothing is set at {path}, and there is no default. The configuration is {loaded.path}.",
        code="config_path_not_found",
    )


def _without_nulls(value: Any) -> Any:
    """The defaults without those that only say "not set"."""
    match value:
        case dict():
            return {key: _without_nulls(item) for key, item in value.items() if item is not None}
        case list() | tuple():
            return [_without_nulls(item) for item in value]
        case _:
            return value

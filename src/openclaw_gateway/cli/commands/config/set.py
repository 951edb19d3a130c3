"""`config set`: one value in the configuration file, with everything around it left as it is."""

from pathlib import Path
from typing import Any

import click
import pyjson5

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.editing import Edit, Edited
from openclaw_gateway.cli.commands.config._running import effect
from openclaw_gateway.cli.config_option import new_config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.key_path import look_up, parse_key_path
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.edit import CannotEdit, with_value
from openclaw_gateway.config.places import KeyPath
from openclaw_gateway.errors import ConfigError


@click.command(
    "set",
    cls=WithExample,
    example="gateway.port 18800",
    params=[json_option()],
    context_settings={"ignore_unknown_options": True},
)
@click.argument("path")
@click.argument("value")
@click.option("--strict-json", is_flag=True, help="VALUE must be JSON5; else what is none is taken as text.")
@new_config_option
@pass_invocation
def command(
    invocation: Invocation, path: str, value: str, *, strict_json: bool, config_path: Path | None
) -> None:
    """Set PATH to VALUE, such as gateway.port 18800, if the configuration is none the worse for it.

    Comments stay. What the file held before stays next to it, as .bak.
    """
    try:
        steps = parse_key_path(path)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like agents.list[0].id", param_hint="PATH") from None
    edit = Edit(Options(**Surroundings.of(invocation).for_options(), config_path=config_path))
    edited, meant = _best(edit, steps, _readings(value, strict=strict_json))
    if edited.faults:
        raise ConfigError(list(edited.faults))
    place = edit.elsewhere(steps, edited)
    if place is not None and not _counts(edited, steps, meant):
        raise CommandFailed(
            f"{path} is set at {place}, which counts; change it there. Nothing is written.",
            code="config_set_elsewhere",
        )
    done = effect(edit, edited)
    backup = edit.write(edited)
    terminal = Terminal(invocation)
    if invocation.json:
        written = {"path": path, "file": str(edit.file), "backup": str(backup) if backup else None}
        terminal.result({**written, "notes": edited.notes, **done.as_json()})
    else:
        terminal.say(f"{path} is set in {edit.file}.")
        for note in edited.notes:
            terminal.notice(note)
        done.say(terminal)


def _readings(value: str, *, strict: bool) -> list[Any]:
    """What a value may mean, the likeliest first: a number where text is wanted is text."""
    try:
        found = pyjson5.decode(value)
    except (pyjson5.Json5DecoderException, ValueError, OverflowError):
        if strict:
            raise click.BadParameter("is no JSON5", param_hint="VALUE") from None
        return [value]
    return [found] if strict or isinstance(found, str | dict | list) else [found, value]


def _best(edit: Edit, steps: KeyPath, readings: list[Any]) -> tuple[Edited, Any]:
    """The first that does no harm, else the first of all, and what was set."""
    found: list[tuple[Edited, Any]] = []
    for meant in readings:
        try:
            found.append((edit.tried(lambda text, value=meant: with_value(text, steps, value)), meant))  # type: ignore[misc]
        except CannotEdit as error:
            raise CommandFailed(f"{error}.", code="config_path_not_found") from None
        if not found[-1][0].faults:
            return found[-1]
    return found[0]


def _counts(edited: Edited, steps: KeyPath, meant: Any) -> bool:
    try:
        return bool(look_up(edited.drawing.read.loaded.document, steps) == meant)
    except LookupError:
        return False

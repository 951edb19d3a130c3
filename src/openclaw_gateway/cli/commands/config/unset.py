"""`config unset`: one value out of the configuration file, with everything around it left as it is."""

from pathlib import Path

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.editing import Edit
from openclaw_gateway.cli.commands.config._running import effect
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.key_path import parse_key_path
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.edit import CannotEdit, without_value
from openclaw_gateway.errors import ConfigError


@click.command("unset", cls=WithExample, example="gateway.port", params=[json_option()])
@click.argument("path")
@config_option
@pass_invocation
def command(invocation: Invocation, path: str, *, config_path: Path | None) -> None:
    """Remove what is set at PATH, if the configuration is none the worse for it. Comments stay."""
    try:
        steps = parse_key_path(path)
    except ValueError as error:
        raise click.BadParameter(f"{error}; write it like agents.list[0].id", param_hint="PATH") from None
    edit = Edit(Options(**Surroundings.of(invocation).for_options(), config_path=config_path))
    try:
        edited = edit.tried(lambda text: without_value(text, steps))
    except CannotEdit:
        place = edit.elsewhere(steps)
        if place is not None:
            message = f"{path} is not set in {edit.file}, but at {place}; remove it there."
            raise CommandFailed(message, code="config_set_elsewhere") from None
        raise CommandFailed(f"{path} is not set in {edit.file}.", code="config_path_not_found") from None
    if edited.faults:
        raise ConfigError(list(edited.faults))
    still = edit.elsewhere(steps, edited)
    done = effect(edit, edited)
    backup = edit.write(edited)
    terminal = Terminal(invocation)
    if invocation.json:
        written = {"path": path, "file": str(edit.file), "backup": str(backup) if backup else None}
        terminal.result({**written, "notes": edited.notes, **done.as_json()})
        return
    terminal.say(f"{path} is removed from {edit.file}.")
    for note in edited.notes:
        terminal.notice(note)
    if still is not None:
        terminal.notice(f"{path} is still set at {still}.")
    done.say(terminal)

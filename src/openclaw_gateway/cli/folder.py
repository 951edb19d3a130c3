"""A command whose subcommands are the modules of a package: the folder is the list.

A module is imported when its command is used (or listed in a help text), never before. It must define
`command`. Knows nothing of what the commands do.
"""

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.example import WithExample


class Folder(WithExample, click.Group):
    """`default` is the subcommand that is meant when the line goes on with an option, or ends."""

    def __init__(
        self, *, package: str, directories: Sequence[str], default: str | None = None, **options: Any
    ) -> None:
        super().__init__(**options)
        self._package = package
        self._directories = directories
        self._default = default

    def list_commands(self, ctx: click.Context) -> list[str]:
        found = (entry for directory in self._directories for entry in Path(directory).iterdir())
        return sorted(entry.stem for entry in found if entry.suffix in {"", ".py"} and entry.stem[0] != "_")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command = importlib.import_module(f"{self._package}.{cmd_name}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if ctx.resilient_parsing or args[0].startswith("-") or self.get_command(ctx, args[0]):
            return super().resolve_command(ctx, args)
        from openclaw_gateway.cli.unknown_commands import about_unknown  # noqa: PLC0415  not for every start

        program = ctx.find_root().command_path
        path = ctx.command_path.removeprefix(program).split()
        raise click.UsageError(about_unknown(program, (*path, args[0]), self.list_commands(ctx)), ctx)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        helped = args and args[0] in ctx.help_option_names
        # A shell that completes has not come to what is meant yet.
        ends = not args and not ctx.resilient_parsing
        if self._default and not helped and (ends or (args and args[0].startswith("-"))):
            args = [self._default, *args]
        return super().parse_args(ctx, args)

"""Help texts end with an example, under the name the program was called by."""

from typing import Any

import click


class WithExample(click.Command):
    """`example` is what follows the command's own path: "-m hello" for `openclaw agent -m hello`."""

    def __init__(self, *, example: str, **options: Any) -> None:
        super().__init__(**options)
        self._example = example

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_help_text(ctx, formatter)
        formatter.write(f"\n  Example: {f'{ctx.command_path} {self._example}'.strip()}\n")

"""How the program was called: its name and the global options. Stdlib only, so that --version is quick."""

import os
import re
import shlex
from dataclasses import dataclass

import click

_OURS = re.compile(r"(?<=`)openclaw (?=[a-z])")


@dataclass(slots=True)
class Invocation:
    """`json` is set by a command that was asked for JSON: then errors are JSON on stdout as well."""

    program: str
    profile: str | None = None
    color: bool = True
    debug: bool = False
    json: bool = False

    @property
    def typed(self) -> str:
        """What a command begins with that this caller is told to type."""
        return self.program + (f" --profile {shlex.quote(self.profile)}" if self.profile else "")

    def worded(self, text: str) -> str:
        """`text` with the commands in it as this caller types them; between backticks they are known."""
        return _OURS.sub(lambda _: f"{self.typed} ", text)

    def shows_color(self) -> bool:
        """Whether a terminal may be sent codes for colours, or for anything else that only looks."""
        return self.color and not os.environ.get("NO_COLOR")


pass_invocation = click.make_pass_decorator(Invocation)


def json_option(help_text: str = "Print one JSON object on stdout and nothing else.") -> click.Option:
    """`--json`, the same for every command; the value arrives in the invocation, not as an argument."""

    def remember(ctx: click.Context, _: click.Parameter, value: bool) -> None:
        ctx.ensure_object(Invocation).json |= value

    return click.Option(["--json"], is_flag=True, expose_value=False, callback=remember, help=help_text)

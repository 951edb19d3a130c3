"""The program's names, its global options, and the edge where every error becomes text and a code.

Imports click and nothing heavy: `--version` has to be instant. What a command needs is imported when
that command is used. (The names are those of the brands; importing their table would take too long.)
"""

import gc
import sys
from io import TextIOWrapper
from typing import NoReturn

import click

from openclaw_gateway import __version__
from openclaw_gateway.cli import commands
from openclaw_gateway.cli.descriptors import fill_standard_descriptors
from openclaw_gateway.cli.exit_codes import EXIT_CODES, INTERRUPTED
from openclaw_gateway.cli.failure import report
from openclaw_gateway.cli.folder import Folder
from openclaw_gateway.cli.invocation import Invocation

_EXIT_TABLE = "\n".join(f"  {code:>3}  {meaning}" for code, meaning in EXIT_CODES.items())


class _Root(Folder):
    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write(f"\nExit codes:\n{_EXIT_TABLE}\n")


def openclaw() -> NoReturn:
    _run("openclaw")


def clawdbot() -> NoReturn:
    """The same program under its older name."""
    _run("clawdbot")


def alone() -> NoReturn:
    """The same under the name of the package, so that `uvx openclaw-gateway` finds it. Without a command it
    starts the gateway, which offers to set one up."""
    if not sys.argv[1:]:
        sys.argv.append("gateway")
    _run("openclaw-gateway")


def _run(program: str) -> NoReturn:
    fill_standard_descriptors()
    gc.disable()  # until everything is imported: collecting what imports leave costs a tenth of the start
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    invocation = Invocation(program)
    try:
        code = _program().main(prog_name=program, standalone_mode=False, obj=invocation)
    except click.exceptions.Abort:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001  the edge: nothing is above
        code = report(error, invocation)
    sys.exit(code if isinstance(code, int) else 0)


def _program() -> click.Group:
    root = _Root(
        package=commands.__name__,
        directories=commands.__path__,
        example="gateway quickstart --state-dir ./try",
        help="Your AI agents, usable from everything that speaks the OpenAI API.",
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )
    root.params += [
        click.Option(["--profile"], metavar="NAME", expose_value=False, callback=_profile, help=_PROFILE),
        click.Option(["--no-color"], is_flag=True, expose_value=False, callback=_no_color, help=_COLOR),
        click.Option(["--debug"], is_flag=True, expose_value=False, callback=_debug, help=_DEBUG),
    ]
    return click.version_option(__version__, "-V", "--version", message="%(prog)s %(version)s")(root)


_PROFILE = "Use the state directory of this profile, such as ~/.openclaw-NAME."
_COLOR = "No colours; the environment variable NO_COLOR does the same."
_DEBUG = "Show the stack trace of a fault of this program."


def _profile(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    invocation = ctx.ensure_object(Invocation)
    invocation.profile = value
    ctx.info_name = invocation.typed  # click's own advice and every example begin with it


def _no_color(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Invocation).color = not value


def _debug(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    ctx.ensure_object(Invocation).debug = value

"""How a command fails: an error becomes text on stderr (or JSON on stdout) and an exit code.

The only translator of errors in this door. Stdlib only, because everything else in the door imports it.
"""

import json
import os
import sys
import traceback
from typing import Any

import click

from openclaw_gateway.cli.exit_codes import CONFIG, FAILED, SOFTWARE
from openclaw_gateway.cli.harmless import printable
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.errors import ConfigError, GatewayError, StartupError, error_type


class CommandFailed(Exception):
    """A command cannot do what it was asked; `message` says why and what to do."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "failed",
        kind: str = "cli_error",
        exit_code: int = FAILED,
        run_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.kind = kind
        self.exit_code = exit_code
        self.run_id = run_id


def of_gateway_error(error: GatewayError, run_id: str | None = None) -> CommandFailed:
    """One of the gateway's errors as the failure of a command."""
    if isinstance(error, ConfigError):
        exit_code = CONFIG
    elif isinstance(error, StartupError):
        exit_code = error.exit_code
    else:
        exit_code = FAILED
    return CommandFailed(
        error.message, code=error.code, kind=error_type(error), exit_code=exit_code, run_id=run_id
    )


def report(error: Exception, invocation: Invocation) -> int:
    """Tell the user about `error` and return the exit code."""
    if isinstance(error, click.ClickException):
        # A line that cannot be parsed has told nobody yet that it asks for JSON.
        invocation.json |= "--json" in sys.argv[1:]
        error = _misplaced(error, invocation) or error
        if not invocation.json:
            error.show()
            return error.exit_code
        error = CommandFailed(error.format_message(), code="usage", exit_code=error.exit_code)
    if isinstance(error, OSError) and _output_is_lost():
        if isinstance(error, BrokenPipeError):
            # The reader of our output went away (`openclaw … | head`): nobody is left to be told.
            return FAILED
        error = CommandFailed(f"Cannot write the output: {(error.strerror or 'it is gone').lower()}.")
    if isinstance(error, GatewayError):
        error = of_gateway_error(error)
    if not isinstance(error, CommandFailed):
        error = _internal(error, invocation)
    error.message = invocation.worded(error.message)
    if invocation.json:
        sys.stdout.write(json.dumps(envelope(error), ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        text = click.style("Error: ", fg="red", bold=True) + printable(error.message)
        click.echo(text, err=True, color=None if invocation.shows_color() else False)
    return error.exit_code


def _misplaced(error: click.ClickException, invocation: Invocation) -> click.UsageError | None:
    """About a global option that stands behind the command."""
    if not isinstance(error, click.NoSuchOption) or error.ctx is None:
        return None
    whole = error.ctx.find_root().command
    if not any(error.option_name in param.opts for param in whole.params):
        return None
    begins = invocation.program if error.option_name == "--profile" else invocation.typed
    said = f"{error.option_name} goes before the command: {begins} {error.option_name} …"
    return click.UsageError(said, error.ctx)


def _output_is_lost() -> bool:
    """Whether stdout takes nothing more. What it did not take is dropped, or Python would try it again."""
    try:
        sys.stdout.flush()
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
        return True
    return False


def envelope(error: CommandFailed) -> dict[str, Any]:
    """The JSON a program reads when a command fails."""
    body: dict[str, Any] = {
        "ok": False,
        "error": {"type": error.kind, "code": error.code, "message": error.message},
    }
    if error.run_id is not None:
        body["runId"] = error.run_id
    return body


def _internal(error: Exception, invocation: Invocation) -> CommandFailed:
    if invocation.debug:
        traceback.print_exception(error)
    hint = "The stack trace is above" if invocation.debug else "Run it again with --debug to see where"
    return CommandFailed(
        f"internal error ({type(error).__name__}). This is a fault of {invocation.program}, not of yours. "
        f"{hint}, and report it.",
        code="internal_error",
        exit_code=SOFTWARE,
    )

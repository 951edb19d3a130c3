"""`config schema`: what a configuration file may hold, as a JSON schema. Asks no gateway, reads no file."""

import click
import msgspec

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.json_schema import config_schema


@click.command("schema", cls=WithExample, example="> openclaw.schema.json", params=[json_option()])
@pass_invocation
def command(invocation: Invocation) -> None:
    """Print the JSON schema of the configuration file, for an editor or a form.

    With --json it is on one line.
    """
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.json(config_schema())
    else:
        terminal.verbatim(msgspec.json.format(msgspec.json.encode(config_schema()), indent=2).decode())

"""`doctor`: everything that can be looked at, at once, each with what to do."""

import click
import msgspec

from openclaw_gateway.cli.checkup import checked
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging


@click.command("doctor", cls=WithExample, example="--fix", params=[json_option()])
@click.option("--fix", "--repair", "fix", is_flag=True, help="Take from others the right to read the files.")
@pass_invocation
def command(invocation: Invocation, *, fix: bool) -> int:
    """Look at configuration, models, gateway, port, store and disk. Exit code 1 when something is wrong.

    Asks no model; `models test` does.
    """
    configure_logging(level="silent")
    terminal = Terminal(invocation)
    found = []
    for finding in checked(Surroundings.of(invocation), invocation.typed, fix=fix):
        found.append(msgspec.structs.replace(finding, text=invocation.worded(finding.text)))
        if not invocation.json:
            aside = "" if finding.verdict == "ok" else finding.verdict
            terminal.row(finding.check, found[-1].text, aside=aside)
    wrong = any(finding.verdict == "wrong" for finding in found)
    if invocation.json:
        terminal.result({"ok": not wrong, "findings": found})
    return FAILED if wrong else 0

"""`security audit`: each danger of this set-up, what it means, and the line that mends it."""

from collections import Counter
from pathlib import Path

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.dangers import dangers
from openclaw_gateway.blueprint.dangers.danger import Severity
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import FAILED
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.address import config_in_use
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.logs import configure_logging

_ORDER: tuple[Severity, ...] = ("critical", "warning", "info")


@click.command("audit", cls=WithExample, example="--json", params=[json_option()])
@config_option
@pass_invocation
def command(invocation: Invocation, *, config_path: Path | None) -> int:
    """Look for what is dangerous: who gets in, who reads along, how far tools reach.

    Changes nothing. Exit code 1 when something is critical, 0 when nothing is.
    """
    configure_logging(level="silent")
    around = Surroundings.of(invocation)
    used = config_in_use(around, config_path)
    drawing = draw(Options(**around.for_options(), config_path=used))
    found = sorted(
        dangers(drawing.read, drawing.plan, invocation.typed), key=lambda each: _ORDER.index(each.severity)
    )
    counts = Counter(each.severity for each in found)
    problems = drawing.explained().problems if drawing.plan.problems else ()
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result(
            {
                "ok": not counts["critical"],
                "config": str(drawing.plan.loaded.path),
                "counts": {severity: counts[severity] for severity in _ORDER},
                "dangers": found,
                "problems": problems,
            }
        )
        return FAILED if counts["critical"] else 0
    for each in found:
        terminal.row(each.severity, each.means, aside=each.check)
        for line in each.mend.splitlines():
            terminal.verbatim(f"            {line}")
    for problem in problems:
        terminal.notice(f"the configuration is wrong, and what depends on this was not judged: {problem}")
    total = ", ".join(f"{counts[severity]} {severity}" for severity in _ORDER if counts[severity])
    terminal.say(total or "Nothing dangerous was found.")
    return FAILED if counts["critical"] else 0

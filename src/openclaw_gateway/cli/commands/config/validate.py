"""`config validate`: everything that is wrong with the configuration, at once, without starting anything."""

from pathlib import Path

import click

from openclaw_gateway.cli.commands.config._faults import faults
from openclaw_gateway.cli.commands.config._notes import notes
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import ConfigError


@click.command("validate", cls=WithExample, example="--json", params=[json_option()])
@click.option("--config", "config_path", type=click.Path(path_type=Path), help="Another configuration file.")
@pass_invocation
def command(invocation: Invocation, config_path: Path | None) -> int:
    """Check the configuration and print every problem. Exit code 0 or 78."""
    terminal, around = Terminal(invocation), Surroundings.of(invocation)
    try:
        partly = around.load_partly(config_path)
    except ConfigError as error:
        return _tell(terminal, invocation, None, error.problems)
    sentences, problems = faults(partly)
    sentences += around.explain(problems, config_path)
    whole = not (partly.unread or partly.broken)
    return _tell(terminal, invocation, partly.loaded if whole else None, sentences)


def _tell(
    terminal: Terminal, invocation: Invocation, loaded: LoadedConfig | None, problems: list[str]
) -> int:
    notices = list(loaded.notices) if loaded else []
    remarks = notes(loaded) if loaded else []
    if invocation.json:
        path = {"path": str(loaded.path), "exists": loaded.exists} if loaded else {}
        terminal.json(
            {"ok": not problems, **path, "problems": problems, "notices": notices, "notes": remarks}
        )
        return CONFIG if problems else 0
    for problem in problems:
        terminal.fault(problem)
    for notice in (*notices, *remarks):
        terminal.notice(notice)
    if problems:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        terminal.fault(f"{count} found.")
        return CONFIG
    if loaded:
        valid = f"{loaded.path} is valid."
        terminal.say(valid if loaded.exists else f"There is no {loaded.path}: the defaults apply.")
    return 0

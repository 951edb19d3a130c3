"""`config validate`: everything that is wrong with the configuration, at once, without starting anything.

What it passes a start accepts, and what a start refuses it names: both look at the same blueprint.
"""

from typing import Any

import click

from openclaw_gateway.blueprint import Options
from openclaw_gateway.blueprint.drawing import draw
from openclaw_gateway.blueprint.exposed import exposed
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.exit_codes import CONFIG
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.machine import missing_here
from openclaw_gateway.cli.process.start_flags import start_flags
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.config.load import Explained, LoadedConfig
from openclaw_gateway.config.modes import mended, open_to_others
from openclaw_gateway.errors import ConfigError


@click.command("validate", cls=WithExample, example="--json", params=[json_option()])
@start_flags
@click.option("--fix", is_flag=True, help="Take from others the right to read or change the files.")
@pass_invocation
def command(invocation: Invocation, /, *, fix: bool, **flags: Any) -> int:
    """Check what a start with these flags would do and print every problem. Exit code 0 or 78.

    With --fix the configuration's files become 0600 and its folders 0700, where others could use them;
    nothing else is changed.
    """
    terminal = Terminal(invocation)
    try:
        drawing = draw(Options(**Surroundings.of(invocation).for_options(), **flags))
    except ConfigError as error:
        return _tell(terminal, invocation, None, Explained(tuple(error.problems), ()))
    plan, said = drawing.plan, drawing.explained()
    done = [mended(found) for found in open_to_others(drawing.read)] if fix else []
    fixed = tuple(sentence for is_done, sentence in done if is_done)
    failed = (sentence for is_done, sentence in done if not is_done)
    here = (*failed, *exposed(drawing.read, plan))
    if plan.problems:
        return _tell(terminal, invocation, None, Explained(said.problems, (*said.notes, *here)), fixed)
    here = (*said.notes, *here, *run(missing_here(plan)))
    return _tell(terminal, invocation, plan.loaded, Explained((), here), fixed)


def _tell(
    terminal: Terminal,
    invocation: Invocation,
    loaded: LoadedConfig | None,
    said: Explained,
    fixed: tuple[str, ...] = (),
) -> int:
    """`loaded` None: there is something wrong with it."""
    notices = loaded.notices if loaded else ()
    if invocation.json:
        path = {"path": str(loaded.path), "exists": loaded.exists} if loaded else {}
        terminal.result(
            {
                "ok": loaded is not None,
                **path,
                "problems": said.problems,
                "notices": notices,
                "notes": said.notes,
                "fixed": fixed,
            }
        )
        return 0 if loaded else CONFIG
    for sentence in fixed:
        terminal.say(sentence)
    for problem in said.problems:
        terminal.fault(problem)
    for notice in (*notices, *said.notes):
        terminal.notice(notice)
    if loaded is None:
        count = "1 problem" if len(said.problems) == 1 else f"{len(said.problems)} problems"
        terminal.fault(f"{count} found.")
        return CONFIG
    makes = f"`{invocation.typed} setup` makes one."
    valid = f"{loaded.path} is valid."
    terminal.say(valid if loaded.exists else f"There is no {loaded.path}: the defaults apply. {makes}")
    return 0

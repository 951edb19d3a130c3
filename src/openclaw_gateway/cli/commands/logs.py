"""`logs`: what the gateway logged, filtered, and with -f what comes. Needs no running gateway."""

from collections import deque
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import click

from openclaw_gateway.cli.config_option import config_option
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.logs.lines import Wanted
from openclaw_gateway.cli.logs.source import LogSource, log_source
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.running.address import config_in_use
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber

# Shown at the front of a line, not among its fields.
_FIRST = ("timestamp", "level", "event")


@click.command(
    "logs", cls=WithExample, example="-f --level warning", params=[json_option("Print each line as JSON.")]
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("-n", "--limit", type=WholeNumber(0), default=200, show_default=True, help="How many lines.")
@click.option("--run", "run_id", metavar="ID", help="Only those of this run; the end of its id is enough.")
@click.option("--session", metavar="KEY", help="Only those of this session; the end of its key is enough.")
@click.option("--agent", metavar="ID", help="Only those of this agent.")
@click.option(
    "--request", "request_id", metavar="ID", help="Only those of this request (the answer's x-request-id)."
)
@click.option("--level", type=click.Choice(("debug", "info", "warning", "error")), help="From this level on.")
@config_option
@pass_invocation
def command(
    invocation: Invocation,
    *,
    follow: bool,
    limit: int,
    run_id: str | None,
    session: str | None,
    agent: str | None,
    request_id: str | None,
    level: str | None,
    config_path: Path | None,
) -> None:
    """Show the newest lines of the log: of its file (logging.file), or of the installed service."""
    around = Surroundings.of(invocation)
    loaded = around.load_partly(config_in_use(around, config_path))
    wanted = Wanted(run_id, session, agent, request_id, level)
    terminal = Terminal(invocation)
    with closing(log_source(around, loaded, invocation.typed)) as source:
        newest = deque((line for line in source.there() if wanted.fits(line)), maxlen=limit)
        for line in newest:
            _show(terminal, line, as_json=invocation.json)
        if limit and not newest and not follow:
            asked = any(value is not None for value in (run_id, session, agent, request_id, level))
            terminal.notice("No line of the log fits." if asked else "The log has no line yet.")
        if follow:
            run(_follow(source, wanted, terminal, as_json=invocation.json))


async def _follow(source: LogSource, wanted: Wanted, terminal: Terminal, *, as_json: bool) -> None:
    async with aclosing(source.coming()) as lines:
        async for line in lines:
            if wanted.fits(line):
                _show(terminal, line, as_json=as_json)


def _show(terminal: Terminal, line: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        terminal.json(line)
        return
    first = "  ".join(str(line[name]) for name in _FIRST if name in line)
    rest = "  ".join(
        f"{name}={value}" for name, value in line.items() if name not in _FIRST and value is not None
    )
    terminal.say(f"{first}  {rest}".rstrip())

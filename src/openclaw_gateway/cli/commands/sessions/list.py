"""`sessions list`: the conversations of the running gateway, the newest first."""

import time
from typing import Unpack

import click
import msgspec
from msgspec import Struct

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 10.0
_MOST = 1_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


class _Row(Struct, frozen=True, rename="camel"):
    """A session as the method `sessions.list` tells it, as far as it is shown."""

    key: str
    agent_id: str
    updated_at: int
    total_tokens: int = 0
    status: str = "done"
    label: str | None = None
    parent_session_key: str | None = None


class _Listed(Struct, frozen=True, rename="camel"):
    sessions: tuple[_Row, ...]
    total_count: int


@click.command("list", cls=WithExample, example="--agent main --active 60", params=[json_option()])
@click.option("--search", metavar="TEXT", help="Only those whose key or label has it.")
@click.option("--agent", metavar="ID", help="Only those of this agent.")
@click.option("--active", type=WholeNumber(1), metavar="MIN", help="Only those used in so many minutes.")
@click.option("--limit", type=WholeNumber(1, _MOST), default=50, show_default=True, help="How many.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    search: str | None,
    agent: str | None,
    active: int | None,
    limit: int,
    **which: Unpack[Which],
) -> None:
    """List the conversations that are remembered, the newest first."""
    configure_logging(level="silent")
    asked = {"limit": limit, "search": search, "agentId": agent, "activeMinutes": active}
    answer = asked_gateway(
        Surroundings.of(invocation),
        "sessions.list",
        {name: value for name, value in asked.items() if value is not None},
        scopes=(READ,),
        timeout_s=_ANSWER_S,
        **which,
    )
    listed = msgspec.convert(answer, _Listed)
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"sessions": answer["sessions"], "total": listed.total_count})
        return
    now_s = time.time()
    for row in listed.sessions:
        terminal.title(row.key)
        running = ", at work" if row.status == "running" else ""
        used = f"{_ago(now_s - row.updated_at / 1000)}, {row.total_tokens:,} tokens{running}"
        terminal.row("", used, aside=_called(row))
    more = listed.total_count - len(listed.sessions)
    if more > 0:
        terminal.notice(f"and {more:,} more; --limit shows up to {_MOST:,}.")
    elif not listed.sessions:
        terminal.say("There is none.")


def _called(row: _Row) -> str:
    fork = f"from {row.parent_session_key}" if row.parent_session_key else ""
    return ", ".join(filter(None, (row.label, fork)))


def _ago(seconds: float) -> str:
    for size, unit in _UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit} ago"
    return "just now"

"""`sessions search`: what was said in the conversations, found by its words."""

from datetime import UTC, datetime
from typing import Unpack

import click

from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.running.session import ANSWER_S
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.logs import configure_logging

_MOST = 25


@click.command("search", cls=WithExample, example="invoice oslo --agent main", params=[json_option()])
@click.argument("words", nargs=-1, required=True)
@click.option("--agent", metavar="ID", help="Only in conversations of this agent.")
@click.option(
    "--key", "keys", metavar="KEY", multiple=True, help="Only in this conversation; may be repeated."
)
@click.option("--limit", type=WholeNumber(1, _MOST), default=10, show_default=True, help="How many.")
@gateway_options
@pass_invocation
def command(
    invocation: Invocation,
    *,
    words: tuple[str, ...],
    agent: str | None,
    keys: tuple[str, ...],
    limit: int,
    **which: Unpack[Which],
) -> None:
    """Find messages that hold all WORDS, in whatever case, the newest first."""
    configure_logging(level="silent")
    asked: dict[str, object] = {"query": " ".join(words), "limit": limit}
    asked |= {} if agent is None else {"agentId": agent}
    asked |= {"sessionKeys": list(keys)} if keys else {}
    answer = asked_gateway(
        Surroundings.of(invocation), "sessions.search", asked, scopes=(READ,), timeout_s=ANSWER_S, **which
    )
    terminal = Terminal(invocation)
    if invocation.json:
        terminal.result({"results": answer["results"], "truncated": answer["truncated"]})
        return
    for hit in answer["results"]:
        said_at = datetime.fromtimestamp(hit["timestamp"] / 1000, UTC).astimezone()
        terminal.title(f"{hit['sessionKey']}, {hit['role']}, {said_at:%Y-%m-%d %H:%M}")
        terminal.row("", hit["snippet"], aside=hit["messageId"])
    if answer["truncated"]:
        terminal.notice("There may be more: only the newest was looked at.")
    elif not answer["results"]:
        terminal.say("There is none.")

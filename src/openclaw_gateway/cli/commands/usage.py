"""`usage`: how many tokens the runs of the last days took, with bars."""

from typing import Any, Literal, Unpack

import click

from openclaw_gateway.cli.asked_gateway import asked_gateway
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.gateway_options import Which, gateway_options
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 30.0
_WIDTH = 30
By = Literal["day", "agent", "model"]


@click.command("usage", cls=WithExample, example="--days 7 --by model", params=[json_option()])
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Up to today.")
@click.option("--by", type=click.Choice(["day", "agent", "model"]), default="day", show_default=True)
@gateway_options
@pass_invocation
def command(invocation: Invocation, *, days: int, by: By, **which: Unpack[Which]) -> None:
    """Show what the runs came to, by day (of this machine's zone), agent or model."""
    configure_logging(level="silent")
    told = asked_gateway(
        Surroundings.of(invocation),
        "sessions.usage",
        {"days": days, "mode": "gateway", "agentScope": "all", "limit": 1},
        scopes=(READ,),
        timeout_s=_ANSWER_S,
        **which,
    )
    rows = _rows(told["aggregates"], by)
    terminal = Terminal(invocation)
    if invocation.json:
        named = [{"name": name, "input": used["input"], "output": used["output"]} for name, used in rows]
        total = told["totals"]
        terminal.result({"by": by, "rows": named, "input": total["input"], "output": total["output"]})
        return
    most = max((used["totalTokens"] for _, used in rows), default=0)
    if not most:
        terminal.say(f"Nothing was asked in {days} days.")
        return
    width = max(len(name) for name, _ in rows)
    for name, used in rows:
        bar = "#" * round(_WIDTH * used["totalTokens"] / most)
        terminal.say(f"{name:<{width}}  {used['totalTokens']:>12,}  {bar}".rstrip())
    total = told["totals"]
    terminal.say(
        f"{'all':<{width}}  {total['totalTokens']:>12,}  ({total['input']:,} in, {total['output']:,} out)"
    )


def _rows(told: dict[str, Any], by: By) -> list[tuple[str, dict[str, Any]]]:
    match by:
        case "day":
            used = [(day["date"], day) for day in told["costDaily"]]
            # From the first day on at which there was anything.
            first = next((at for at, (_, day) in enumerate(used) if day["totalTokens"]), len(used))
            return used[first:]
        case "agent":
            return [(row["agentId"], row["totals"]) for row in told["byAgent"]]
        case "model":
            return [(_model(row), row["totals"]) for row in told["byModel"]]


def _model(row: dict[str, Any]) -> str:
    return "/".join(filter(None, (row.get("provider"), row.get("model")))) or "(none)"

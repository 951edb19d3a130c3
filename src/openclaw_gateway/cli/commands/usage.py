"""`usage`: what the runs of the last days took, in tokens and money; on a terminal with bars."""

from typing import Any, Literal, Unpack

import click

from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.example import WithExample
from openclaw_gateway.cli.invocation import Invocation, json_option, pass_invocation
from openclaw_gateway.cli.running.asked import asked_gateway
from openclaw_gateway.cli.running.options import Which, gateway_options
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.cli.terminal import Terminal
from openclaw_gateway.cli.whole_number import WholeNumber
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.logs import configure_logging

_ANSWER_S = 30.0
_KEYS = ("input", "cached", "output", "cost")
_HEAD = ("in", "cached", "out", "cost")
# A bar that is shorter shows nothing.
_LEAST_BAR = 8
By = Literal["day", "agent", "model"]


@click.command("usage", cls=WithExample, example="--days 7 --by model", params=[json_option()])
@click.option("--days", type=WholeNumber(1, 366), default=30, show_default=True, help="Up to today.")
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
    total = _told(told["totals"])
    if invocation.json:
        terminal.result({"by": by, "rows": [{"name": name, **_told(used)} for name, used in rows]} | total)
        return
    if not told["totals"]["totalTokens"]:
        terminal.say(f"Nothing was asked in {days} days.")
        return
    for line in _table([*rows, ("all", told["totals"])], terminal.width):
        terminal.say(line)
    missing = total["missing"]
    if missing and total["cost"]:
        terminal.notice(f"of {counted(missing, 'run')} the cost is not known, and not in these sums.")


def _told(used: dict[str, Any]) -> dict[str, Any]:
    """`input` is all that was asked, `cached` what of it the provider's cache gave, `cost` what the runs cost
    of which that is known; of so many it is `missing`."""
    asked = used["input"] + used["cacheRead"] + used["cacheWrite"]
    cost, missing = used["totalCost"], used["missingCostEntries"]
    return {
        "input": asked,
        "cached": used["cacheRead"],
        "output": used["output"],
        "cost": cost,
        "missing": missing,
    }


def _table(rows: list[tuple[str, dict[str, Any]]], width: int | None) -> list[str]:
    """The last row is the sum. `width` None = nobody looks: no bars."""
    told = [(name, _told(used), used["totalTokens"]) for name, used in rows]
    cells = [(name, *(_cell(key, one) for key in _KEYS)) for name, one, _ in told]
    sizes = [max(len(row[at]) for row in [("", *_HEAD), *cells]) for at in range(len(_HEAD) + 1)]
    lines = [_line(row, sizes) for row in [("", *_HEAD), *cells]]
    bar = 0 if width is None else width - len(lines[0]) - 3
    most = max((tokens for *_, tokens in told[:-1]), default=0)
    if bar < _LEAST_BAR or not most:
        return lines
    bars = ["", *("#" * round(bar * tokens / most) for *_, tokens in told[:-1]), ""]
    return [f"{line}  {drawn}".rstrip() for line, drawn in zip(lines, bars, strict=True)]


def _cell(key: str, one: dict[str, Any]) -> str:
    if key != "cost":
        return f"{one[key]:,}"
    if not one["cost"]:
        return "?" if one["missing"] else "0"
    return f"{one['cost']:,.2f}" if one["cost"] >= 1 else f"{one['cost']:.4f}"


def _line(row: tuple[str, ...], sizes: list[int]) -> str:
    name, *numbers = row
    right = (f"{text:>{size}}" for text, size in zip(numbers, sizes[1:], strict=True))
    return "  ".join((f"{name:<{sizes[0]}}", *right))


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

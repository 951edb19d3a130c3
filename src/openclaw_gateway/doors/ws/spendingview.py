"""What runs came to, as OpenClaw's programs read it. Pure.

Of costs the ledger knows the sum: what is not told apart there is 0 here.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, TypeVar

from openclaw_gateway.gateway.spending import DaySpent
from openclaw_gateway.sessions.spending import Spent

K = TypeVar("K", bound=Hashable)


def totals(spent: Iterable[Spent]) -> dict[str, Any]:
    rows = tuple(spent)
    prompt, answer = sum(row.prompt_tokens for row in rows), sum(row.completion_tokens for row in rows)
    read = sum(row.cached_tokens for row in rows)
    written = sum(row.cache_write_tokens for row in rows)
    return {
        "input": prompt - read - written,
        "output": answer,
        "cacheRead": read,
        "cacheWrite": written,
        "totalTokens": prompt + answer,
        "totalCost": sum(row.cost for row in rows),
        "inputCost": 0,
        "outputCost": 0,
        "cacheReadCost": 0,
        "cacheWriteCost": 0,
        "missingCostEntries": sum(row.unpriced for row in rows),
    }


def daily(days: Sequence[DaySpent]) -> list[dict[str, Any]]:
    return [{"date": day.date, **totals(day.spent)} for day in days]


def aggregates(days: Sequence[DaySpent]) -> dict[str, Any]:
    """By model, provider, agent and day. A run is a message of the user's and one of the assistant's; of
    tools the ledger knows how often, not which."""
    rows = [row for day in days for row in day.spent]
    return {
        "messages": _messages(rows),
        "tools": {"totalCalls": _called(rows), "uniqueTools": 0, "tools": []},
        "byModel": models(rows),
        "byProvider": [
            {"provider": provider, "count": _runs(some), "totals": totals(some)}
            for provider, some in _grouped(rows, lambda row: _provider(row.model))
        ],
        "byAgent": [
            {"agentId": agent, "totals": totals(some)}
            for agent, some in _grouped(rows, lambda row: row.agent)
        ],
        "byChannel": [],
        "costDaily": daily(days),
        "modelDaily": [
            {"date": day.date, **_model(model), "count": _runs(some), **_sums(some)}
            for day in days
            for model, some in _grouped(day.spent, lambda row: row.model)
        ],
        "dailyLatency": [],
        "daily": [_day(day) for day in days],
    }


def by_session(days: Sequence[DaySpent]) -> dict[str | None, list[DaySpent]]:
    """The days of each session at which anything ran in it. Linear in the rows, however many sessions."""
    found: dict[str | None, list[DaySpent]] = {}
    for day in days:
        for session, some in _grouped(day.spent, lambda row: row.session):
            found.setdefault(session, []).append(DaySpent(day.date, tuple(some)))
    return found


def of_session(key: str, agent: str, mine: Sequence[DaySpent]) -> dict[str, Any] | None:
    """What one session came to; None where nothing ran in it. `mine` are its own days."""
    rows = [row for day in mine for row in day.spent]
    if not rows:
        return None
    first, last = min(row.first_ms for row in rows), max(row.last_ms for row in rows)
    return {
        **totals(rows),
        "sessionId": key,
        "agentId": agent,
        "firstActivity": first,
        "lastActivity": last,
        "durationMs": last - first,
        "activityDates": [day.date for day in mine],
        "dailyBreakdown": [{"date": day.date, **_sums(day.spent), **totals(day.spent)} for day in mine],
        "messageCounts": _messages(rows),
        "modelUsage": models(rows),
    }


def models(rows: Iterable[Spent]) -> list[dict[str, Any]]:
    return [
        {**_model(model), "count": _runs(some), "totals": totals(some)}
        for model, some in _grouped(rows, lambda row: row.model)
    ]


def _day(day: DaySpent) -> dict[str, Any]:
    said = _messages(day.spent)
    counts = {"messages": said["total"], "toolCalls": said["toolCalls"], "errors": said["errors"]}
    return {"date": day.date, **_sums(day.spent), **counts}


def _messages(rows: Iterable[Spent]) -> dict[str, int]:
    rows = tuple(rows)
    asked, failed = _runs(rows), sum(row.failed for row in rows)
    return {
        "total": asked + asked - failed,
        "user": asked,
        "assistant": asked - failed,
        "toolCalls": _called(rows),
        "toolResults": _called(rows),
        "errors": failed,
    }


def _sums(rows: Iterable[Spent]) -> dict[str, Any]:
    sums = totals(rows)
    return {"tokens": sums["totalTokens"], "cost": sums["totalCost"]}


def _called(rows: Iterable[Spent]) -> int:
    return sum(row.called for row in rows)


def _runs(rows: Iterable[Spent]) -> int:
    return sum(row.runs for row in rows)


def _provider(model: str) -> str:
    return model.partition("/")[0]


def _model(ref: str) -> dict[str, str]:
    provider, _, model = ref.partition("/")
    return {"provider": provider, "model": model or provider}


def _grouped(rows: Iterable[Spent], by: Callable[[Spent], K]) -> list[tuple[K, list[Spent]]]:
    """What took most tokens first."""
    groups: dict[K, list[Spent]] = {}
    for row in rows:
        groups.setdefault(by(row), []).append(row)
    return sorted(groups.items(), key=lambda group: -totals(group[1])["totalTokens"])

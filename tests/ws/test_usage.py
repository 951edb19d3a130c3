"""`usage.*` and `sessions.usage`: what runs came to, as OpenClaw's programs read it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Ending, LedgerRow, NewRun
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.ws.peer import Peer, connected, request

MAIN, OTHER = "agent:main:main", "agent:main:other"
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).replace(hour=12, minute=0, second=0, microsecond=0)
NOON_MS = int(YESTERDAY.timestamp()) * 1000


async def ran(state_dir: Path) -> None:
    """A gateway's store of which runs are known."""
    store = SqliteStore(state_dir / "gateway" / "sessions.sqlite")
    await store.open()
    for number, key in enumerate((MAIN, OTHER)):
        run = f"made{number}"
        begun = await store.begin(NewRun(run, "operator", key, "main"), lease_s=30)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, Ending("completed"))
    rows = [
        LedgerRow(
            "a",
            "operator",
            "main",
            MAIN,
            "mock/m",
            "http",
            "completed",
            NOON_MS,
            10,
            10,
            5,
            0.25,
            None,
            None,
            4,
            1,
            3,
        ),
        LedgerRow("b", "operator", "main", OTHER, "mock/m", "http", "failed", NOON_MS + 9, 10, 1, 0),
        LedgerRow(
            "c", "operator", "main", MAIN, "far/x/y", "http", "completed", NOON_MS - 86_400_000, 1, 7, 3
        ),
        LedgerRow("d", "operator", "gone", None, "mock/m", "http", "completed", NOON_MS, 10, 100, 100),
        LedgerRow("e", "another", "main", MAIN, "mock/m", "http", "completed", NOON_MS, 10, 999, 999),
    ]
    await store.record(rows)
    await store.close()


async def told(models: ModelServer, state_dir: Path, *asked: tuple[str, dict[str, Any]]) -> list[Any]:
    await ran(state_dir)
    async with (
        running_gateway(model_config(models.base_url), state_dir=state_dir) as gateway,
        connected(gateway) as peer,
    ):
        return [await peer.result(method, params) for method, params in asked]


async def test_costs_are_told_by_day(models: ModelServer, tmp_path: Path) -> None:
    mine, everyone, one = await told(
        models,
        tmp_path,
        ("usage.cost", {"days": 7}),
        ("usage.cost", {"days": 7, "agentScope": "all"}),
        ("usage.cost", {"startDate": f"{YESTERDAY:%Y-%m-%d}", "endDate": f"{YESTERDAY:%Y-%m-%d}"}),
    )
    assert (mine["days"], one["days"]) == (7, 1)
    before, yesterday = mine["daily"]
    assert (before["input"], before["output"], before["missingCostEntries"]) == (7, 3, 1)
    assert (yesterday["date"], yesterday["totalTokens"]) == (f"{YESTERDAY:%Y-%m-%d}", 16)
    assert (mine["totals"]["totalTokens"], mine["totals"]["totalCost"]) == (26, 0.25)
    assert mine["totals"]["missingCostEntries"] == 2
    assert everyone["totals"]["totalTokens"] == 226
    assert one["totals"]["totalTokens"] == 16


async def test_sessions_are_told_one_by_one(models: ModelServer, tmp_path: Path) -> None:
    found, one = await told(
        models, tmp_path, ("sessions.usage", {"range": "7d"}), ("sessions.usage", {"key": "other"})
    )
    rows = {row["key"]: row["usage"] for row in found["sessions"]}
    assert rows.keys() == {MAIN, OTHER}
    used = rows[MAIN]
    assert (used["input"], used["cacheRead"], used["cacheWrite"], used["output"]) == (12, 4, 1, 8)
    assert (used["totalTokens"], used["totalCost"], used["missingCostEntries"]) == (25, 0.25, 1)
    assert used["messageCounts"]["toolCalls"] == found["aggregates"]["tools"]["totalCalls"] == 3
    assert rows[MAIN]["durationMs"] == 86_400_000
    assert [day["tokens"] for day in rows[MAIN]["dailyBreakdown"]] == [10, 15]
    assert rows[OTHER]["messageCounts"]["errors"] == 1
    assert found["totals"]["totalTokens"] == 26
    models_ = found["aggregates"]["byModel"]
    assert [(row["provider"], row["model"], row["count"]) for row in models_] == [
        ("mock", "m", 2),
        ("far", "x/y", 1),
    ]
    assert [(row["provider"], row["count"]) for row in found["aggregates"]["byProvider"]] == [
        ("mock", 2),
        ("far", 1),
    ]
    assert [day["messages"] for day in found["aggregates"]["daily"]] == [2, 3]
    assert [row["key"] for row in one["sessions"]] == [OTHER]
    assert one["totals"]["totalTokens"] == 1


async def test_what_makes_no_sense_is_refused(peer: Peer) -> None:
    assert (await peer.result("usage.status", {}))["providers"] == []
    assert (await peer.result("sessions.usage", {"key": "nothing"}))["sessions"] == []
    for method, params in (
        ("usage.cost", {"agentScope": "all", "agentId": "main"}),
        ("sessions.usage", {"agentId": " / "}),
        ("sessions.usage", {"startDate": "2026-01-01"}),
    ):
        await peer.send(request("bad", method, params))
        assert (await peer.answer("bad"))["error"]["code"] == "INVALID_REQUEST"

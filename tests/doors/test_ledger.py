"""One row for every run, whichever door asked; and not a word of what was said."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import StoreError
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import say
from tests.doors.tool_replies import calls
from tests.ws.peer import connected, request


def rows(state_dir: Path) -> list[dict[str, Any]]:
    with sqlite3.connect(state_dir / "gateway" / "sessions.sqlite") as db:
        db.row_factory = sqlite3.Row
        found = [dict(row) for row in db.execute("SELECT * FROM ledger ORDER BY number")]
    db.close()
    return found


async def test_every_run_has_a_row(models: ModelServer, tmp_path: Path) -> None:
    models.script(
        "mock-echo",
        says("secret answer", usage=Usage(7, 3, 10)),
        says("b", usage=Usage(1, 1, 2)),
        fails(401, "no"),
        says("c", usage=Usage(2, 2, 4)),
    )
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        assert (await say(gateway, "secret question")).status == 200
        assert (await say(gateway, "hi", user="ada")).status == 200
        assert (await say(gateway, "hi")).status == 401
        assert (await say(gateway, "hi", model="nosuch")).status == 404
        async with connected(gateway) as peer:
            await peer.send(request("r", "agent", {"message": "hi", "idempotencyKey": "k"}))
            await peer.answer("r")
            await peer.answer("r")
    found = rows(tmp_path)
    assert [(row["session"], row["door"], row["status"], row["error_code"]) for row in found] == [
        (None, "http", "completed", None),
        ("agent:main:openai-user:ada", "http", "completed", None),
        (None, "http", "failed", "provider_auth_failed"),
        ("agent:main:main", "websocket", "completed", None),
    ]
    assert [(row["prompt_tokens"], row["completion_tokens"]) for row in found] == [
        (7, 3),
        (1, 1),
        (0, 0),
        (2, 2),
    ]
    assert {(row["owner"], row["agent"], row["model"]) for row in found} == {
        ("operator", "main", "mock/mock-echo")
    }
    assert all(row["duration_ms"] >= 0 and row["run"].startswith("chatcmpl_") for row in found)
    assert "secret" not in str(found)


async def test_a_store_that_falters_loses_no_row(models: ModelServer, tmp_path: Path) -> None:
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        store = gateway.gateway._store
        record = store.record
        faults = iter([StoreError("The disk has a bad day: try again.")])

        async def falters(given: Any) -> None:
            for fault in faults:
                raise fault
            await record(given)

        store.record = falters  # type: ignore[method-assign, assignment]
        for _ in range(5):
            assert (await say(gateway, "hi")).status == 200
    assert len(rows(tmp_path)) == 5


PRICED = {"id": "mock-echo", "cost": {"input": 2, "output": 10, "cacheRead": 0.5}}


async def test_a_run_has_its_cost_and_what_it_called(models: ModelServer, tmp_path: Path) -> None:
    """Of all its model calls, by what the catalogue says of each kind of token."""
    config = model_config(models.base_url, {"agents": {"list": [{"id": "main"}, {"id": "dear"}]}})
    config["models"]["providers"]["mock"]["models"] = [PRICED]
    config["agents"]["list"][1]["model"] = "mock/unpriced"
    models.script(
        "mock-echo",
        calls(("x", "ls", "{}"), ("y", "ls", "{}")),
        says("There.", usage=Usage(1_000_000, 100_000, 1_100_000, 400_000)),
        says("Hello.", usage=Usage(1_000_000, 0, 1_000_000)),
        fails(401, "no"),
    )
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        for model in ("openclaw", "openclaw", "openclaw", "openclaw/dear"):
            await say(gateway, "hi", model=model)
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as peer:
        told: Any = await peer.result("sessions.usage", {"agentScope": "all", "days": 2})
    found = rows(tmp_path)
    first, second, failed, unpriced = found
    of_calls = first["cost"] - (0.6 * 2 + 0.4 * 0.5 + 0.1 * 10)
    assert 0 <= of_calls < 0.01
    assert (first["called"], first["cached_tokens"]) == (2, 400_000)
    assert (second["cost"], second["called"]) == (2.0, 0)
    assert (failed["status"], failed["cost"]) == ("failed", 0.0)
    assert unpriced["cost"] is None
    totals = told["totals"]
    assert totals["totalCost"] == pytest.approx(first["cost"] + 2.0)
    assert (totals["cacheRead"], totals["missingCostEntries"]) == (400_000, 1)
    assert told["aggregates"]["tools"]["totalCalls"] == 2

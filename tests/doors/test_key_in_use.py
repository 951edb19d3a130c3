"""An idempotency key whose request another process is still answering."""

from pathlib import Path

import pytest

from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from tests.doors.chat import ask, user

KEY = {"Idempotency-Key": "k-1"}
BODY = {"messages": [user("hi")]}


@pytest.mark.promise("error.idempotency_key_in_use")
async def test_it_is_told_to_come_back(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        first = await ask(gateway, BODY, headers=KEY)

    async def not_yet(*_: object) -> None:
        """What the store says while the answer is not there."""

    async with running_gateway(config, state_dir=tmp_path) as gateway:
        monkeypatch.setattr(SqliteStore, "result", not_yet)
        busy = await ask(gateway, BODY, headers=KEY)
        monkeypatch.undo()
        again = await ask(gateway, BODY, headers=KEY)
    assert (busy.status, busy.error["code"]) == (429, "idempotency_key_in_use")
    assert int(busy.headers["Retry-After"]) > 0
    assert again.json["id"] == first.json["id"]
    assert len(models.requests) == 1

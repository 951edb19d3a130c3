"""Lanes on a store that refuses or falters: nobody's run is touched but one's own, and no turn is lost."""

from pathlib import Path

import pytest

from openclaw_gateway.errors import Forbidden, StoreError
from openclaw_gateway.sessions.store import NewRun, Queued
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import UserMessage
from tests.runs.house import SESSION, house


async def test_another_owner_s_session_is_refused(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("fine"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("my secret is 42"), owner="ada")
        with pytest.raises(Forbidden):
            await runs.start(UserMessage("what did I say?"), owner="bob")
        assert len(models.requests) == 1


async def test_a_taken_run_id_ends_nobody_else_s_run(models: ModelServer, tmp_path: Path) -> None:
    async with house(tmp_path, models) as runs:
        await runs.store.begin(NewRun("first", "ada", SESSION, "main"), lease_s=60)
        waiting = await runs.store.begin(NewRun("second", "ada", SESSION, "main"), lease_s=60)
        assert isinstance(waiting, Queued)
        with pytest.raises(StoreError) as caught:
            await runs.start(UserMessage("hi"), session="agent:main:y", owner="bob", run_id="second")
        assert caught.value.code == "run_id_taken"
        record = await runs.store.get_run("second")
        assert record is not None
        assert record.status == "queued"

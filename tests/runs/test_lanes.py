"""Lanes on a store that refuses or falters: nobody's run is touched but one's own, and no turn is lost."""

from pathlib import Path
from typing import Any, cast

import pytest

from openclaw_gateway.errors import Fenced, StoreError
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claim, Ending, Released, Store
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import UserMessage
from tests.runs.house import house


async def test_two_owners_have_a_session_of_the_same_name_each(models: ModelServer, tmp_path: Path) -> None:
    models.script("m", says("fine"), says("nothing"))
    async with house(tmp_path, models) as runs:
        await runs.say(UserMessage("my secret is 42"), owner="ada")
        await runs.say(UserMessage("what did I say?"), owner="bob")
        assert "secret" not in str(models.requests[-1].body)
        assert [len(await runs.transcript(owner=owner)) for owner in ("ada", "bob")] == [2, 2]


class Faltering:
    """A store whose first calls of `finish` fail, before or after they are carried out."""

    def __init__(self, store: SqliteStore, error: StoreError, *, times: int, after: bool = False) -> None:
        self._store = store
        self._error = error
        self._times = times
        self._after = after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def finish(self, claim: Claim, ending: Ending) -> Released:
        self.finished += bool(ending.turn)
        if self.finished > self._times:
            return await self._store.finish(claim, ending)
        if self._after:
            await self._store.finish(claim, ending)
        raise self._error

    finished = 0


@pytest.mark.parametrize("after", [False, True])
async def test_a_store_that_falters_loses_no_turn(models: ModelServer, tmp_path: Path, after: bool) -> None:
    models.script("m", says("a1"))

    def faults(store: SqliteStore) -> Store:
        return cast("Store", Faltering(store, StoreError("busy", code="store_busy"), times=3, after=after))

    async with house(tmp_path, models, faults=faults) as runs:
        assert (await runs.say(UserMessage("q1"))).status == "completed"
        assert [m.content for m in await runs.transcript()] == ["q1", "a1"]


@pytest.mark.parametrize(("fault", "asked"), [(Fenced, 1), (StoreError, 4)])
async def test_it_is_not_asked_without_end(
    models: ModelServer, tmp_path: Path, fault: type[StoreError], asked: int
) -> None:
    models.script("m", says("a1"))
    stores: list[Faltering] = []

    def faults(store: SqliteStore) -> Store:
        stores.append(Faltering(store, fault("gone"), times=99))
        return cast("Store", stores[0])

    async with house(tmp_path, models, faults=faults) as runs:
        assert (await runs.say(UserMessage("q1"))).status == "failed"
    assert stores[0].finished == asked

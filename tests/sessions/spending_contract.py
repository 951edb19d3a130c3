"""What every Store must know of what runs came to."""

import pytest
from msgspec.structs import replace

from openclaw_gateway.sessions.spending import SpendingWanted, Spent
from openclaw_gateway.sessions.sqlite import spending
from openclaw_gateway.sessions.store import LedgerRow, Store
from tests.sessions.store_contract import ME, S, WithStore

ROW = LedgerRow("r", ME, "main", S, "mock/m", "http", "completed", 1000, 12, 10, 5, 0.25)
ALL = SpendingWanted(ME, 0, 1 << 50)


def row(number: int, **different: object) -> LedgerRow:
    return replace(ROW, run_id=f"r{number}", **different)


class SpendingContract(WithStore):
    async def test_what_runs_came_to_is_summed_by_agent_and_model(self, store: Store) -> None:
        await store.record(
            [
                row(1),
                row(2, started_ms=3000, cost=None, status="failed", session=None),
                row(3, started_ms=2000, status="aborted"),
                row(4, model="mock/large", prompt_tokens=100),
                row(5, agent="other", completion_tokens=1),
                row(6, owner="somebody else"),
            ]
        )
        assert await store.spent(ALL) == (
            Spent("main", "mock/large", None, 1, 0, 0, 100, 5, 0.25, 1000, 1000),
            Spent("main", "mock/m", None, 3, 1, 1, 30, 15, 0.5, 1000, 3000),
            Spent("other", "mock/m", None, 1, 0, 0, 10, 1, 0.25, 1000, 1000),
        )
        assert [one.agent for one in await store.spent(replace(ALL, agent="other"))] == ["other"]
        assert await store.spent(replace(ALL, owner="nobody")) == ()

    async def test_caches_and_tools_are_counted_too(self, store: Store) -> None:
        counted = {"cached_tokens": 7, "cache_write_tokens": 2, "called": 3}
        await store.record([row(1, **counted), row(2), row(3, cost=None, called=1)])
        (spent,) = await store.spent(ALL)
        assert (spent.cached_tokens, spent.cache_write_tokens, spent.called) == (7, 2, 4)
        assert (spent.runs, spent.cost, spent.unpriced) == (3, 0.5, 1)

    async def test_a_time_holds_its_beginning_and_not_its_end(self, store: Store) -> None:
        await store.record([row(number, started_ms=number) for number in (10, 20, 30)])
        (spent,) = await store.spent(SpendingWanted(ME, 10, 30))
        assert (spent.runs, spent.first_ms, spent.last_ms) == (2, 10, 20)
        assert await store.spent(SpendingWanted(ME, 30, 30)) == ()

    async def test_sessions_are_told_apart_when_they_are_asked_for(self, store: Store) -> None:
        await store.record([row(1), row(2, session="b"), row(3, session="b"), row(4, session=None)])
        found = await store.spent(replace(ALL, sessions=(S, "b", "none")))
        assert [(one.session, one.runs) for one in found] == [("b", 2), (S, 1)]
        assert await store.spent(replace(ALL, sessions=())) == ()

    @pytest.mark.parametrize("rows_at_once", [1, 3, 7])
    async def test_parts_add_up(
        self, store: Store, monkeypatch: pytest.MonkeyPatch, rows_at_once: int
    ) -> None:
        monkeypatch.setattr(spending, "ROWS_AT_ONCE", rows_at_once)
        # Many at one time, and older ones written later.
        times = [5, 5, 5, 5, 9, 5, 2, 2, 9, 1, 5, 5]
        await store.record([row(number, started_ms=at) for number, at in enumerate(times)])
        (spent,) = await store.spent(SpendingWanted(ME, 1, 10))
        assert (spent.runs, spent.prompt_tokens, spent.cost) == (12, 120, 3.0)
        (spent,) = await store.spent(SpendingWanted(ME, 2, 9))
        assert spent.runs == 9

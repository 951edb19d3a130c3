"""What every Store must do about what is too old, too many or too large; and what is never dropped."""

import pytest

from openclaw_gateway.sessions.retention import Pruned, Retention
from openclaw_gateway.sessions.sqlite import kept
from openclaw_gateway.sessions.store import Claimed, Duplicate, LedgerRow, Store, beside
from openclaw_gateway.wire.messages import UserMessage
from tests.sessions.store_contract import (
    LEASE,
    ME,
    Clock,
    S,
    WithStore,
    claimed,
    ending,
    new_run,
    said,
)

DAY = 24 * 3600
KEEP = Retention()


def ledger_row(run_id: str, started_ms: int) -> LedgerRow:
    return LedgerRow(run_id, ME, "main", S, "mock/m", "http", "completed", started_ms, 12, 10, 5, 0.25)


async def names(store: Store) -> set[str]:
    return {record.key for record in await store.list_sessions(ME, limit=10_000)}


class RetentionContract(WithStore):
    async def test_sessions_are_kept_for_good_unless_somebody_says_otherwise(
        self, store: Store, clock: Clock
    ) -> None:
        await said(store, "r1")
        clock.pass_s(3650 * DAY)
        assert await store.prune(KEEP) == Pruned(runs=1)
        assert len(await store.transcript(ME, S)) == 2

    async def test_sessions_that_nobody_used_for_long_are_dropped(self, store: Store, clock: Clock) -> None:
        await said(store, "old", "agent:main:old")
        clock.pass_s(20 * DAY)
        await said(store, "young", "agent:main:young")
        clock.pass_s(11 * DAY)
        pruned = await store.prune(Retention(sessions_s=30 * DAY))
        assert (pruned.sessions, await names(store)) == (1, {"agent:main:young"})
        assert await store.transcript(ME, "agent:main:old") == ()
        assert await store.get_run(ME, "old") is None
        assert (await said(store, "new", "agent:main:old")).last_seq == 2, "its name is free again"

    async def test_of_too_many_the_least_used_go(self, store: Store, clock: Clock) -> None:
        for n in range(6):
            await said(store, f"r{n}", f"agent:main:{n}")
            clock.pass_s(1)
        await said(store, "again", "agent:main:0")
        await said(store, "theirs", "agent:main:theirs", owner="p")
        assert (await store.prune(Retention(max_sessions=4))).sessions == 3
        assert await names(store) == {"agent:main:0", "agent:main:4", "agent:main:5"}
        assert await store.count_sessions("p") == 1

    async def test_of_too_much_the_least_used_go(self, store: Store, clock: Clock) -> None:
        for n in range(5):
            claim = await claimed(store, f"r{n}", f"agent:main:{n}")
            await store.finish(claim, ending((UserMessage("x" * 10_000),)))
            clock.pass_s(1)
        assert (await store.prune(Retention(max_bytes=35_000))).sessions == 2
        assert await names(store) == {f"agent:main:{n}" for n in (2, 3, 4)}
        assert (await store.prune(Retention(max_bytes=35_000))).sessions == 0

    @pytest.mark.parametrize(
        "retention", [Retention(sessions_s=1), Retention(max_sessions=0), Retention(max_bytes=0)]
    )
    async def test_a_session_that_a_run_holds_or_waits_for_is_never_dropped(
        self, store: Store, clock: Clock, retention: Retention
    ) -> None:
        await said(store, "r0", "agent:main:free")
        held = await claimed(store, "held", "agent:main:held")
        first = await claimed(store, "first", "agent:main:waited")
        await store.begin(new_run("waits", "agent:main:waited"), lease_s=LEASE)
        await store.finish(first, ending())
        clock.pass_s(10 * LEASE)  # the lease has run out too, but nobody has taken it over
        assert (await store.prune(retention)).sessions == 1
        assert await names(store) == {"agent:main:held", "agent:main:waited"}
        assert (await store.finish(held, ending((UserMessage("hi"),)))).last_seq == 1
        assert await store.claim("waits", lease_s=LEASE) is not None

    async def test_a_large_session_is_dropped_whole(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.finish(claim, ending(tuple(UserMessage("x" * 4000) for _ in range(1500)), result=b"r"))
        await store.summarise(ME, S, 7, "seven")
        await said(store, "else", "agent:main:else")
        assert (await store.prune(Retention(max_bytes=1_000_000))).sessions == 1
        assert await names(store) == {"agent:main:else"}
        assert await store.get_run(ME, "r1") is None
        begun = await store.begin(new_run("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.last_seq == 0

    async def test_a_result_is_kept_for_a_day_and_its_key_as_long(self, store: Store, clock: Clock) -> None:
        for n in range(3):
            begun = await store.begin(new_run(f"r{n}", f"agent:main:{n}", key=f"k{n}"), lease_s=LEASE)
            assert isinstance(begun, Claimed)
            await store.finish(begun.claim, ending(result=b"x"))
            clock.pass_s(DAY / 2)
        assert (await store.prune(KEEP)).results == 1
        assert [await store.result(ME, f"r{n}") for n in range(3)] == [None, b"x", b"x"]
        assert isinstance(await store.begin(new_run("r3", key="k1"), lease_s=LEASE), Duplicate)
        assert isinstance(await store.begin(new_run("r4", key="k0"), lease_s=LEASE), Claimed)

    async def test_ended_runs_are_forgotten_after_a_week_but_not_what_was_said(
        self, store: Store, clock: Clock
    ) -> None:
        await said(store, "old")
        open_for_long = await claimed(store, "open", "agent:main:open")
        clock.pass_s(6 * DAY)
        begun = await store.begin(new_run("kept", "agent:main:kept", key="k"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, ending(result=b"x"))
        clock.pass_s(2 * DAY)
        pruned = await store.prune(Retention(results_s=30 * DAY))
        assert (pruned.runs, pruned.results) == (1, 0)
        assert await store.get_run(ME, "old") is None
        assert len(await store.transcript(ME, S)) == 2
        await store.finish(open_for_long, ending())
        clock.pass_s(20 * DAY)
        pruned = await store.prune(Retention(results_s=30 * DAY))
        assert pruned.runs == 1, "a run stays as long as its result"
        assert await store.result(ME, "kept") == b"x"

    @pytest.mark.promise("kept-bytes")
    async def test_of_more_answers_than_there_is_room_for_the_oldest_go(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kept, "_SIZES_AT_ONCE", 7)
        assert KEEP.kept_bytes == 4 << 30
        await store.keep(ME, beside(S), b"x" * 100_000)
        for number in range(100):
            await store.keep(ME, f"answer {number}", b"x" * 10_000, ("all",))
        assert await store.rekeep(ME, beside(S), b"y" * 100_000, anew=True)
        assert (await store.prune(KEEP)).kept == 0
        assert (await store.prune(Retention(kept_bytes=300_000))).kept == 70
        names = await store.kept_names(ME, ("all",), limit=200)
        assert names == tuple(f"answer {number}" for number in range(70, 100))
        assert await store.kept(ME, beside(S)) is not None
        # One that is larger than all the room does not stay either, and nothing before it.
        await store.keep(ME, "large", b"x" * 400_000)
        await store.keep(ME, "small", b"x")
        assert (await store.prune(Retention(kept_bytes=300_000))).kept == 31
        assert await store.kept(ME, "small") == b"x"

    async def test_the_ledger_is_kept_for_a_month(self, store: Store, clock: Clock) -> None:
        await store.record([ledger_row(f"old{n}", clock.now_ms) for n in range(1200)])
        clock.pass_s(20 * DAY)
        await store.record([ledger_row("young", clock.now_ms)])
        clock.pass_s(11 * DAY)
        assert (await store.prune(KEEP)).ledger == 1200
        clock.pass_s(20 * DAY)
        assert (await store.prune(KEEP)).ledger == 1
        await store.record([])

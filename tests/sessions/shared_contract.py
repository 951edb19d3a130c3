"""What every SharedStore must do beside what every Store does.

Calling `new_store` again gives another process on the same data. A process that does not beat counts as gone;
`gone_s` after its newest beat each does.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from msgspec.structs import replace

from openclaw_gateway.errors import Fenced, StoreError
from openclaw_gateway.sessions.shared import ATTEMPTS, Document, Replica, SharedStore, Waiting, Work
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Entry,
    NewRun,
    Queued,
    Recorded,
    Released,
    Taken,
    Transcript,
)
from openclaw_gateway.wire.messages import UserMessage, assistant
from tests.sessions.store_contract import LEASE, ME, Clock, S, ending, new_run, turn

WORK = b"what to do"
NewShared = Callable[[Clock], SharedStore]


def replica(name: str, started_ms: int = 1, **more: int) -> Replica:
    return Replica(name, "all", "1.0", "127.0.0.1:1", started_ms, **more)


def work(run_id: str, session: str | None = S, *, given: bool = False) -> NewRun:
    return replace(new_run(run_id, session), work=WORK, given=given)


async def joined(store: SharedStore, name: str) -> None:
    await store.beat(replica(name), lease_s=LEASE)


async def taken(store: SharedStore) -> Work:
    found = await store.take_up(lease_s=LEASE)
    assert found is not None
    return found


async def claimed(store: SharedStore, run_id: str) -> Claim:
    begun = await store.begin(work(run_id), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    return begun.claim


async def status(store: SharedStore, run_id: str) -> str:
    run = await store.get_run(ME, run_id)
    assert run is not None
    return run.status


async def finished(store: SharedStore, found: Work) -> Released | None:
    """End it, whichever kind it is."""
    if found.claimed is None:
        await store.conclude(found.run_id, ending())
        return None
    return await store.finish(found.claimed.claim, ending(turn(found.run_id)))


class SharedContract:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def new_shared(self) -> NewShared:
        raise NotImplementedError

    @pytest.fixture
    async def two(
        self, new_shared: NewShared, clock: Clock
    ) -> AsyncIterator[tuple[SharedStore, SharedStore]]:
        """Two processes that live: "a" and "b"."""
        stores = (new_shared(clock), new_shared(clock))
        for store, name in zip(stores, "ab", strict=True):
            await store.open()
            await joined(store, name)
        yield stores
        for store in stores:
            await store.close()

    # Who is there

    async def test_who_lives_is_known_until_its_lease_ends(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        clock.pass_s(LEASE - 1)
        await a.beat(replica("a", 5, runs=3, most=8), lease_s=LEASE)
        assert await b.replicas() == (replica("b"), replica("a", 5, runs=3, most=8))
        clock.pass_s(1)
        assert [each.id for each in await b.replicas()] == ["a"]
        await a.leave()
        assert await b.replicas() == ()
        await joined(b, "b")
        assert [each.id for each in await a.replicas()] == ["b"]

    # Work that is given

    async def test_a_run_that_is_given_is_taken_up_by_whoever_has_room(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        assert await a.begin(work("r1", given=True), lease_s=LEASE) == Queued(0)
        assert await a.begin(work("r2", None, given=True), lease_s=LEASE) == Recorded()
        assert await status(a, "r1") == await status(a, "r2") == "queued"
        first = await taken(b)
        assert (first.run_id, first.owner, first.session, first.body, first.attempt) == ("r1", ME, S, WORK, 1)
        assert first.claimed is not None
        assert first.claimed.transcript == Transcript()
        second = await taken(a)
        assert (second.run_id, second.session, second.body, second.claimed) == ("r2", None, WORK, None)
        assert first.token == first.claimed.claim.token
        assert 0 < first.token < second.token
        assert await a.take_up(lease_s=LEASE) is None
        assert await status(a, "r1") == await status(a, "r2") == "running"
        assert await finished(b, first) == Released(2, None)
        await finished(a, second)
        assert await status(b, "r1") == await status(b, "r2") == "completed"
        assert await a.take_up(lease_s=LEASE) is None

    async def test_who_asks_whether_there_is_work_hears_of_what_is_nobodys(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        assert [await each.has_work() for each in two] == [False, False]
        assert isinstance(await a.begin(work("r1"), lease_s=LEASE), Claimed)
        assert [await each.has_work() for each in two] == [False, False], "it is a's, and a lives"
        for run_id in ("r2", "r3"):
            await a.begin(work(run_id, None, given=True), lease_s=LEASE)
            assert [await each.has_work() for each in two] == [True, True]
            await taken(b)
            assert [await each.has_work() for each in two] == [False, False]
        await a.leave()
        assert await b.has_work()

    async def test_it_is_known_when_what_a_process_is_at_that_beats_no_more_can_be_taken_up(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        await claimed(a, "r1")
        await a.begin(work("r2", None), lease_s=LEASE)
        assert await b.work_in(within_s=LEASE / 2) is None, "a lives"
        clock.pass_s(LEASE / 2)
        await joined(b, "b")
        assert await b.work_in(within_s=LEASE / 2) == LEASE / 2
        assert await a.work_in(within_s=LEASE / 2) is None, "it is its own"
        # The claim of a run may last longer than its process.
        assert isinstance(await a.begin(work("r3", "agent:main:other"), lease_s=LEASE), Claimed)
        clock.pass_s(LEASE / 2)
        assert {(await taken(b)).run_id for _ in "12"} == {"r1", "r2"}
        assert await b.take_up(lease_s=LEASE) is None
        assert await b.work_in(within_s=LEASE / 2) == LEASE / 2
        await joined(b, "b")
        clock.pass_s(LEASE / 2)
        assert await b.work_in(within_s=LEASE / 2) is None, "it can be taken up already"
        assert await b.work_in(within_s=LEASE / 2, since_s=0.5) == 0, "since a moment ago"
        clock.pass_s(1)
        assert await b.work_in(within_s=LEASE / 2, since_s=0.5) is None
        assert (await taken(b)).run_id == "r3"
        assert await b.work_in(within_s=LEASE / 2, since_s=10 * LEASE) is None

    async def test_the_next_run_of_a_session_continues_what_the_other_process_has_said(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        for run_id in ("r1", "r2"):
            await a.begin(work(run_id, given=True), lease_s=LEASE)
        first = await taken(a)
        assert await b.take_up(lease_s=LEASE) is None, "the session is held"
        assert await finished(a, first) == Released(2, "r2")
        second = await taken(b)
        assert second.claimed is not None
        assert second.claimed.transcript == Transcript(
            (Entry(1, "r1", UserMessage("r1?")), Entry(2, "r1", assistant("r1!")))
        )
        assert await finished(b, second) == Released(4, None)

    async def test_nobody_overtakes_a_run_that_is_given(self, two: Sequence[SharedStore]) -> None:
        a, b = two
        await a.begin(work("r1", given=True), lease_s=LEASE)
        assert await b.begin(work("r2"), lease_s=LEASE) == Queued(1)
        assert await b.claim("r2", lease_s=LEASE) is None
        found = await taken(a)
        assert found.run_id == "r1"
        assert await finished(a, found) == Released(2, "r2")
        assert await a.take_up(lease_s=LEASE) is None, "it is b's, and b lives"
        assert await b.claim("r2", lease_s=LEASE) is not None

    async def test_a_run_that_is_given_is_withdrawn_or_concluded_before_anybody_takes_it_up(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        await a.begin(work("r1", given=True), lease_s=LEASE)
        await a.begin(work("r2", None, given=True), lease_s=LEASE)
        assert await a.withdraw("r1", "aborted") == Released(0, None)
        await a.conclude("r2", ending((), "aborted"))
        assert await b.take_up(lease_s=LEASE) is None

    async def test_two_that_take_up_at_once_never_get_the_same(self, two: Sequence[SharedStore]) -> None:
        for number in range(20):
            await two[0].begin(work(f"s{number}", f"agent:main:{number % 5}", given=True), lease_s=LEASE)
            await two[0].begin(work(f"n{number}", None, given=True), lease_s=LEASE)
        done: list[str] = []

        async def serve(store: SharedStore) -> None:
            # One that finds nothing may have come while the others held what is next: the last one ends all.
            while len(done) < 40:
                found = await store.take_up(lease_s=LEASE)
                if found is None:
                    continue
                await finished(store, found)
                done.append(found.run_id)

        async with asyncio.timeout(60):
            await asyncio.gather(*(serve(store) for store in (*two, *two)))
        assert sorted(done) == sorted([f"{kind}{n}" for kind in "sn" for n in range(20)])
        for number in range(5):
            entries = await two[1].transcript(ME, f"agent:main:{number}")
            assert [entry.run_id for entry in entries] == [
                f"s{n}" for n in range(number, 20, 5) for _ in range(2)
            ]

    # Who has gone

    async def test_what_a_process_that_has_gone_left_is_taken_up_and_its_zombie_is_fenced(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await a.begin(work("r2", None), lease_s=LEASE)
        clock.pass_s(LEASE - 1)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None, "its lease has not ended"
        clock.pass_s(1)
        first, second = await taken(b), await taken(b)
        assert (first.run_id, first.attempt, second.run_id, second.attempt) == ("r1", 2, "r2", 2)
        assert first.claimed is not None
        assert first.claimed.claim.token > begun.claim.token
        await joined(a, "a")
        with pytest.raises(Fenced):
            await a.renew(begun.claim, lease_s=LEASE)
        with pytest.raises(Fenced):
            await a.read(begun.claim)
        with pytest.raises(Fenced):
            await a.finish(begun.claim, ending(turn("zombie")))
        with pytest.raises(Fenced):
            await a.conclude("r2", ending(result=b"zombie"))
        for run_id in ("r1", "r2"):
            with pytest.raises(Fenced):
                await a.acts(run_id)
            assert not await a.hand_over(run_id)
        assert await finished(b, first) == Released(2, None)
        await finished(b, second)
        with pytest.raises(Fenced):
            await a.finish(begun.claim, ending(turn("zombie")))
        await a.conclude("r2", ending(result=b"zombie"))
        assert await a.result(ME, "r2") is None, "the first end stands"
        assert [entry.run_id for entry in await b.transcript(ME, S)] == ["r1", "r1"]

    async def test_what_is_still_claimed_is_not_taken_up_though_its_process_has_gone(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        """One that has not beaten in time may be at work all the same, as long as its claim lasts."""
        a, b = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        acted = await a.begin(work("acted", "agent:main:acted"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert isinstance(acted, Claimed)
        await a.acts("acted")
        clock.pass_s(LEASE - 1)
        for each in (begun, acted):
            assert not await a.renew(each.claim, lease_s=LEASE)
        clock.pass_s(1)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None
        assert await status(b, "acted") == "running"
        clock.pass_s(LEASE - 1)
        assert (await taken(b)).run_id == "r1"
        assert await status(b, "acted") == "interrupted"
        with pytest.raises(Fenced):
            await a.renew(begun.claim, lease_s=LEASE)

    async def test_a_process_whose_lease_has_ended_goes_on_where_nobody_has_taken_over(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, _ = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        clock.pass_s(2 * LEASE)
        assert await a.take_up(lease_s=LEASE) is None, "it is its own, and executed"
        assert not await a.renew(begun.claim, lease_s=LEASE)
        assert await a.finish(begun.claim, ending(turn("r1"))) == Released(2, None)

    async def test_a_newcomer_waits_behind_a_run_that_is_to_be_taken_up(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        await a.begin(work("r1"), lease_s=LEASE)
        clock.pass_s(2 * LEASE)
        await joined(b, "b")
        assert await b.begin(work("r2"), lease_s=LEASE) == Queued(1)
        assert await b.claim("r2", lease_s=LEASE) is None
        found = await taken(b)
        assert found.run_id == "r1"
        assert await finished(b, found) == Released(2, "r2")
        assert await b.claim("r2", lease_s=LEASE) is not None

    async def test_those_that_waited_in_a_process_that_has_gone_are_taken_up_in_order(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        begun = await b.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        for run_id in ("r2", "r3"):
            await a.begin(work(run_id), lease_s=LEASE)
        assert await b.begin(work("r4"), lease_s=LEASE) == Queued(3)
        clock.pass_s(LEASE)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None, "b's own run holds the session"
        assert await b.finish(begun.claim, ending(turn("r1"))) == Released(2, "r2")
        assert await b.claim("r4", lease_s=LEASE) is None
        for run_id, behind in (("r2", "r3"), ("r3", "r4")):
            found = await taken(b)
            assert (found.run_id, found.attempt) == (run_id, 1)
            assert await b.take_up(lease_s=LEASE) is None
            released = await finished(b, found)
            assert released is not None
            assert released.next_run == behind
        assert await b.claim("r4", lease_s=LEASE) is not None

    async def test_what_nobody_may_execute_again_is_interrupted(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        begun = await a.begin(work("acted"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await a.acts("acted")
        await a.begin(new_run("without work", None), lease_s=LEASE)
        await a.begin(work("waits"), lease_s=LEASE)
        await a.begin(new_run("waits without work"), lease_s=LEASE)
        clock.pass_s(LEASE)
        await joined(b, "b")
        found = await taken(b)
        assert (found.run_id, found.attempt) == ("waits", 1)
        for run_id in ("acted", "without work", "waits without work"):
            run = await b.get_run(ME, run_id)
            assert run is not None
            assert (run.status, run.ended_ms, run.error and run.error.code) == (
                "interrupted",
                clock.now_ms,
                "run_interrupted",
            )
        with pytest.raises(Fenced):
            await a.finish(begun.claim, ending(turn("zombie")))
        assert await finished(b, found) == Released(2, None)

    async def test_what_somebody_has_asked_to_stop_is_not_executed_again(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        await a.begin(work("r1"), lease_s=LEASE)
        await a.begin(work("r2", None), lease_s=LEASE)
        await a.begin(work("r3", "agent:main:other", given=True), lease_s=LEASE)
        for run_id in ("r1", "r2", "r3"):
            assert await b.request_abort(ME, run_id)
        clock.pass_s(LEASE)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None
        for run_id in ("r1", "r2", "r3"):
            run = await b.get_run(ME, run_id)
            assert run is not None
            assert (run.status, run.error) == ("aborted", None)
        assert isinstance(await b.begin(work("next"), lease_s=LEASE), Claimed)

    async def test_who_executes_is_told_whether_somebody_has_asked_for_the_end(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        wishes = []
        for unasked in (True, False, True):
            assert await b.request_abort(ME, "r1", unasked=unasked)
            wishes.append(await a.renew(begun.claim, lease_s=LEASE))
        assert wishes == ["leave", "abort", "abort"]
        assert not await b.request_abort("p", "r1", unasked=True)

    async def test_and_whether_of_a_run_that_has_no_session_and_renews_nothing(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        for run_id, session in (("r1", None), ("r2", None), ("r3", None), ("held", S)):
            await a.begin(work(run_id, session), lease_s=LEASE)
        assert await a.wishes() == ()
        assert await b.request_abort(ME, "r1", unasked=True)
        for run_id in ("r3", "held"):
            assert await b.request_abort(ME, run_id)
        assert await a.wishes() == (("r1", "leave"), ("r3", "abort"))
        assert await b.wishes() == (), "they are a's"
        await a.conclude("r1", ending())
        assert await a.wishes() == (("r3", "abort"),)

    async def test_what_is_to_be_done_is_told_to_its_owner_while_the_run_is_open(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        await a.begin(work("r1", given=True), lease_s=LEASE)
        assert await b.work(ME, "r1") == WORK
        assert await b.work("p", "r1") is None
        assert await b.work(ME, "unknown") is None
        found = await taken(b)
        assert await a.work(ME, "r1") == WORK
        await finished(b, found)
        assert await a.work(ME, "r1") is None

    async def test_a_run_is_begun_only_so_often(self, two: Sequence[SharedStore], clock: Clock) -> None:
        a, b = two
        for session in (S, None):
            await a.begin(work(f"r {session}", session), lease_s=LEASE)
        for attempt in range(2, ATTEMPTS + 1):
            clock.pass_s(LEASE)
            a, b = b, a
            await a.beat(replica(f"again {attempt}"), lease_s=LEASE)
            assert [(await taken(a)).attempt for _ in range(2)] == [attempt] * 2
        clock.pass_s(LEASE)
        await b.beat(replica("last"), lease_s=LEASE)
        assert await b.take_up(lease_s=LEASE) is None
        for session in (S, None):
            assert await status(b, f"r {session}") == "interrupted"
        assert isinstance(await b.begin(work("next"), lease_s=LEASE), Claimed)

    async def test_a_process_that_leaves_gives_up_what_it_has_at_once(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await a.begin(work("r2"), lease_s=LEASE)
        await a.begin(new_run("r3", None), lease_s=LEASE)
        await a.leave()
        assert await status(b, "r3") == "interrupted", "nobody may execute it again"
        await a.begin(work("late", None), lease_s=LEASE)
        await a.close()
        found = await taken(b)
        assert found.run_id == "r1"
        assert await finished(b, found) == Released(2, "r2")
        assert [(await taken(b)).run_id for _ in range(2)] == ["r2", "late"]

    async def test_a_process_that_stops_closes_its_own_runs_and_no_others(
        self, two: Sequence[SharedStore], new_shared: NewShared, clock: Clock
    ) -> None:
        a, b = two
        begun = await a.begin(work("a1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert await b.begin(work("b1"), lease_s=LEASE) == Queued(1)
        await a.begin(work("given", "agent:main:given", given=True), lease_s=LEASE)
        await b.close()
        assert await status(a, "b1") == "interrupted"
        third = new_shared(clock)
        await third.open()
        assert await status(third, "a1") == "running", "a lives"
        assert await status(third, "given") == "queued", "anybody may take it up"
        await third.close()
        assert await a.finish(begun.claim, ending(turn("a1"))) == Released(2, None)

    # Handing over

    async def test_a_run_that_is_handed_over_is_the_oldest_of_its_session_still(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        begun = await a.begin(work("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await b.begin(work("r2"), lease_s=LEASE)
        await a.begin(work("r3"), lease_s=LEASE)
        assert await a.hand_over("r3"), "one that waits, too"
        assert not await b.hand_over("r1"), "it is not b's"
        assert await a.hand_over("r1")
        assert await status(a, "r1") == "queued"
        with pytest.raises(Fenced):
            await a.finish(begun.claim, ending(turn("zombie")))
        assert await b.claim("r2", lease_s=LEASE) is None
        assert await b.begin(work("r4"), lease_s=LEASE) == Queued(3)
        found = await taken(b)
        assert (found.run_id, found.attempt) == ("r1", 2)
        assert await finished(b, found) == Released(2, "r2")
        second = await b.claim("r2", lease_s=LEASE)
        assert second is not None
        assert await b.finish(second.claim, ending()) == Released(2, "r3")
        assert (await taken(b)).run_id == "r3"

    async def test_who_had_a_run_before_does_not_end_it_whoever_has_it_now(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        await a.begin(work("r1", None), lease_s=LEASE)
        assert await a.hand_over("r1")
        assert (await taken(b)).token
        assert await b.hand_over("r1")
        with pytest.raises(Fenced):
            await a.conclude("r1", ending(), token=0)
        again = await taken(a)
        with pytest.raises(Fenced):
            await a.conclude("r1", ending(), token=0)
        assert await status(a, "r1") == "running"
        await a.conclude("r1", ending(), token=again.token)
        assert await status(a, "r1") == "completed"
        with pytest.raises(Fenced):
            await a.conclude("r1", ending((), "failed"), token=0)
        await a.conclude("r1", ending((), "failed"), token=again.token)
        assert await status(a, "r1") == "completed", "the first end stands"

    async def test_nor_what_was_closed_meanwhile(self, two: Sequence[SharedStore], clock: Clock) -> None:
        a, b = two
        await a.begin(new_run("r1", None), lease_s=LEASE)
        clock.pass_s(LEASE)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None
        assert await status(b, "r1") == "interrupted"
        with pytest.raises(Fenced):
            await a.conclude("r1", ending(), token=0)

    async def test_nor_what_somebody_has_stopped_meanwhile(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        await a.begin(work("r1", None), lease_s=LEASE)
        assert await b.request_abort(ME, "r1")
        clock.pass_s(LEASE)
        await joined(b, "b")
        assert await b.take_up(lease_s=LEASE) is None
        assert await status(b, "r1") == "aborted"
        with pytest.raises(Fenced):
            await a.conclude("r1", ending(), token=0)
        await a.conclude("r1", ending((), "aborted"), token=0)

    async def test_who_was_away_is_told_which_runs_without_a_session_it_has_lost(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        runs = dict.fromkeys(("kept", "ended", "taken", "back", "closed", "not yet begun"), 0)
        for name in runs:
            if name == "closed":
                await a.begin(new_run(name, None), lease_s=LEASE)
            elif name != "not yet begun":
                await a.begin(work(name, None), lease_s=LEASE)
        assert await a.lost(runs) == frozenset()
        assert await b.lost(runs) == runs.keys() - {"not yet begun"}, "they are a's"
        await a.conclude("ended", ending(), token=0)
        for name, before in (("taken", {"ended"}), ("back", {"ended", "taken"})):
            assert await a.hand_over(name)
            assert await a.lost(runs) == before, "nobody has taken it up"
            assert (await taken(b)).run_id == name
        assert await b.hand_over("back")
        assert (await taken(a)).run_id == "back", "under a newer token"
        assert await a.lost(runs) == {"ended", "taken", "back"}
        clock.pass_s(LEASE)
        await joined(b, "b")
        assert [(await taken(b)).run_id for _ in range(2)] == ["kept", "back"]
        assert await a.lost(runs) == runs.keys() - {"not yet begun"}

    async def test_who_has_handed_a_run_over_may_end_it_while_it_is_nobodys(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        await a.begin(work("r1", None), lease_s=LEASE)
        assert await a.hand_over("r1")
        await a.conclude("r1", ending(), token=0)
        assert await b.take_up(lease_s=LEASE) is None

    async def test_handing_over_costs_no_attempt(self, two: Sequence[SharedStore], clock: Clock) -> None:
        a, b = two
        await a.begin(work("r1"), lease_s=LEASE)
        await a.begin(work("r2", None), lease_s=LEASE)
        for number in range(5):
            for run_id in ("r1", "r2"):
                assert await a.hand_over(run_id)
                assert (await taken(b)).attempt == number + 2
            a, b = b, a
        assert await a.take_up(lease_s=LEASE) is None

    async def test_what_has_acted_or_ended_or_is_not_all_there_is_not_handed_over(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, _ = two
        begun = await a.begin(work("acted"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await a.acts("acted")
        await a.acts("acted")
        await a.begin(new_run("without work", None), lease_s=LEASE)
        await a.begin(work("ended", None), lease_s=LEASE)
        await a.conclude("ended", ending())
        for run_id in ("acted", "without work", "ended", "unknown"):
            assert not await a.hand_over(run_id)
        with pytest.raises(Fenced):
            await a.acts("ended")
        assert await a.finish(begun.claim, ending(turn("acted"))) == Released(2, None)

    # What the run at work has heard

    async def test_those_that_wait_are_shown_to_who_holds_the_session(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        claim = await claimed(a, "r1")
        assert await a.waiting(claim) == ()
        for run in (work("r2", given=True), work("r3"), new_run("without work"), work("r5", given=True)):
            await b.begin(run, lease_s=LEASE)
        await b.begin(work("other", "agent:main:other", given=True), lease_s=LEASE)
        assert await b.request_abort(ME, "r5")
        assert await a.waiting(claim) == (Waiting("r2", WORK), Waiting("r3", WORK))
        assert await a.waiting(replace(claim, owner="p")) == ()
        assert await a.waiting(replace(claim, token=claim.token + 1)) == ()

    @pytest.mark.promise("error.run_heard")
    async def test_what_is_heard_ends_with_who_has_heard_it_and_not_before(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        claim = await claimed(a, "r1")
        for run_id in ("r2", "r3"):
            assert isinstance(await b.begin(work(run_id, given=True), lease_s=LEASE), Queued)
        assert [await b.place(ME, run_id) for run_id in ("r1", "r2", "r3", "none")] == [0, 1, 2, 0]
        assert await a.hear(claim, ("r2", "unknown")) == {"r2"}
        assert await a.hear(claim, ("r2",)) == {"r2"}, "a repeat"
        assert await status(b, "r2") == "queued"
        assert [await b.place(ME, run_id) for run_id in ("r2", "r3")] == [None, 1]
        with pytest.raises(StoreError) as caught:
            await b.withdraw("r2", "aborted")
        assert caught.value.code == "run_heard"
        assert await a.finish(claim, replace(ending(), taken=(Taken("r2", None, b"it"),))) == Released(
            0, "r3"
        )
        run = await b.get_run(ME, "r2")
        assert run is not None
        assert (run.status, run.answered_by) == ("completed", "r1")
        assert await b.result(ME, "r2") == b"it"

    async def test_a_wish_to_stop_what_is_heard_is_one_to_stop_who_has_heard_it(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        claim = await claimed(a, "r1")
        for run_id in ("r2", "r3"):
            await b.begin(work(run_id), lease_s=LEASE)
        assert await b.request_abort(ME, "r3")
        assert await a.hear(claim, ("r2", "r3")) == {"r2"}, "nobody hears what was stopped before"
        assert not await a.renew(claim, lease_s=LEASE)
        assert not await b.request_abort("p", "r2")
        assert not await a.renew(claim, lease_s=LEASE)
        assert await b.request_abort(ME, "r2", unasked=True)
        assert not await a.renew(claim, lease_s=LEASE), "others want the answer"
        assert await b.request_abort(ME, "r2")
        assert await a.renew(claim, lease_s=LEASE) == "abort"

    async def test_what_was_heard_waits_as_before_once_the_session_is_another_ones(
        self, two: Sequence[SharedStore], clock: Clock
    ) -> None:
        a, b = two
        lost = await claimed(a, "r1")
        await b.begin(work("r2", given=True), lease_s=LEASE)
        assert await a.hear(lost, ("r2",)) == {"r2"}
        clock.pass_s(LEASE)
        await joined(b, "b")
        again = await taken(b)
        assert (again.run_id, again.attempt) == ("r1", 2)
        assert await b.place(ME, "r2") == 1
        assert await a.waiting(lost) == ()
        assert await a.hear(lost, ("r2",)) == frozenset()
        with pytest.raises(Fenced):
            await a.finish(lost, replace(ending(turn("zombie")), taken=(Taken("r2", 0),)))
        assert again.claimed is not None
        assert await b.waiting(again.claimed.claim) == (Waiting("r2", WORK),)
        assert await b.request_abort(ME, "r2")
        assert not await b.renew(again.claimed.claim, lease_s=LEASE), "this one has not heard it"
        assert await b.withdraw("r2", "aborted") == Released(0, None)

    async def test_what_was_heard_and_not_answered_has_its_own_turn(self, two: Sequence[SharedStore]) -> None:
        a, b = two
        claim = await claimed(a, "r1")
        await b.begin(work("r2"), lease_s=LEASE)
        assert await a.hear(claim, ("r2",)) == {"r2"}
        assert await b.claim("r2", lease_s=LEASE) is None
        assert await a.finish(claim, ending((), "failed")) == Released(0, "r2")
        assert await b.place(ME, "r2") == 0
        second = await b.claim("r2", lease_s=LEASE)
        assert second is not None
        assert await b.finish(second.claim, ending(turn("r2"))) == Released(2, None)

    async def test_of_one_that_is_withdrawn_and_heard_at_once_only_one_is_so(
        self, two: Sequence[SharedStore]
    ) -> None:
        a, b = two
        claim = await claimed(a, "r1")
        for number in range(20):
            run_id = f"w{number}"
            await b.begin(work(run_id), lease_s=LEASE)
            heard, withdrawn = await asyncio.gather(
                a.hear(claim, (run_id,)), b.withdraw(run_id, "aborted"), return_exceptions=True
            )
            was_withdrawn = not isinstance(withdrawn, BaseException)
            assert heard == (frozenset() if was_withdrawn else {run_id})
            assert await status(b, run_id) == ("aborted" if was_withdrawn else "queued")

    # What all go by

    @pytest.mark.promise("error.document_changed")
    async def test_a_document_is_written_by_who_has_read_the_newest(self, two: Sequence[SharedStore]) -> None:
        a, b = two
        assert await a.document("one") == Document(0, "")
        assert await a.document_versions() == {}
        assert await a.write_document("one", "1\x00\\", replaces=0) == 1
        assert await b.document("one") == Document(1, "1\x00\\")
        for replaces in (0, 2):
            with pytest.raises(StoreError) as caught:
                await b.write_document("one", "2", replaces=replaces)
            assert caught.value.code == "document_changed"
        assert await b.write_document("one", "2", replaces=1) == 2
        assert await a.document("one") == Document(2, "2")
        with pytest.raises(StoreError):
            await a.write_document("another", "1", replaces=1)
        assert await a.write_document("another", "", replaces=0) == 1
        assert await b.document_versions() == {"one": 2, "another": 1}
        assert await b.document("another") == Document(1, "")

    async def test_of_many_that_write_at_once_one_does(self, two: Sequence[SharedStore]) -> None:
        for replaces in (0, 1):
            written = await asyncio.gather(
                *(two[n % 2].write_document("one", f"{n}", replaces=replaces) for n in range(10)),
                return_exceptions=True,
            )
            (version,) = [one for one in written if isinstance(one, int)]
            assert version == replaces + 1
            assert await two[0].document("one") == Document(version, str(written.index(version)))

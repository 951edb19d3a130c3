"""What every Store must do about owners, idempotency keys, results, and runs without a session."""

import asyncio

import pytest

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.store import Claimed, Duplicate, NewRun, Queued, Recorded, Store, beside
from openclaw_gateway.wire.run import Usage
from tests.sessions.store_contract import (
    ERROR,
    LEASE,
    ME,
    USAGE,
    Clock,
    NewStore,
    S,
    WithStore,
    claimed,
    continued,
    ending,
    new_run,
    said,
    turn,
)


async def keyed(store: Store, run_id: str, session: str | None = S, *, key: str = "k") -> Claimed | Recorded:
    begun = await store.begin(new_run(run_id, session, key=key), lease_s=LEASE)
    assert isinstance(begun, Claimed | Recorded)
    return begun


class KeyContract(WithStore):
    # Owners

    @pytest.mark.promise("CVE-2026-89032", "CVE-2026-100534")
    async def test_two_owners_with_the_same_names_never_meet(self, store: Store) -> None:
        for owner in (ME, "p"):
            begun = await store.begin(new_run(f"{owner}1", owner=owner, key="k", user="ada"), lease_s=LEASE)
            assert isinstance(begun, Claimed), "one's claim holds nobody else up"
            assert await store.begin(new_run(f"{owner}2", owner=owner), lease_s=LEASE) == Queued(1)
            await store.withdraw(f"{owner}2", "aborted")
            done = ending(turn(owner), result=owner.encode())
            assert (await store.finish(begun.claim, done)).last_seq == 2
        await store.summarise("p", S, 2, "Theirs.")
        for owner, other in ((ME, "p"), ("p", ME)):
            entries = await store.transcript(owner, S)
            assert [entry.run_id for entry in entries] == [f"{owner}1"] * 2
            assert await store.get_run(owner, f"{other}1") is None
            assert await store.result(owner, f"{other}1") is None
            assert not await store.request_abort(owner, f"{other}1")
            by_key = await store.run_by_key(owner, "k")
            assert by_key is not None
            assert (by_key.id, by_key.owner) == (f"{owner}1", owner)
            assert [record.owner for record in await store.list_sessions(owner)] == [owner]
            assert await store.count_sessions(owner) == 1
            record = await store.get_session(owner, S)
            assert record is not None
            assert (record.owner, record.total_tokens) == (owner, 15)
            begun = await store.begin(new_run(f"{owner}3", owner=owner), lease_s=LEASE)
            assert isinstance(begun, Claimed)
            read = await continued(store, begun)
            assert (read.summary is None, len(read.entries)) == ((True, 2) if owner == ME else (False, 0))
            await store.finish(begun.claim, ending())
        assert await store.delete_session("p", S)
        assert not await store.delete_session("p", S)
        assert len(await store.transcript(ME, S)) == 2

    async def test_a_session_keeps_the_user_it_was_made_for(self, store: Store) -> None:
        begun = await store.begin(new_run("r1", user="ada"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, ending())
        begun = await store.begin(new_run("r2", user="bob"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, ending())
        await said(store, "r3", "agent:main:none")
        record = await store.get_session(ME, S)
        assert record is not None
        assert record.user == "ada"
        assert [each.user for each in await store.list_sessions(ME)] == [None, "ada"]

    async def test_a_run_names_its_parent(self, store: Store) -> None:
        run = NewRun("r1", ME, S, "main", parent="r0")
        await store.begin(run, lease_s=LEASE)
        record = await store.get_run(ME, "r1")
        assert record is not None
        assert record.parent == "r0"

    async def test_the_runs_of_a_session_are_listed_in_order_of_arrival(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        for name in ("r2", "r3"):
            assert isinstance(await store.begin(new_run(name), lease_s=LEASE), Queued)
        await store.begin(new_run("other", "agent:main:other"), lease_s=LEASE)
        await store.begin(new_run("theirs", owner="p"), lease_s=LEASE)
        await store.finish(claim, ending(turn("a")))
        runs = await store.runs_of(ME, S)
        assert [(run.id, run.status) for run in runs] == [
            ("r1", "completed"),
            ("r2", "queued"),
            ("r3", "queued"),
        ]
        assert runs[0].usage == USAGE
        assert [run.id for run in await store.runs_of(ME, S, newest_first=True, limit=2)] == ["r3", "r2"]
        assert [run.id for run in await store.runs_of(ME, S, after="r1")] == ["r2", "r3"]
        assert [run.id for run in await store.runs_of(ME, S, after="r2", newest_first=True)] == ["r1"]
        assert await store.runs_of(ME, S, after="other") == ()
        assert await store.runs_of(ME, "agent:main:nothing") == ()

    async def test_sessions_are_listed_newest_first(self, store: Store, clock: Clock) -> None:
        for name, owner in (("a", ME), ("b", "p"), ("c", ME), ("d", ME)):
            begun = await store.begin(NewRun(name, owner, f"agent:{name}:main", name), lease_s=LEASE)
            assert isinstance(begun, Claimed)
            if name != "d":  # at the same moment as the one before
                clock.pass_s(1)
            await store.finish(begun.claim, ending(turn(name)))
        assert [s.agent for s in await store.list_sessions(ME)] == ["d", "c", "a"]
        assert [s.agent for s in await store.list_sessions(ME, agent="a")] == ["a"]
        assert [s.agent for s in await store.list_sessions(ME, limit=1, offset=1)] == ["c"]
        assert await store.list_sessions(ME, offset=3) == ()
        assert await store.list_sessions("nobody") == ()
        whole = [s.agent for s in await store.list_sessions(ME, oldest_first=True)]
        assert whole == ["a", "c", "d"]
        for oldest_first, order in ((True, whole), (False, whole[::-1])):
            for place, name in enumerate(order):
                key = f"agent:{name}:main"
                behind = await store.list_sessions(ME, after=key, oldest_first=oldest_first)
                assert [s.agent for s in behind] == order[place + 1 :]
        assert [s.agent for s in await store.list_sessions(ME, after="agent:d:main", limit=1)] == ["c"]
        assert await store.list_sessions(ME, agent="a", after="agent:c:main", oldest_first=True) == ()
        assert await store.list_sessions(ME, after="agent:b:main") == (), "another owner's"
        assert await store.count_sessions(ME) == 3
        assert await store.count_sessions(ME, agent="c") == 1
        assert await store.count_sessions(ME, agent="b") == 0

    # Keys

    async def test_a_key_is_taken_while_its_run_is_open(self, store: Store) -> None:
        begun = await store.begin(new_run("r1", key="k", digest=b"1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        repeated = await store.begin(new_run("r2", "agent:main:new", key="k", digest=b"2"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        run = repeated.run
        assert (run.id, run.session, run.status, run.digest) == ("r1", S, "running", b"1")
        assert await store.get_run(ME, "r2") is None
        assert await store.get_session(ME, "agent:main:new") is None
        waits = await store.begin(new_run("r3", key="w"), lease_s=LEASE)
        assert waits == Queued(1)
        repeated = await store.begin(new_run("r4", key="w"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert (repeated.run.id, repeated.run.status) == ("r3", "queued")

    async def test_a_key_stays_taken_exactly_when_a_result_is_kept(self, store: Store) -> None:
        for session in (S, None):
            begun = await keyed(store, f"{session}1", session)
            done = ending(turn("x") if session else (), result=b"the answer")
            if isinstance(begun, Claimed):
                await store.finish(begun.claim, done)
            else:
                await store.conclude(f"{session}1", done)
            repeated = await store.begin(new_run(f"{session}2", key="k"), lease_s=LEASE)
            assert isinstance(repeated, Duplicate)
            assert (repeated.run.id, repeated.run.status) == (f"{session}1", "completed")
            assert (repeated.run.usage, repeated.run.digest) == (USAGE, b"d")
            assert await store.result(ME, f"{session}1") == b"the answer"
            if session is not None:
                assert await store.delete_session(ME, session), "and with it goes what its runs left"

    async def test_without_a_result_the_next_request_of_a_key_is_a_new_run(self, store: Store) -> None:
        begun = await keyed(store, "failed")
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, ending((), "failed", Usage(), ERROR))
        begun = await keyed(store, "again")
        assert isinstance(begun, Claimed)
        for run_id in ("failed", "again"):
            assert await store.result(ME, run_id) is None
        newest = await store.run_by_key(ME, "k")
        assert newest is not None
        assert newest.id == "again"
        await store.finish(begun.claim, ending(turn("x")))
        await claimed(store, "holder")
        assert await store.begin(new_run("waits", key="k"), lease_s=LEASE) == Queued(1)
        await store.withdraw("waits", "aborted")
        assert await store.begin(new_run("waits again", key="k"), lease_s=LEASE) == Queued(1)
        assert await store.run_by_key(ME, "unknown") is None

    async def test_an_interruption_releases_its_key(self, new_store: NewStore, clock: Clock) -> None:
        store = new_store(clock)
        await store.open()
        await keyed(store, "held", key="a")
        await store.begin(new_run("waits", key="b"), lease_s=LEASE)
        await keyed(store, "loose", None, key="c")
        await store.close()
        store = new_store(clock)
        await store.open()
        for key, run_id in (("a", "held"), ("b", "waits"), ("c", "loose")):
            newest = await store.run_by_key(ME, key)
            assert newest is not None
            assert (newest.id, newest.status) == (run_id, "interrupted")
            assert not isinstance(await store.begin(new_run(f"{run_id}2", key=key), lease_s=LEASE), Duplicate)
        await store.close()

    async def test_a_lease_that_ran_out_releases_the_key(self, store: Store, clock: Clock) -> None:
        await keyed(store, "r1")
        clock.pass_s(LEASE)
        await claimed(store, "r2")
        assert await store.begin(new_run("r3", key="k"), lease_s=LEASE) == Queued(1)

    async def test_fifty_repeats_at_once_give_one_run(self, store: Store) -> None:
        for session in (S, None):
            begun = await asyncio.gather(
                *(
                    store.begin(new_run(f"{session}{n}", session, key=str(session)), lease_s=LEASE)
                    for n in range(50)
                )
            )
            assert sum(isinstance(one, Claimed | Recorded) for one in begun) == 1
            assert {one.run.id for one in begun if isinstance(one, Duplicate)} == {f"{session}0"}

    async def test_a_run_id_is_used_once(self, store: Store) -> None:
        await claimed(store, "r1")
        repeated = await store.begin(new_run("r1", "agent:main:new"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert repeated.run.session == S
        for session in ("agent:main:new", None):
            with pytest.raises(StoreError) as caught:
                await store.begin(new_run("r1", session, owner="p"), lease_s=LEASE)
            assert caught.value.code == "run_id_taken", "and another owner's run is not shown"
        assert await store.get_session(ME, "agent:main:new") is None
        assert await store.get_session("p", "agent:main:new") is None

    # Without a session

    async def test_a_run_without_a_session_is_recorded_and_ends(self, store: Store, clock: Clock) -> None:
        assert await store.begin(new_run("r1", None), lease_s=LEASE) == Recorded()
        assert await store.begin(new_run("r2", None), lease_s=LEASE) == Recorded(), "nobody waits for it"
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert (run.session, run.status, run.ended_ms) == (None, "running", None)
        assert await store.request_abort(ME, "r1")
        clock.pass_s(5)
        await store.conclude("r1", ending((), "failed", Usage(), ERROR))
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert (run.status, run.ended_ms, run.error) == ("failed", clock.now_ms, ERROR)
        await store.conclude("r1", ending(result=b"late"))
        assert await store.get_run(ME, "r1") == run, "the first end stands"
        assert await store.result(ME, "r1") is None
        assert await store.list_sessions(ME) == ()

    async def test_each_kind_of_run_has_its_own_end(self, store: Store) -> None:
        await claimed(store, "held")
        await store.begin(new_run("waits"), lease_s=LEASE)
        await store.begin(new_run("loose", None), lease_s=LEASE)
        for run_id in ("held", "waits", "unknown"):
            with pytest.raises(StoreError) as caught:
                await store.conclude(run_id, ending())
            assert caught.value.code == "run_not_open"
        for act in (store.withdraw("loose", "aborted"), store.claim("loose", lease_s=LEASE)):
            with pytest.raises(StoreError) as caught:
                await act
            assert caught.value.code == "run_not_open"
        await store.conclude("loose", ending())
        with pytest.raises(StoreError):
            await store.withdraw("loose", "aborted")
        with pytest.raises(ValueError, match="running"):
            await store.conclude("loose", ending((), "running"))

    async def test_a_repeated_finish_keeps_the_first_result(self, store: Store) -> None:
        begun = await keyed(store, "r1")
        assert isinstance(begun, Claimed)
        first = await store.finish(begun.claim, ending(turn("x"), result=b"first"))
        assert await store.finish(begun.claim, ending(turn("y"), result=b"second")) == first
        assert await store.result(ME, "r1") == b"first"

    # What is kept under a name

    async def test_what_is_kept_is_its_owner_s_until_it_is_forgotten(
        self, store: Store, clock: Clock
    ) -> None:
        await store.keep(ME, "a", b"mine")
        await store.keep("p", "a", b"theirs")
        assert (await store.kept(ME, "a"), await store.kept("p", "a")) == (b"mine", b"theirs")
        assert await store.kept(ME, "b") is None
        assert await store.forget(ME, "a")
        assert not await store.forget(ME, "a")
        assert (await store.kept(ME, "a"), await store.kept("p", "a")) == (None, b"theirs")

    async def test_what_is_kept_first_stays(self, store: Store, clock: Clock) -> None:
        await store.keep(ME, "a", b"1", ("x",))
        await store.keep(ME, "a", b"2", ("x", "y"))
        assert await store.kept(ME, "a") == b"1"
        assert (await store.kept_names(ME, ("x",)), await store.kept_names(ME, ("y",))) == (("a",), ())

    async def test_what_is_kept_for_long_is_dropped(self, store: Store, clock: Clock) -> None:
        await store.keep(ME, "old", b"1")
        clock.pass_s(100)
        await store.keep(ME, "young", b"2")
        assert (await store.prune(Retention(kept_s=50))).kept == 1
        assert (await store.kept(ME, "old"), await store.kept(ME, "young")) == (None, b"2")

    async def test_what_is_kept_beside_a_session_goes_with_it(self, store: Store) -> None:
        for number, (owner, session) in enumerate(((ME, S), (ME, "agent:main:other"), ("p", S))):
            begun = await store.begin(new_run(f"r{number}", session, owner=owner), lease_s=LEASE)
            assert isinstance(begun, Claimed)
            await store.finish(begun.claim, ending(turn("a")))
            await store.keep(owner, beside(session), b"1", ("x",))
        assert await store.delete_session(ME, S)
        assert await store.kept(ME, beside(S)) is None
        assert await store.kept_names(ME, ("x",)) == (beside("agent:main:other"),)
        assert await store.kept("p", beside(S)) == b"1"

    async def test_what_is_kept_is_listed_by_all_of_its_labels_in_order(
        self, store: Store, clock: Clock
    ) -> None:
        for name, labels in (("a", "x"), ("b", "xy"), ("c", ""), ("d", "yx"), ("e", "x"), ("f", "xxy")):
            await store.keep(ME, name, b"", tuple(labels))
        await store.keep("p", "a", b"", ("x",))
        assert await store.kept_names(ME, ("x",)) == ("a", "b", "d", "e", "f")
        assert await store.kept_names(ME, ("y", "x")) == ("b", "d", "f")
        assert await store.kept_names(ME, ("x",), after="b", limit=2) == ("d", "e")
        assert await store.kept_names(ME, ("y", "x"), after="d", newest_first=True) == ("b",)
        assert await store.kept_names(ME, ("x",), newest_first=True, limit=2) == ("f", "e")
        assert await store.kept_names(ME, ("z",)) == ()
        assert await store.kept_names(ME, ("x",), after="nothing") is None
        assert await store.kept_names("p", ("x",), after="b") is None
        assert await store.kept_names("p", ("x",)) == ("a",)

    async def test_what_is_kept_anew_is_kept_as_long_as_if_it_were_new(
        self, store: Store, clock: Clock
    ) -> None:
        await store.keep(ME, "a", b"1", ("x",))
        await store.keep(ME, "b", b"1", ("x",))
        clock.pass_s(100)
        assert await store.rekeep(ME, "a", b"2", ("x",), anew=True)
        assert (await store.prune(Retention(kept_s=50))).kept == 1
        assert await store.kept_names(ME, ("x",)) == ("a",)

    async def test_what_is_kept_may_be_kept_otherwise_but_not_longer(
        self, store: Store, clock: Clock
    ) -> None:
        for name in "abc":
            await store.keep(ME, name, b"1", ("x", "y"))
        clock.pass_s(100)
        assert await store.rekeep(ME, "a", b"2", ("x", "z"))
        assert await store.kept(ME, "a") == b"2"
        assert await store.kept_names(ME, ("x",)) == ("a", "b", "c")
        assert (await store.kept_names(ME, ("y",)), await store.kept_names(ME, ("z",))) == (
            ("b", "c"),
            ("a",),
        )
        assert not await store.rekeep("p", "a", b"3", ("x",))
        assert not await store.rekeep(ME, "d", b"3", ("x",))
        assert await store.forget(ME, "b")
        assert await store.kept_names(ME, ("x",)) == ("a", "c")
        assert (await store.prune(Retention(kept_s=50))).kept == 2
        await store.keep(ME, "new", b"", ("new",))
        assert await store.kept_names(ME, ("x",)) == ()
        assert await store.kept_names(ME, ("new",)) == ("new",)

    async def test_what_is_kept_outlives_its_process(
        self, store: Store, new_store: NewStore, clock: Clock
    ) -> None:
        await store.keep(ME, "a", b"mine")
        await store.close()
        again = new_store(clock)
        await again.open()
        try:
            assert await again.kept(ME, "a") == b"mine"
        finally:
            await again.close()

"""What every Store must do. A second implementation is held to it by one subclass with a `new_store` fixture.

Calling `new_store` again gives a second process on the same data.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from openclaw_gateway.errors import Fenced, Forbidden, SessionBusy, StoreError
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Duplicate,
    Entry,
    NewRun,
    Queued,
    Released,
    Store,
    Summary,
)
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import Usage

S = "agent:main:s"
LEASE = 30.0
USAGE = Usage(10, 5, 15, cached_tokens=2)
MAX_QUEUED = 64
ERROR = ErrorInfo("It broke.", "api_error", "broken", 502, retry_after=1.5, retryable=True)


class Clock:
    """Unix milliseconds that pass only when told."""

    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms

    def pass_s(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1000)


NewStore = Callable[[Clock], Store]


def new_run(run_id: str, session: str = S, *, owner: str = "o", key: str | None = None) -> NewRun:
    return NewRun(run_id, owner, session, "main", key)


def turn(text: str) -> tuple[Message, ...]:
    return (UserMessage(f"{text}?"), AssistantMessage(f"{text}!"))


async def claimed(store: Store, run_id: str, session: str = S) -> Claim:
    begun = await store.begin(new_run(run_id, session), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    return begun.claim


async def said(store: Store, run_id: str, session: str = S) -> Released:
    claim = await claimed(store, run_id, session)
    return await store.finish(claim, turn(run_id), "completed", USAGE)


class StoreContract:
    @pytest.fixture
    def clock(self) -> Clock:
        return Clock()

    @pytest.fixture
    def new_store(self) -> NewStore:
        raise NotImplementedError

    @pytest.fixture
    async def store(self, new_store: NewStore, clock: Clock) -> AsyncIterator[Store]:
        store = new_store(clock)
        await store.open()
        yield store
        await store.close()

    # One run after another

    async def test_a_new_session_is_free_and_empty(self, store: Store) -> None:
        begun = await store.begin(new_run("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert (begun.claim.run_id, begun.claim.session, begun.claim.lease_s) == ("r1", S, LEASE)
        assert begun.transcript.entries == ()
        assert begun.transcript.summary is None
        assert begun.previous_ms is None
        record = await store.get_session(S)
        assert record is not None
        assert (record.active_run, record.owner, record.agent, record.last_seq) == ("r1", "o", "main", 0)

    async def test_the_next_run_continues_the_conversation(self, store: Store, clock: Clock) -> None:
        assert await said(store, "r1") == Released(2, None)
        changed_ms = clock.now_ms
        clock.pass_s(60)
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript.entries == (
            Entry(1, "r1", UserMessage("r1?")),
            Entry(2, "r1", AssistantMessage("r1!")),
        )
        assert begun.previous_ms == changed_ms
        assert await store.transcript(S) == begun.transcript.entries

    async def test_every_kind_of_message_comes_back_as_it_was(self, store: Store) -> None:
        everything: tuple[Message, ...] = (
            UserMessage("hi \u2028 \x00 \U0001f600", name="ada"),
            AssistantMessage("", tool_calls=(ToolCall("1", "look", '{"a": 1}'),), reasoning="hm"),
            ToolMessage("1", "seen", name="look"),
            AssistantMessage("part", aborted=True),
        )
        claim = await claimed(store, "r1")
        await store.finish(claim, everything, "completed", USAGE)
        assert tuple(entry.message for entry in await store.transcript(S)) == everything

    async def test_a_run_that_left_nothing_is_recorded_all_the_same(self, store: Store, clock: Clock) -> None:
        await said(store, "r1")
        changed_ms = clock.now_ms
        clock.pass_s(5)
        claim = await claimed(store, "r2")
        assert await store.finish(claim, (), "failed", Usage(), ERROR) == Released(2, None)
        run = await store.get_run("r2")
        assert run is not None
        assert (run.status, run.error, run.ended_ms, run.usage) == ("failed", ERROR, clock.now_ms, Usage())
        begun = await store.begin(new_run("r3"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.previous_ms == changed_ms, "nothing was said, so nothing changed"

    async def test_tokens_are_added_up(self, store: Store) -> None:
        await said(store, "r1")
        await said(store, "r2")
        record = await store.get_session(S)
        assert record is not None
        assert (record.prompt_tokens, record.completion_tokens, record.total_tokens) == (20, 10, 30)
        run = await store.get_run("r1")
        assert run is not None
        assert (run.status, run.usage, run.session) == ("completed", USAGE, S)

    async def test_a_run_cannot_end_as_open(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        with pytest.raises(ValueError, match="running"):
            await store.finish(claim, (), "running", Usage())
        assert await store.finish(claim, (), "aborted", Usage()) == Released(0, None)

    # Order and fencing

    async def test_one_at_a_time_in_order_of_arrival(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        waiting = [await store.begin(new_run(f"r{n}"), lease_s=LEASE) for n in (1, 2, 3)]
        assert waiting == [Queued(1), Queued(2), Queued(3)]
        assert await store.claim("r1", lease_s=LEASE) is None
        tokens = [claim.token]
        for n in (1, 2, 3):
            released = await store.finish(claim, turn(f"t{n - 1}"), "completed", USAGE)
            assert released.next_run == f"r{n}"
            for later in range(n + 1, 4):
                assert await store.claim(f"r{later}", lease_s=LEASE) is None
            handed = await store.claim(f"r{n}", lease_s=LEASE)
            assert handed is not None
            assert [entry.seq for entry in handed.transcript.entries] == list(range(1, 2 * n + 1))
            claim = handed.claim
            tokens.append(claim.token)
        assert tokens == sorted(set(tokens))
        assert await store.finish(claim, (), "completed", Usage()) == Released(6, None)

    async def test_who_comes_between_release_and_claim_waits_behind(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        await store.begin(new_run("r1"), lease_s=LEASE)
        await store.finish(claim, (), "completed", Usage())
        assert await store.begin(new_run("r2"), lease_s=LEASE) == Queued(1)
        assert await store.claim("r2", lease_s=LEASE) is None
        assert await store.claim("r1", lease_s=LEASE) is not None

    async def test_sessions_do_not_wait_for_each_other(self, store: Store) -> None:
        begun = await asyncio.gather(
            *(store.begin(new_run(f"r{n}", f"agent:main:{n}"), lease_s=LEASE) for n in range(50))
        )
        assert all(isinstance(one, Claimed) for one in begun)

    async def test_fifty_at_once_on_a_new_session_all_get_their_turn(self, store: Store) -> None:
        begun = await asyncio.gather(*(store.begin(new_run(f"r{n}"), lease_s=LEASE) for n in range(50)))
        first = begun[0]
        assert isinstance(first, Claimed)
        claim = first.claim
        for n in range(50):
            released = await store.finish(claim, turn(f"r{n}"), "completed", USAGE)
            if released.next_run is None:
                break
            handed = await store.claim(released.next_run, lease_s=LEASE)
            assert handed is not None
            claim = handed.claim
        entries = await store.transcript(S, limit=1000)
        assert [entry.seq for entry in entries] == list(range(1, 101))
        assert [entry.run_id for entry in entries] == [f"r{n // 2}" for n in range(100)]

    async def test_only_a_waiting_run_can_claim(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        for run_id in ("r1", "unknown"):
            with pytest.raises(StoreError) as caught:
                await store.claim(run_id, lease_s=LEASE)
            assert caught.value.code == "run_not_open"
        await store.finish(claim, (), "completed", Usage())
        with pytest.raises(StoreError):
            await store.claim("r1", lease_s=LEASE)

    async def test_a_full_queue_refuses(self, store: Store) -> None:
        await claimed(store, "r")
        for n in range(MAX_QUEUED):
            assert await store.begin(new_run(f"w{n}"), lease_s=LEASE) == Queued(n + 1)
        with pytest.raises(SessionBusy) as caught:
            await store.begin(new_run("late"), lease_s=LEASE)
        assert caught.value.code == "session_busy"
        assert await store.get_run("late") is None
        again = await store.begin(new_run("w0"), lease_s=LEASE)
        assert isinstance(again, Duplicate), "a repeat is no newcomer"
        await store.withdraw("w5", "aborted")
        assert await store.begin(new_run("late"), lease_s=LEASE) == Queued(MAX_QUEUED)

    async def test_a_stranger_cannot_write(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        for wrong in (
            Claim("r1", S, claim.token + 1, LEASE),
            Claim("r1", S, claim.token - 1, LEASE),
            Claim("r0", S, claim.token, LEASE),
            Claim("r1", "agent:main:other", claim.token, LEASE),
        ):
            with pytest.raises(Fenced):
                await store.finish(wrong, turn("x"), "completed", USAGE)
            with pytest.raises(Fenced):
                await store.renew(wrong, lease_s=LEASE)
        assert await store.transcript(S) == ()
        assert await store.finish(claim, turn("r1"), "completed", USAGE) == Released(2, None)

    async def test_a_repeated_finish_gets_the_first_answer(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        first = await store.finish(claim, turn("r1"), "completed", USAGE)
        assert first == Released(2, "r2")
        assert await store.finish(claim, turn("r1"), "completed", USAGE) == first
        handed = await store.claim("r2", lease_s=LEASE)
        assert handed is not None
        await store.finish(handed.claim, turn("r2"), "completed", USAGE)
        assert await store.finish(claim, turn("other"), "failed", USAGE) == first
        assert len(await store.transcript(S)) == 4
        run = await store.get_run("r1")
        assert run is not None
        assert run.status == "completed"
        with pytest.raises(Fenced):
            await store.renew(claim, lease_s=LEASE)

    # Leases

    async def test_a_lease_that_ran_out_may_be_taken_over(self, store: Store, clock: Clock) -> None:
        old = await claimed(store, "r1")
        clock.pass_s(LEASE - 1)
        assert await store.begin(new_run("r2"), lease_s=LEASE) == Queued(1)
        assert await store.claim("r2", lease_s=LEASE) is None
        clock.pass_s(1)
        handed = await store.claim("r2", lease_s=LEASE)
        assert handed is not None
        assert handed.claim.token > old.token
        with pytest.raises(Fenced):
            await store.renew(old, lease_s=LEASE)
        with pytest.raises(Fenced):
            await store.finish(old, turn("zombie"), "completed", USAGE)
        run = await store.get_run("r1")
        assert run is not None
        assert run.status == "interrupted"
        assert run.error is not None
        assert await store.finish(handed.claim, turn("r2"), "completed", USAGE) == Released(2, None)

    async def test_a_newcomer_takes_over_when_nobody_waits(self, store: Store, clock: Clock) -> None:
        old = await claimed(store, "r1")
        clock.pass_s(LEASE)
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.claim.token > old.token
        with pytest.raises(Fenced):
            await store.finish(old, turn("zombie"), "completed", USAGE)

    async def test_a_newcomer_does_not_overtake_who_waits(self, store: Store, clock: Clock) -> None:
        await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        clock.pass_s(LEASE)
        assert await store.begin(new_run("r3"), lease_s=LEASE) == Queued(2)
        assert await store.claim("r3", lease_s=LEASE) is None
        assert await store.claim("r2", lease_s=LEASE) is not None

    async def test_renewing_keeps_the_session(self, store: Store, clock: Clock) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        for _ in range(5):
            clock.pass_s(LEASE - 1)
            assert not await store.renew(claim, lease_s=LEASE)
        assert await store.claim("r2", lease_s=LEASE) is None

    async def test_a_late_holder_that_nobody_replaced_may_still_finish(
        self, store: Store, clock: Clock
    ) -> None:
        claim = await claimed(store, "r1")
        clock.pass_s(10 * LEASE)
        assert not await store.renew(claim, lease_s=LEASE)
        clock.pass_s(10 * LEASE)
        assert await store.finish(claim, turn("r1"), "completed", USAGE) == Released(2, None)

    async def test_a_wish_to_abort_is_heard_at_the_next_renewal(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        assert not await store.renew(claim, lease_s=LEASE)
        assert await store.request_abort("r1")
        assert await store.renew(claim, lease_s=LEASE)
        await store.finish(claim, (), "aborted", Usage())
        assert not await store.request_abort("r1")
        assert not await store.request_abort("unknown")

    # Duplicates

    async def test_another_owner_s_session_is_refused(self, store: Store) -> None:
        await said(store, "r1")
        with pytest.raises(Forbidden) as caught:
            await store.begin(new_run("r2", owner="p"), lease_s=LEASE)
        assert caught.value.code == "session_taken"
        claim = await claimed(store, "r3")
        with pytest.raises(Forbidden):  # not in the queue of a busy one either
            await store.begin(new_run("r2", owner="p"), lease_s=LEASE)
        assert await store.get_run("r2") is None
        assert await store.finish(claim, turn("r3"), "completed", USAGE) == Released(4, None)

    async def test_an_idempotency_key_is_used_once_per_owner(self, store: Store) -> None:
        claim = await claimed(store, "r0", "agent:main:else")
        begun = await store.begin(new_run("r1", key="k"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        repeated = await store.begin(new_run("r2", "agent:main:new", key="k"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert (repeated.run.id, repeated.run.session, repeated.run.status) == ("r1", S, "running")
        assert await store.get_run("r2") is None
        assert await store.get_session("agent:main:new") is None
        await store.finish(begun.claim, turn("r1"), "completed", USAGE)
        repeated = await store.begin(new_run("r3", key="k"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert (repeated.run.status, repeated.run.usage) == ("completed", USAGE)
        other = await store.begin(new_run("r4", "agent:main:p", key="k", owner="p"), lease_s=LEASE)
        assert isinstance(other, Claimed)
        await store.finish(claim, (), "completed", Usage())

    async def test_a_run_id_is_used_once(self, store: Store) -> None:
        await claimed(store, "r1")
        repeated = await store.begin(new_run("r1", "agent:main:new"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert repeated.run.session == S
        with pytest.raises(StoreError) as caught:
            await store.begin(new_run("r1", "agent:main:new", owner="p"), lease_s=LEASE)
        assert caught.value.code == "run_id_taken", "and another owner's run is not shown"
        assert await store.get_session("agent:main:new") is None

    async def test_fifty_repeats_at_once_give_one_run(self, store: Store) -> None:
        begun = await asyncio.gather(
            *(store.begin(new_run(f"r{n}", key="k"), lease_s=LEASE) for n in range(50))
        )
        assert sum(isinstance(one, Claimed) for one in begun) == 1
        assert {one.run.id for one in begun if isinstance(one, Duplicate)} == {"r0"}

    # Withdrawing

    async def test_withdrawing_from_the_middle_and_the_head(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        for n in (1, 2, 3):
            await store.begin(new_run(f"r{n}"), lease_s=LEASE)
        assert await store.withdraw("r2", "aborted", ERROR) == Released(0, None)
        assert await store.finish(claim, turn("r0"), "completed", USAGE) == Released(2, "r1")
        assert await store.withdraw("r1", "failed") == Released(2, "r3"), "the next one is now in front"
        run = await store.get_run("r2")
        assert run is not None
        assert (run.status, run.error) == ("aborted", ERROR)
        assert await store.claim("r3", lease_s=LEASE) is not None

    async def test_withdrawing_the_last_one_leaves_the_session_free(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        await store.begin(new_run("r1"), lease_s=LEASE)
        assert await store.withdraw("r1", "aborted") == Released(0, None)
        assert await store.withdraw("r1", "failed") == Released(0, None), "an ended run stays as it is"
        run = await store.get_run("r1")
        assert run is not None
        assert run.status == "aborted"
        await store.finish(claim, (), "completed", Usage())
        assert isinstance(await store.begin(new_run("r2"), lease_s=LEASE), Claimed)

    async def test_a_running_run_is_not_withdrawn(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        for run_id in ("r1", "unknown"):
            with pytest.raises(StoreError) as caught:
                await store.withdraw(run_id, "aborted")
            assert caught.value.code == "run_not_open"
        assert not await store.renew(claim, lease_s=LEASE)

    # Transcripts

    async def test_a_transcript_is_read_by_pages(self, store: Store) -> None:
        for n in range(5):
            await said(store, f"r{n}")
        seqs = [entry.seq for entry in await store.transcript(S, after=3, limit=4)]
        assert seqs == [4, 5, 6, 7]
        assert await store.transcript(S, after=10) == ()
        assert [entry.seq for entry in await store.transcript(S, after=-5, limit=1)] == [1]
        assert await store.transcript("agent:main:unknown") == ()

    async def test_a_fork_keeps_the_old_branch(self, store: Store) -> None:
        for n in range(3):
            await said(store, f"r{n}")
        await said(store, "else", "agent:main:else")
        fork = await store.fork(S, 4, "agent:main:fork")
        assert (fork.key, fork.parent, fork.last_seq, fork.owner, fork.agent) == (
            "agent:main:fork",
            S,
            4,
            "o",
            "main",
        )
        assert (fork.total_tokens, fork.active_run) == (0, None)
        assert await store.transcript("agent:main:fork") == (await store.transcript(S))[:4]
        assert await said(store, "f", "agent:main:fork") == Released(6, None)
        assert len(await store.transcript(S)) == 6
        assert await said(store, "r3") == Released(8, None)

    async def test_a_fork_takes_the_summaries_it_covers(self, store: Store) -> None:
        for n in range(3):
            await said(store, f"r{n}")
        await store.summarise(S, 2, "two")
        await store.summarise(S, 6, "six")
        await store.fork(S, 4, "agent:main:four")
        begun = await store.begin(new_run("f", "agent:main:four"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript.summary == Summary(2, "two")
        assert [entry.seq for entry in begun.transcript.entries] == [3, 4]
        empty = await store.fork(S, 0, "agent:main:none")
        assert empty.last_seq == 0
        whole = await store.fork(S, 99, "agent:main:whole")
        assert whole.last_seq == 6

    async def test_what_cannot_be_forked(self, store: Store) -> None:
        await said(store, "r1")
        for session, into, code in ((S, S, "session_exists"), ("agent:main:no", "x", "session_not_found")):
            with pytest.raises(StoreError) as caught:
                await store.fork(session, 1, into)
            assert caught.value.code == code

    async def test_a_summary_stands_for_what_it_covers(self, store: Store) -> None:
        for n in range(3):
            await said(store, f"r{n}")
        assert await store.summarise(S, 4, "They met.") == Summary(4, "They met.")
        begun = await store.begin(new_run("r3"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript.summary == Summary(4, "They met.")
        assert [entry.seq for entry in begun.transcript.entries] == [5, 6]
        assert len(await store.transcript(S)) == 6, "nothing is rewritten"
        await store.summarise(S, 6, "")
        await store.finish(begun.claim, turn("r3"), "completed", USAGE)
        begun = await store.begin(new_run("r4"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript.summary == Summary(6, "")
        assert [entry.seq for entry in begun.transcript.entries] == [7, 8]

    async def test_an_outdated_summary_is_refused(self, store: Store) -> None:
        for n in range(2):
            await said(store, f"r{n}")
        await store.summarise(S, 3, "three")
        assert await store.summarise(S, 3, "three") == Summary(3, "three"), "a repeat gets the first answer"
        for covers in (0, 2, 3, 5):
            with pytest.raises(StoreError) as caught:
                await store.summarise(S, covers, "other")
            assert caught.value.code == "summary_outdated"
        with pytest.raises(StoreError) as caught:
            await store.summarise("agent:main:unknown", 1, "x")
        assert caught.value.code == "session_not_found"

    # Sessions and runs

    async def test_sessions_are_listed_newest_first(self, store: Store, clock: Clock) -> None:
        for name, owner in (("a", "o"), ("b", "p"), ("c", "o")):
            key = f"agent:{name}:main"
            begun = await store.begin(NewRun(name, owner, key, name), lease_s=LEASE)
            assert isinstance(begun, Claimed)
            clock.pass_s(1)
            await store.finish(begun.claim, turn(name), "completed", USAGE)
        assert [s.key for s in await store.list_sessions()] == [f"agent:{n}:main" for n in "cba"]
        assert [s.agent for s in await store.list_sessions(owner="o")] == ["c", "a"]
        assert [s.agent for s in await store.list_sessions(owner="o", agent="a")] == ["a"]
        assert [s.agent for s in await store.list_sessions(limit=1, offset=1)] == ["b"]
        assert await store.list_sessions(owner="nobody") == ()
        assert await store.count_sessions() == 3
        assert await store.count_sessions(owner="o") == 2
        assert await store.count_sessions(owner="o", agent="b") == 0

    async def test_a_session_can_be_labelled(self, store: Store) -> None:
        assert await store.patch_session(S, label="x") is None
        await said(store, "r1")
        patched = await store.patch_session(S, label="Ships")
        assert patched is not None
        assert patched.label == "Ships"
        assert await store.get_session(S) == patched
        patched = await store.patch_session(S, label=None)
        assert patched is not None
        assert patched.label is None

    async def test_a_session_is_deleted_with_all_it_has(self, store: Store) -> None:
        assert not await store.delete_session(S)
        first = await said(store, "r1")
        await said(store, "else", "agent:main:else")
        await store.summarise(S, first.last_seq, "x")
        claim = await claimed(store, "r2")
        with pytest.raises(SessionBusy):
            await store.delete_session(S)
        await store.finish(claim, turn("r2"), "completed", USAGE)
        assert await store.delete_session(S)
        assert await store.get_session(S) is None
        assert await store.transcript(S) == ()
        assert await store.get_run("r1") is None
        assert len(await store.transcript("agent:main:else")) == 2
        with pytest.raises(Fenced):
            await store.finish(claim, turn("r2"), "completed", USAGE)
        begun = await store.begin(new_run("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript.entries == ()
        assert begun.claim.token > claim.token, "tokens grow over a deletion"

    async def test_a_session_somebody_waits_for_is_not_deleted(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        await store.finish(claim, (), "completed", Usage())
        with pytest.raises(SessionBusy):
            await store.delete_session(S)

    async def test_runs_are_listed_newest_first(self, store: Store, clock: Clock) -> None:
        await said(store, "r1")
        created_ms = clock.now_ms
        claim = await claimed(store, "r2")
        await store.begin(new_run("r3"), lease_s=LEASE)
        await said(store, "else", "agent:main:else")
        assert [run.id for run in await store.list_runs()] == ["else", "r3", "r2", "r1"]
        assert [run.id for run in await store.list_runs(session=S)] == ["r3", "r2", "r1"]
        assert [run.id for run in await store.list_runs(session=S, limit=1)] == ["r3"]
        assert [run.id for run in await store.list_runs(status="queued")] == ["r3"]
        assert [run.id for run in await store.list_runs(session=S, status="completed")] == ["r1"]
        assert await store.list_runs(session="agent:main:unknown") == ()
        run = await store.get_run("r2")
        assert run is not None
        assert (run.status, run.created_ms, run.ended_ms, run.usage, run.error) == (
            "running",
            created_ms,
            None,
            None,
            None,
        )
        assert await store.get_run("unknown") is None
        await store.finish(claim, (), "completed", Usage())

    # Processes come and go

    async def test_what_was_answered_is_there_after_a_restart(
        self, new_store: NewStore, clock: Clock
    ) -> None:
        store = new_store(clock)
        await store.open()
        await said(store, "r1")
        await store.close()
        store = new_store(clock)
        await store.open()
        assert len(await store.transcript(S)) == 2
        assert await said(store, "r2") == Released(4, None)
        await store.close()

    async def test_what_was_left_open_is_interrupted_at_start(
        self, new_store: NewStore, clock: Clock
    ) -> None:
        store = new_store(clock)
        await store.open()
        await said(store, "r1")
        claim = await claimed(store, "r2")
        await store.begin(new_run("r3"), lease_s=LEASE)
        await store.close()
        store = new_store(clock)
        await store.open()
        for run_id in ("r2", "r3"):
            run = await store.get_run(run_id)
            assert run is not None
            assert (run.status, run.ended_ms) == ("interrupted", clock.now_ms)
            assert run.error is not None
            assert run.error.code == "run_interrupted"
        with pytest.raises(Fenced):
            await store.finish(claim, turn("zombie"), "completed", USAGE)
        begun = await store.begin(new_run("r4"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.claim.token > claim.token
        assert len(begun.transcript.entries) == 2
        await store.close()

    async def test_a_closed_store_refuses(self, new_store: NewStore, clock: Clock) -> None:
        store = new_store(clock)
        with pytest.raises(StoreError):
            await store.get_session(S)
        await store.open()
        await store.close()
        await store.close()
        with pytest.raises(StoreError):
            await store.begin(new_run("r1"), lease_s=LEASE)
        assert not (await store.health()).ok

    async def test_closing_finishes_what_was_asked(self, new_store: NewStore, clock: Clock) -> None:
        store = new_store(clock)
        await store.open()
        begun = [asyncio.create_task(store.begin(new_run(f"r{n}"), lease_s=LEASE)) for n in range(20)]
        await asyncio.sleep(0)
        await store.close()
        assert isinstance((await asyncio.gather(*begun))[0], Claimed)

    async def test_a_cancelled_caller_does_not_undo_the_work(self, store: Store) -> None:
        task = asyncio.create_task(store.begin(new_run("r1"), lease_s=LEASE))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.begin(new_run("r2"), lease_s=LEASE) == Queued(1)
        run = await store.get_run("r1")
        assert run is not None
        assert run.status == "running"

    async def test_health(self, store: Store) -> None:
        health = await store.health()
        assert health.ok
        assert health.schema_version >= 1

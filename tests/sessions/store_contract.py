"""What every Store must do. A second implementation is held to it by one subclass with a `new_store` fixture.

Calling `new_store` again gives a second process on the same data.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest
from msgspec.structs import replace

from openclaw_gateway.errors import Fenced, SessionBusy, StoreError
from openclaw_gateway.sessions.searched import SearchWanted
from openclaw_gateway.sessions.searching import words_of
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Duplicate,
    Ending,
    Entry,
    NewRun,
    Queued,
    Released,
    Store,
    Summary,
    Taken,
    Transcript,
)
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import (
    Image,
    Message,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import Idempotency, RunStatus, Usage

ME = "o"
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


def new_run(
    run_id: str,
    session: str | None = S,
    *,
    owner: str = ME,
    key: str | None = None,
    digest: bytes = b"d",
    user: str | None = None,
) -> NewRun:
    named = None if key is None else Idempotency(key, digest)
    return NewRun(run_id, owner, session, "main", user, idempotency=named)


def ending(
    turn: tuple[Message, ...] = (),
    status: RunStatus = "completed",
    usage: Usage = USAGE,
    error: ErrorInfo | None = None,
    result: bytes | None = None,
) -> Ending:
    return Ending(status, usage, turn, error, result)


def turn(text: str) -> tuple[Message, ...]:
    return (UserMessage(f"{text}?"), assistant(f"{text}!"))


async def claimed(store: Store, run_id: str, session: str = S, *, owner: str = ME) -> Claim:
    begun = await store.begin(new_run(run_id, session, owner=owner), lease_s=LEASE)
    assert isinstance(begun, Claimed)
    return begun.claim


async def continued(store: Store, begun: Claimed | None) -> Transcript:
    """What the run continues, whichever way it comes."""
    assert begun is not None
    read = await store.read(begun.claim)
    assert begun.transcript is None or begun.transcript == read
    covered = read.summary.covers_to_seq if read.summary else 0
    assert (begun.after_seq, begun.last_seq) == (covered, covered + len(read.entries))
    return read


async def said(store: Store, run_id: str, session: str = S, *, owner: str = ME) -> Released:
    claim = await claimed(store, run_id, session, owner=owner)
    return await store.finish(claim, ending(turn(run_id), "completed", USAGE))


class WithStore:
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


class StoreContract(WithStore):
    # One run after another

    async def test_a_new_session_is_free_and_empty(self, store: Store) -> None:
        begun = await store.begin(new_run("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert (begun.claim.run_id, begun.claim.session, begun.claim.lease_s) == ("r1", S, LEASE)
        assert begun.transcript == Transcript(), "an empty one needs no second call"
        assert begun.previous_ms is None
        record = await store.get_session(ME, S)
        assert record is not None
        assert (record.active_run, record.owner, record.agent, record.last_seq) == ("r1", "o", "main", 0)

    async def test_the_next_run_continues_the_conversation(self, store: Store, clock: Clock) -> None:
        assert await said(store, "r1") == Released(2, None)
        changed_ms = clock.now_ms
        clock.pass_s(60)
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.entries == (
            Entry(1, "r1", UserMessage("r1?")),
            Entry(2, "r1", assistant("r1!")),
        )
        assert begun.previous_ms == changed_ms
        assert await store.transcript(ME, S) == read.entries

    async def test_every_kind_of_message_comes_back_as_it_was(self, store: Store) -> None:
        everything: tuple[Message, ...] = (
            UserMessage("hi \u2028 \x00 \U0001f600", name="ada"),
            assistant("", calls=(ToolCall("1", "look", '{"a": 1}'),), reasoning="hm"),
            ToolMessage("1", "seen", name="look"),
            assistant("part", aborted=True),
        )
        claim = await claimed(store, "r1")
        await store.finish(claim, ending(everything, "completed", USAGE))
        assert tuple(entry.message for entry in await store.transcript(ME, S)) == everything

    async def test_an_image_comes_back_whole_however_large(self, store: Store) -> None:
        images = (Image("image/png", "iVBORw0KGgo="), Image("image/jpeg", "/9j/4AAQ" + "A" * 300_000))
        claim = await claimed(store, "r1")
        await store.finish(claim, ending((UserMessage("look", images=images), assistant("nice"))))
        entry, _ = await store.transcript(ME, S)
        assert isinstance(entry.message, UserMessage)
        assert [image.media_type for image in entry.message.images] == ["image/png", "image/jpeg"]
        assert tuple([await store.whole(image) for image in entry.message.images]) == images
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        again = (await continued(store, begun)).entries[0].message
        assert again == entry.message
        await store.finish(begun.claim, ending((again,)))
        assert (await store.transcript(ME, S, after=2))[0].message == entry.message, "a reference stays one"

    async def test_a_run_that_left_nothing_is_recorded_all_the_same(self, store: Store, clock: Clock) -> None:
        await said(store, "r1")
        changed_ms = clock.now_ms
        clock.pass_s(5)
        claim = await claimed(store, "r2")
        assert await store.finish(claim, ending((), "failed", Usage(), ERROR)) == Released(2, None)
        run = await store.get_run(ME, "r2")
        assert run is not None
        assert (run.status, run.error, run.ended_ms, run.usage) == ("failed", ERROR, clock.now_ms, Usage())
        begun = await store.begin(new_run("r3"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.previous_ms == changed_ms, "nothing was said, so nothing changed"

    async def test_tokens_are_added_up(self, store: Store) -> None:
        await said(store, "r1")
        await said(store, "r2")
        record = await store.get_session(ME, S)
        assert record is not None
        assert (record.prompt_tokens, record.completion_tokens, record.total_tokens) == (20, 10, 30)
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert (run.status, run.usage, run.session) == ("completed", USAGE, S)

    async def test_a_run_cannot_end_as_open(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        with pytest.raises(ValueError, match="running"):
            await store.finish(claim, ending((), "running", Usage()))
        assert await store.finish(claim, ending((), "aborted", Usage())) == Released(0, None)

    # Order and fencing

    @pytest.mark.promise("once-and-in-order", "one-run-per-session")
    async def test_one_at_a_time_in_order_of_arrival(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        waiting = [await store.begin(new_run(f"r{n}"), lease_s=LEASE) for n in (1, 2, 3)]
        assert waiting == [Queued(1), Queued(2), Queued(3)]
        assert await store.claim("r1", lease_s=LEASE) is None
        tokens = [claim.token]
        for n in (1, 2, 3):
            released = await store.finish(claim, ending(turn(f"t{n - 1}"), "completed", USAGE))
            assert released.next_run == f"r{n}"
            for later in range(n + 1, 4):
                assert await store.claim(f"r{later}", lease_s=LEASE) is None
            handed = await store.claim(f"r{n}", lease_s=LEASE)
            assert handed is not None
            read = await continued(store, handed)
            assert [entry.seq for entry in read.entries] == list(range(1, 2 * n + 1))
            claim = handed.claim
            tokens.append(claim.token)
        assert tokens == sorted(set(tokens))
        assert await store.finish(claim, ending((), "completed", Usage())) == Released(6, None)

    async def test_who_comes_between_release_and_claim_waits_behind(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        await store.begin(new_run("r1"), lease_s=LEASE)
        await store.finish(claim, ending((), "completed", Usage()))
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
            released = await store.finish(claim, ending(turn(f"r{n}"), "completed", USAGE))
            if released.next_run is None:
                break
            handed = await store.claim(released.next_run, lease_s=LEASE)
            assert handed is not None
            claim = handed.claim
        entries = await store.transcript(ME, S, limit=1000)
        assert [entry.seq for entry in entries] == list(range(1, 101))
        assert [entry.run_id for entry in entries] == [f"r{n // 2}" for n in range(100)]

    @pytest.mark.promise("error.run_not_open")
    async def test_only_a_waiting_run_can_claim(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        for run_id in ("r1", "unknown"):
            with pytest.raises(StoreError) as caught:
                await store.claim(run_id, lease_s=LEASE)
            assert caught.value.code == "run_not_open"
        await store.finish(claim, ending((), "completed", Usage()))
        with pytest.raises(StoreError):
            await store.claim("r1", lease_s=LEASE)

    async def test_a_full_queue_refuses(self, store: Store) -> None:
        await claimed(store, "r")
        for n in range(MAX_QUEUED):
            assert await store.begin(new_run(f"w{n}"), lease_s=LEASE) == Queued(n + 1)
        with pytest.raises(SessionBusy) as caught:
            await store.begin(new_run("late"), lease_s=LEASE)
        assert caught.value.code == "session_busy"
        assert await store.get_run(ME, "late") is None
        again = await store.begin(new_run("w0"), lease_s=LEASE)
        assert isinstance(again, Duplicate), "a repeat is no newcomer"
        await store.withdraw("w5", "aborted")
        assert await store.begin(new_run("late"), lease_s=LEASE) == Queued(MAX_QUEUED)

    async def test_a_stranger_can_neither_read_nor_write(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await claimed(store, "r2", owner="p")
        for wrong in (
            Claim("r1", ME, S, claim.token + 2, LEASE),
            Claim("r1", ME, S, claim.token - 1, LEASE),
            Claim("r0", ME, S, claim.token, LEASE),
            Claim("r1", ME, "agent:main:other", claim.token, LEASE),
            Claim("r1", "p", S, claim.token, LEASE),
        ):
            with pytest.raises(Fenced):
                await store.finish(wrong, ending(turn("x"), "completed", USAGE))
            with pytest.raises(Fenced):
                await store.renew(wrong, lease_s=LEASE)
            with pytest.raises(Fenced):
                await store.read(wrong)
        assert await store.transcript(ME, S) == ()
        assert await store.finish(claim, ending(turn("r1"), "completed", USAGE)) == Released(2, None)

    async def test_a_long_conversation_is_read_whole(self, store: Store) -> None:
        """Longer than any store would read while it hands out the claim."""
        claim = await claimed(store, "r1")
        long = tuple(UserMessage(f"{n} " + "x" * 20_000) for n in range(400))
        await store.finish(claim, ending(long))
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert (begun.transcript, begun.after_seq, begun.last_seq) == (None, 0, 400)
        read = await store.read(begun.claim)
        assert [entry.seq for entry in read.entries] == list(range(1, 401))
        assert tuple(entry.message for entry in read.entries) == long
        await store.summarise(ME, S, 399, "Much was said.")
        assert await store.read(begun.claim) == Transcript(read.entries[399:], Summary(399, "Much was said."))
        await store.finish(begun.claim, ending())
        with pytest.raises(Fenced):
            await store.read(begun.claim)

    async def test_who_lost_the_session_cannot_read_it(self, store: Store, clock: Clock) -> None:
        old = await claimed(store, "r1")
        clock.pass_s(LEASE)
        assert await store.read(old) == Transcript(), "nobody has taken it over yet"
        await claimed(store, "r2")
        with pytest.raises(Fenced):
            await store.read(old)

    async def test_a_repeated_finish_gets_the_first_answer(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        first = await store.finish(claim, ending(turn("r1"), "completed", USAGE))
        assert first == Released(2, "r2")
        assert await store.finish(claim, ending(turn("r1"), "completed", USAGE)) == first
        handed = await store.claim("r2", lease_s=LEASE)
        assert handed is not None
        await store.finish(handed.claim, ending(turn("r2"), "completed", USAGE))
        assert await store.finish(claim, ending(turn("other"), "failed", USAGE)) == first
        assert len(await store.transcript(ME, S)) == 4
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert run.status == "completed"
        with pytest.raises(Fenced):
            await store.renew(claim, lease_s=LEASE)

    # Leases

    @pytest.mark.promise("error.fenced")
    async def test_a_run_ends_those_whose_messages_it_has_taken_up(
        self, store: Store, new_store: NewStore, clock: Clock
    ) -> None:
        """One act: the turn says whose message is whose, and who waits behind them is next."""
        claim = await claimed(store, "r1")
        for name, key in (("waits", None), ("taken", "k"), ("left out", None)):
            await store.begin(new_run(name, key=key), lease_s=LEASE)
        heard = (UserMessage("r1?"), assistant("wait"), UserMessage("taken?"), assistant("r1!"))
        taken = (Taken("taken", 2, b"kept"), Taken("left out", None), Taken("never", None))
        end = replace(ending(heard, result=b"own"), taken=taken)
        released = await store.finish(claim, end)
        assert released == Released(4, "waits")
        assert await store.finish(claim, end) == released, "a repeat gets the first answer"
        entries = await store.transcript(ME, S)
        assert [entry.run_id for entry in entries] == ["r1"] * 4
        assert [entry.taken_from for entry in entries] == ["", "", "taken", ""]
        for name, kept in (("taken", b"kept"), ("left out", None)):
            record = await store.get_run(ME, name)
            assert record is not None
            assert (record.status, record.answered_by, record.usage) == ("completed", "r1", Usage())
            assert record.ended_ms == clock()
            assert await store.result(ME, name) == kept
        repeat = await store.begin(new_run("r9", key="k"), lease_s=LEASE)
        assert isinstance(repeat, Duplicate)
        assert repeat.run.answered_by == "r1"
        own = await store.get_run(ME, "r1")
        assert own is not None
        assert (own.answered_by, own.usage) == (None, USAGE)
        assert await store.open_runs(ME, S) == ("waits",)
        for name in ("taken", "left out"):
            with pytest.raises(StoreError, match="waiting"):
                await store.claim(name, lease_s=LEASE)
            assert await store.withdraw(name, "failed") == Released(4, "waits"), "it has ended"
        assert (await continued(store, await store.claim("waits", lease_s=LEASE))).entries == entries

    async def test_what_is_taken_up_by_a_run_that_leaves_nothing_ends_as_it_does(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("taken"), lease_s=LEASE)
        end = replace(ending((), "failed", error=ERROR), taken=(Taken("taken", None),))
        assert await store.finish(claim, end) == Released(0, None)
        record = await store.get_run(ME, "taken")
        assert record is not None
        assert (record.status, record.error, record.answered_by) == ("failed", ERROR, "r1")
        assert await store.open_runs(ME, S) == ()
        assert isinstance(await store.begin(new_run("r2"), lease_s=LEASE), Claimed)

    async def test_nothing_is_taken_up_by_who_lost_the_session_nor_twice(
        self, store: Store, clock: Clock
    ) -> None:
        old = await claimed(store, "r1")
        await store.begin(new_run("taken"), lease_s=LEASE)
        clock.pass_s(LEASE + 1)
        handed = await store.claim("taken", lease_s=LEASE)
        assert handed is not None
        end = replace(ending(turn("r1")), taken=(Taken("taken", 0),))
        with pytest.raises(Fenced):
            await store.finish(old, end)
        assert await store.transcript(ME, S) == ()
        await store.begin(new_run("r3"), lease_s=LEASE)
        # Of another session, and one that has it: neither is ended by this one.
        other = await claimed(store, "r4", "agent:main:other")
        await store.finish(other, replace(ending(turn("r4")), taken=(Taken("r3", 0), Taken("taken", 0))))
        assert await store.open_runs(ME, S) == ("taken", "r3")
        assert await store.finish(handed.claim, ending(turn("taken"))) == Released(2, "r3")

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
            await store.finish(old, ending(turn("zombie"), "completed", USAGE))
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert run.status == "interrupted"
        assert run.error is not None
        assert await store.finish(handed.claim, ending(turn("r2"), "completed", USAGE)) == Released(2, None)

    async def test_a_newcomer_takes_over_when_nobody_waits(self, store: Store, clock: Clock) -> None:
        old = await claimed(store, "r1")
        clock.pass_s(LEASE)
        begun = await store.begin(new_run("r2"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.claim.token > old.token
        with pytest.raises(Fenced):
            await store.finish(old, ending(turn("zombie"), "completed", USAGE))

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
        assert await store.finish(claim, ending(turn("r1"), "completed", USAGE)) == Released(2, None)

    async def test_the_open_runs_of_a_session_are_known_in_order(self, store: Store) -> None:
        assert await store.open_runs(ME, S) == ()
        claim = await claimed(store, "r2")
        for name in ("r1", "r3"):
            await store.begin(new_run(name), lease_s=LEASE)
        await store.begin(new_run("other", session="agent:main:other"), lease_s=LEASE)
        assert await store.open_runs(ME, S) == ("r2", "r1", "r3")
        assert await store.open_runs("you", S) == ()
        await store.withdraw("r1", "aborted")
        await store.finish(claim, ending((), "aborted", Usage()))
        assert await store.open_runs(ME, S) == ("r3",)

    async def test_a_wish_to_abort_is_heard_at_the_next_renewal(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        assert not await store.renew(claim, lease_s=LEASE)
        assert await store.request_abort(ME, "r1")
        assert await store.renew(claim, lease_s=LEASE) == "abort"
        await store.finish(claim, ending((), "aborted", Usage()))
        assert not await store.request_abort(ME, "r1")
        assert not await store.request_abort(ME, "unknown")

    # Repeats

    @pytest.mark.promise("error.run_id_taken")
    async def test_a_run_id_is_used_once(self, store: Store) -> None:
        await claimed(store, "r1")
        repeated = await store.begin(new_run("r1", "agent:main:new"), lease_s=LEASE)
        assert isinstance(repeated, Duplicate)
        assert repeated.run.session == S
        with pytest.raises(StoreError) as caught:
            await store.begin(new_run("r1", "agent:main:new", owner="p"), lease_s=LEASE)
        assert caught.value.code == "run_id_taken", "and another owner's run is not shown"
        assert await store.get_session(ME, "agent:main:new") is None

    # Withdrawing

    async def test_withdrawing_from_the_middle_and_the_head(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        for n in (1, 2, 3):
            await store.begin(new_run(f"r{n}"), lease_s=LEASE)
        assert await store.withdraw("r2", "aborted", ERROR) == Released(0, None)
        assert await store.finish(claim, ending(turn("r0"), "completed", USAGE)) == Released(2, "r1")
        assert await store.withdraw("r1", "failed") == Released(2, "r3"), "the next one is now in front"
        run = await store.get_run(ME, "r2")
        assert run is not None
        assert (run.status, run.error) == ("aborted", ERROR)
        assert await store.claim("r3", lease_s=LEASE) is not None

    async def test_withdrawing_the_last_one_leaves_the_session_free(self, store: Store) -> None:
        claim = await claimed(store, "r0")
        await store.begin(new_run("r1"), lease_s=LEASE)
        assert await store.withdraw("r1", "aborted") == Released(0, None)
        assert await store.withdraw("r1", "failed") == Released(0, None), "an ended run stays as it is"
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert run.status == "aborted"
        await store.finish(claim, ending((), "completed", Usage()))
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
        seqs = [entry.seq for entry in await store.transcript(ME, S, after=3, limit=4)]
        assert seqs == [4, 5, 6, 7]
        assert await store.transcript(ME, S, after=10) == ()
        assert [entry.seq for entry in await store.transcript(ME, S, after=-5, limit=1)] == [1]
        assert await store.transcript(ME, "agent:main:unknown") == ()

    async def test_a_summary_stands_for_what_it_covers(self, store: Store) -> None:
        for n in range(3):
            await said(store, f"r{n}")
        assert await store.summarise(ME, S, 4, "They met.") == Summary(4, "They met.")
        begun = await store.begin(new_run("r3"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == Summary(4, "They met.")
        assert [entry.seq for entry in read.entries] == [5, 6]
        assert len(await store.transcript(ME, S)) == 6, "nothing is rewritten"
        await store.summarise(ME, S, 6, "")
        await store.finish(begun.claim, ending(turn("r3"), "completed", USAGE))
        begun = await store.begin(new_run("r4"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == Summary(6, "")
        assert [entry.seq for entry in read.entries] == [7, 8]

    @pytest.mark.promise("error.summary_outdated", "error.session_not_found")
    @pytest.mark.promise("branches-listed")
    async def test_a_branch_that_is_left_is_whole_and_a_session_of_its_own(self, store: Store) -> None:
        for n in range(3):
            await said(store, f"r{n}")
        await store.summarise(ME, S, 4, "They met.")
        claim = await claimed(store, "r3")
        left = Ending("completed", USAGE, turn("r3"), keeps=2)
        assert await store.finish(claim, left) == Released(4, None)
        assert await store.finish(claim, left) == Released(4, None), "a repeat leaves no second one"
        branch, now = sorted(await store.list_sessions(ME), key=lambda session: session.key, reverse=True)
        assert (now.key, now.last_seq, now.parent) == (S, 4, None)
        assert branch.key.startswith(f"{S}~fork:")
        assert await store.list_sessions(ME, limit=1, branches=False) == (now,)
        assert await store.list_sessions(ME, offset=1, branches=False) == ()
        assert (branch.last_seq, branch.parent, branch.label) == (6, S, "earlier branch")
        said_now = [entry.message.content for entry in await store.transcript(ME, S)]
        assert said_now == ["r0?", "r0!", "r3?", "r3!"]
        said_then = [entry.message.content for entry in await store.transcript(ME, branch.key)]
        assert said_then == ["r0?", "r0!", "r1?", "r1!", "r2?", "r2!"]
        begun = await store.begin(new_run("r4"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary is None, "it told of what is no more"
        assert [entry.seq for entry in read.entries] == [1, 2, 3, 4]
        begun = await store.begin(new_run("r5", branch.key), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert (await continued(store, begun)).summary == Summary(4, "They met.")
        await store.finish(begun.claim, ending(turn("r5")))
        assert await store.delete_session(ME, branch.key)
        assert len(await store.transcript(ME, S)) == 4

    async def test_a_branch_whose_name_is_taken_gets_another(self, store: Store) -> None:
        await said(store, "r0")
        claim = await claimed(store, "r1")
        taken = f"{S}~fork:{claim.token}"
        other = await store.begin(new_run("r2", taken), lease_s=LEASE)
        assert isinstance(other, Claimed)
        await store.finish(claim, Ending("completed", USAGE, turn("r1"), keeps=0))
        keys = {session.key for session in await store.list_sessions(ME)}
        assert {S, taken} < keys
        (branch,) = keys - {S, taken}
        assert [entry.message.content for entry in await store.transcript(ME, branch)] == ["r0?", "r0!"]

    async def test_a_reset_outlives_the_branch_that_was_left(self, store: Store) -> None:
        await said(store, "r0")
        await said(store, "r1")
        await store.summarise(ME, S, 4, "")
        claim = await claimed(store, "r2")
        await store.finish(claim, Ending("completed", USAGE, turn("r2"), keeps=2, alone=True))
        begun = await store.begin(new_run("r3"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == Summary(2, "")
        assert [(entry.seq, entry.alone) for entry in read.entries] == [(3, True), (4, True)]

    @pytest.mark.parametrize(
        ("keeps", "summary"),
        [
            (9, Summary(8, "They met again.")),
            (8, Summary(8, "They met again.")),
            (7, Summary(4, "")),
            (3, Summary(3, "")),
        ],
    )
    async def test_a_reset_before_a_summary_outlives_the_branch_too(
        self, store: Store, keeps: int, summary: Summary
    ) -> None:
        for n in range(5):
            await said(store, f"r{n}")
        await store.summarise(ME, S, 2, "They met.")
        await store.summarise(ME, S, 4, "")
        await store.summarise(ME, S, 8, "They met again.")
        assert await store.summary_until(ME, S, keeps) == summary
        assert await store.summary_until(ME, S, 0) is None
        assert await store.summary_until("another", S, keeps) is None
        claim = await claimed(store, "r5")
        await store.finish(claim, Ending("completed", USAGE, turn("r5"), keeps=keeps))
        begun = await store.begin(new_run("r6"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == summary
        assert [entry.seq for entry in read.entries] == [*range(summary.covers_to_seq + 1, keeps + 3)]

    async def test_a_fork_is_whole_and_leaves_the_other_as_it_was(self, store: Store, clock: Clock) -> None:
        image = Image("image/jpeg", "/9j/4AAQ" + "A" * 300_000)
        await said(store, "r0")
        claim = await claimed(store, "r1")
        await store.finish(claim, ending((UserMessage("look", images=(image,)), assistant("nice"))))
        await store.rename(ME, S, "Oslo")
        await store.summarise(ME, S, 2, "They met.")
        before = await store.get_session(ME, S)
        clock.pass_s(5)
        assert await store.fork(ME, S, 4, "agent:main:whole")
        assert await store.fork(ME, S, 2, "agent:main:part")
        assert await store.fork(ME, S, 0, "agent:main:empty")
        assert await store.get_session(ME, S) == before
        for name, size in (("whole", 4), ("part", 2), ("empty", 0)):
            record = await store.get_session(ME, f"agent:main:{name}")
            assert record is not None
            assert (record.parent, record.label, record.last_seq) == (S, "Oslo", size)
            assert (record.updated_ms, record.active_run, record.total_tokens) == (clock.now_ms, None, 0)
        assert await store.delete_session(ME, S)
        whole = await store.transcript(ME, "agent:main:whole")
        assert [(entry.run_id, entry.message.content) for entry in whole] == [
            ("r0", "r0?"),
            ("r0", "r0!"),
            ("r1", "look"),
            ("r1", "nice"),
        ]
        shown = whole[2].message
        assert isinstance(shown, UserMessage)
        assert await store.whole(shown.images[0]) == image
        begun = await store.begin(new_run("r2", "agent:main:part"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert await continued(store, begun) == Transcript((), Summary(2, "They met."))
        begun = await store.begin(new_run("r3", "agent:main:whole"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert (read.summary, [entry.seq for entry in read.entries]) == (Summary(2, "They met."), [3, 4])

    async def test_what_cannot_be_forked_is_not(self, store: Store) -> None:
        await said(store, "r0")
        await said(store, "r1", owner="p")
        assert not await store.fork(ME, S, 3, "agent:main:more")
        assert not await store.fork(ME, S, -1, "agent:main:less")
        assert not await store.fork(ME, "agent:main:none", 0, "agent:main:new")
        assert await store.fork("p", S, 2, "agent:main:fork")
        assert await store.get_session(ME, "agent:main:fork") is None
        assert not await store.fork(ME, "agent:main:fork", 1, "agent:main:mine")
        with pytest.raises(StoreError):
            await store.fork("p", S, 2, "agent:main:fork")
        assert len(await store.list_sessions(ME)) == 1
        assert await store.count_sessions("p") == 2

    async def test_a_fork_from_before_a_reset_begins_anew_too(self, store: Store) -> None:
        await said(store, "r0")
        await said(store, "r1")
        assert await store.begun_behind(ME, S) == await store.begun_behind(ME, "agent:main:none") == 0
        await store.summarise(ME, S, 2, "")
        await said(store, "r2")
        await store.summarise(ME, S, 5, "They met.")
        assert await store.begun_behind(ME, S) == 2, "a summary of what came behind it changes nothing"
        assert await store.begun_behind("p", S) == 0
        assert await store.fork(ME, S, 1, "agent:main:fork")
        assert await store.begun_behind(ME, "agent:main:fork") == 1

    async def test_what_was_said_is_found_in_every_script(self, store: Store, clock: Clock) -> None:
        asked_ms = clock.now_ms
        for number, text in enumerate(
            ["Straße nach Oslo", "ПРИВЕТ, мир", "今天天气很好", 'say "a\\b" twice: a\\b']
        ):
            clock.pass_s(60)
            claim = await claimed(store, f"r{number}", f"agent:main:s{number}")
            turn = (UserMessage(text), ToolMessage("1", "tool oslo"), assistant(f"Oslo? {text}"))
            clock.pass_s(1)
            await store.finish(claim, ending(turn))
        for query, session, score in (
            ("STRASSE", "s0", 1),
            ("oslo nach", "s0", 2),
            ("привет", "s1", 1),
            ("天气", "s2", 1),
            ('"A\\B"', "s3", 1),
            ("a\\b", "s3", 2),
        ):
            found = await store.search(SearchWanted(ME, words_of(query), 10))
            assert found.is_all
            assert [hit.session for hit in found.hits] == [f"agent:main:{session}"] * 2, query
            assert [hit.role for hit in found.hits] == ["assistant", "user"]
            assert found.hits[1].score == score
        found = await store.search(SearchWanted(ME, words_of("twice"), 10))
        assert [hit.place for hit in found.hits] == ["r3:3", "r3:1"]
        assert [hit.at_ms - asked_ms for hit in found.hits] == [244_000, 243_000]
        assert found.hits[1].snippet == 'say "a\\b" twice: a\\b'
        assert (await store.search(SearchWanted(ME, words_of("oslo мир 天气"), 10))).hits == ()

    async def test_a_search_finds_the_newest_and_says_that_there_is_more(self, store: Store) -> None:
        for number in range(4):
            await said(store, f"r{number}", f"agent:main:s{number % 2}")
        found = await store.search(SearchWanted(ME, ("r",), 3))
        assert (len(found.hits), found.is_all) == (3, False)
        assert found.hits[0].place == "r3:4"
        found = await store.search(SearchWanted(ME, ("r",), 8))
        assert (len(found.hits), found.is_all) == (8, True)
        found = await store.search(SearchWanted(ME, ("r",), 8, sessions=("agent:main:s1", "agent:main:none")))
        assert {hit.session for hit in found.hits} == {"agent:main:s1"}
        assert (await store.search(SearchWanted(ME, ("r",), 8, agent="other"))).hits == ()

    async def test_a_search_finds_nothing_of_others_and_nothing_from_before_a_reset(
        self, store: Store
    ) -> None:
        await said(store, "r0")
        await store.summarise(ME, S, 2, "")
        await said(store, "r1")
        await store.summarise(ME, S, 3, "They met.")
        for owner in ("p", "another"):
            found = await store.search(SearchWanted(owner, ("r",), 9, sessions=(S,)))
            assert (found.hits, found.is_all) == ((), True)
        found = await store.search(SearchWanted(ME, ("r",), 9))
        assert [hit.place for hit in found.hits] == ["r1:4", "r1:3"]
        await store.delete_session(ME, S)
        assert (await store.search(SearchWanted(ME, ("r",), 9, sessions=(S,)))).hits == ()

    async def test_a_summary_of_less_than_the_newest_counts_once_the_session_is_left(
        self, store: Store
    ) -> None:
        for n in range(4):
            await said(store, f"r{n}")
        await store.summarise(ME, S, 7, "All of it.")
        for text in ("Less.", "Said later."):
            await store.summarise(ME, S, 4, text, earlier=True)
        claim = await claimed(store, "r4")
        assert await store.summary_until(ME, S, 8) == Summary(7, "All of it.")
        assert await store.summary_until(ME, S, 6) == Summary(4, "Less.")
        await store.finish(claim, Ending("completed", USAGE, turn("r4"), keeps=6))
        begun = await store.begin(new_run("r5"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        read = await continued(store, begun)
        assert read.summary == Summary(4, "Less.")
        assert [entry.seq for entry in read.entries] == [5, 6, 7, 8]

    async def test_an_outdated_summary_is_refused(self, store: Store) -> None:
        for n in range(2):
            await said(store, f"r{n}")
        await store.summarise(ME, S, 3, "three")
        assert await store.summarise(ME, S, 3, "three") == Summary(3, "three"), (
            "a repeat gets the first answer"
        )
        for covers in (0, 2, 3, 5):
            with pytest.raises(StoreError) as caught:
                await store.summarise(ME, S, covers, "other")
            assert caught.value.code == "summary_outdated"
        with pytest.raises(StoreError) as caught:
            await store.summarise(ME, "agent:main:unknown", 1, "x")
        assert caught.value.code == "session_not_found"

    # Sessions and runs

    @pytest.mark.promise("CVE-2026-100556")
    async def test_a_session_has_the_name_that_it_was_given(self, store: Store, clock: Clock) -> None:
        assert not await store.rename(ME, S, "Trip")
        await said(store, "r1")
        await said(store, "r2", "agent:main:other")
        before = await store.get_session(ME, S)
        assert before is not None
        assert not await store.rename("p", S, "Not yours")
        clock.pass_s(5)
        assert await store.rename(ME, S, "Trip to Oslo")
        now = await store.get_session(ME, S)
        assert now == replace(before, label="Trip to Oslo"), "it is as old as it was"
        assert [each.label for each in await store.list_sessions(ME) if each.key != S] == [None]
        await said(store, "r3")
        assert await store.rename(ME, S, None)
        record = await store.get_session(ME, S)
        assert record is not None
        assert record.label is None

    async def test_a_session_is_deleted_with_all_it_has(self, store: Store) -> None:
        assert not await store.delete_session(ME, S)
        first = await said(store, "r1")
        await said(store, "else", "agent:main:else")
        await store.summarise(ME, S, first.last_seq, "x")
        claim = await claimed(store, "r2")
        with pytest.raises(SessionBusy):
            await store.delete_session(ME, S)
        await store.finish(claim, ending(turn("r2"), "completed", USAGE))
        assert await store.delete_session(ME, S)
        assert await store.get_session(ME, S) is None
        assert await store.transcript(ME, S) == ()
        assert await store.get_run(ME, "r1") is None
        assert len(await store.transcript(ME, "agent:main:else")) == 2
        with pytest.raises(Fenced):
            await store.finish(claim, ending(turn("r2"), "completed", USAGE))
        begun = await store.begin(new_run("r1"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.transcript == Transcript()
        assert begun.claim.token > claim.token, "tokens grow over a deletion"

    async def test_a_session_somebody_waits_for_is_not_deleted(self, store: Store) -> None:
        claim = await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        await store.finish(claim, ending((), "completed", Usage()))
        with pytest.raises(SessionBusy):
            await store.delete_session(ME, S)

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
        assert len(await store.transcript(ME, S)) == 2
        assert await said(store, "r2") == Released(4, None)
        await store.close()

    @pytest.mark.promise("error.run_interrupted")
    async def test_what_a_dead_process_left_open_is_interrupted_at_start(
        self, new_store: NewStore, clock: Clock
    ) -> None:
        dead = new_store(clock)
        await dead.open()
        await said(dead, "r1")
        claim = await claimed(dead, "r2")
        await dead.begin(new_run("r3"), lease_s=LEASE)
        await dead.begin(new_run("r4", None), lease_s=LEASE)
        store = new_store(clock)
        await store.open()
        for run_id in ("r2", "r3", "r4"):
            run = await store.get_run(ME, run_id)
            assert run is not None
            assert (run.status, run.ended_ms) == ("interrupted", clock.now_ms)
            assert run.error is not None
            assert run.error.code == "run_interrupted"
        with pytest.raises(Fenced):
            await store.finish(claim, ending(turn("zombie"), "completed", USAGE))
        with pytest.raises(Fenced):
            await store.read(claim)
        begun = await store.begin(new_run("r5"), lease_s=LEASE)
        assert isinstance(begun, Claimed)
        assert begun.claim.token > claim.token
        assert len((await continued(store, begun)).entries) == 2
        await store.close()
        await dead.close()

    async def test_a_clean_stop_leaves_no_run_open(self, new_store: NewStore, clock: Clock) -> None:
        store = new_store(clock)
        await store.open()
        await claimed(store, "r1")
        await store.begin(new_run("r2"), lease_s=LEASE)
        await store.begin(new_run("r3", None), lease_s=LEASE)
        stopped_ms = clock.now_ms
        await store.close()
        clock.pass_s(60)
        store = new_store(clock)
        await store.open()
        for run_id in ("r1", "r2", "r3"):
            run = await store.get_run(ME, run_id)
            assert run is not None
            assert (run.status, run.ended_ms) == ("interrupted", stopped_ms)
        await store.close()

    async def test_a_closed_store_refuses(self, new_store: NewStore, clock: Clock) -> None:
        store = new_store(clock)
        with pytest.raises(StoreError):
            await store.get_session(ME, S)
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
        with suppress(asyncio.CancelledError):
            await task
        assert await store.begin(new_run("r2"), lease_s=LEASE) == Queued(1)
        run = await store.get_run(ME, "r1")
        assert run is not None
        assert run.status == "running"

    async def test_health(self, store: Store) -> None:
        health = await store.health()
        assert health.ok
        assert health.schema_version >= 1

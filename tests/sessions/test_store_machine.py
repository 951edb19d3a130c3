"""Any sequence of calls gives what a plain model in memory says, over restarts and lost leases too."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from openclaw_gateway.errors import Fenced, GatewayError, SessionBusy
from openclaw_gateway.sessions.retention import Retention
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import (
    Claim,
    Claimed,
    Duplicate,
    Queued,
    Recorded,
    Released,
    Store,
    Taken,
)
from openclaw_gateway.testing.memory_data import MemoryData
from openclaw_gateway.testing.memory_store import MemoryStore
from openclaw_gateway.wire.run import RunStatus
from tests.sessions.store_contract import LEASE, ME, Clock, ending, new_run, turn

T = TypeVar("T")
MAX_QUEUED = 3
SESSIONS = st.sampled_from(["agent:main:a", "agent:main:b"])
TURNS = st.integers(0, 1)
RESULTS = st.sampled_from([None, b"kept"])
ENDINGS: st.SearchStrategy[RunStatus] = st.sampled_from(["completed", "failed", "aborted"])


@dataclass
class ModelRun:
    id: str
    session: str | None
    key: str | None
    status: RunStatus
    token: int = 0
    result: bytes | None = None
    answer: Released | None = None
    abort: bool = False
    answered_by: str | None = None

    @property
    def is_open(self) -> bool:
        return self.status in ("queued", "running")


@dataclass
class ModelSession:
    """`said` is the run id of each entry, in order; `covered` how many a summary stands for."""

    said: list[str] = field(default_factory=list)
    holder: ModelRun | None = None
    lease_until_ms: int = 0
    waiting: list[ModelRun] = field(default_factory=list)
    covered: int = 0
    newest_token: int = 0

    def is_held(self, now_ms: int) -> bool:
        return self.holder is not None and self.lease_until_ms > now_ms

    def next_run(self) -> str | None:
        return self.waiting[0].id if self.waiting else None


class StoreMachine(RuleBasedStateMachine):
    runs = Bundle("runs")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = Clock()
        self.sessions: dict[str, ModelSession] = {}
        self.by_id: dict[str, ModelRun] = {}
        self.number = 0
        self.store = self.opened()

    def new_store(self) -> Store:
        """A process on the same data."""
        raise NotImplementedError

    def opened(self) -> Store:
        store = self.new_store()
        self.call(store.open())
        return store

    def call(self, coroutine: Coroutine[object, object, T]) -> T:
        return self.loop.run_until_complete(coroutine)

    def refusal(self, coroutine: Coroutine[object, object, object]) -> GatewayError:
        try:
            answer = self.call(coroutine)
        except GatewayError as error:
            return error
        raise AssertionError(f"answered {answer}")

    def teardown(self) -> None:
        self.call(self.store.close())
        self.loop.close()

    def session_of(self, run: ModelRun) -> ModelSession:
        assert run.session is not None
        return self.sessions[run.session]

    def hand_over(self, run: ModelRun, claimed: Claimed) -> None:
        session = self.session_of(run)
        if session.holder is not None:
            session.holder.status = "interrupted"
        assert claimed.claim.run_id == run.id
        assert claimed.claim.token > session.newest_token
        session.newest_token = claimed.claim.token
        assert (claimed.after_seq, claimed.last_seq) == (session.covered, len(session.said))
        read = self.call(self.store.read(claimed.claim))
        assert claimed.transcript is None or claimed.transcript == read
        assert [e.run_id for e in read.entries] == session.said[session.covered :]
        summary = read.summary
        assert (summary.covers_to_seq if summary else 0) == session.covered
        run.token = claimed.claim.token
        run.status = "running"
        session.holder = run
        session.lease_until_ms = self.clock() + int(LEASE * 1000)

    @rule(target=runs, session=st.none() | SESSIONS, key=st.sampled_from([None, "k1", "k2"]))
    def begin(self, session: str | None, key: str | None) -> str:
        self.number += 1
        return self.begin_run(f"r{self.number}", session, key)

    @rule(run_id=runs, session=SESSIONS)
    def begin_again(self, run_id: str, session: str) -> None:
        self.begin_run(run_id, session, None)

    def newest_of(self, key: str | None) -> ModelRun | None:
        return next((run for run in reversed(self.by_id.values()) if key and run.key == key), None)

    def begin_run(self, run_id: str, session_key: str | None, key: str | None) -> str:
        begin = self.store.begin(new_run(run_id, session_key, key=key), lease_s=LEASE)
        earlier = self.newest_of(key)
        if earlier is not None and not (earlier.is_open or earlier.result):
            earlier = None
        earlier = earlier or self.by_id.get(run_id)
        if earlier is not None:
            answer = self.call(begin)
            assert isinstance(answer, Duplicate)
            assert (answer.run.id, answer.run.status) == (earlier.id, earlier.status)
            return earlier.id
        if session_key is None:
            assert self.call(begin) == Recorded()
            self.by_id[run_id] = ModelRun(run_id, None, key, "running")
            return run_id
        session = self.sessions.get(session_key) or ModelSession()
        run = ModelRun(run_id, session_key, key, "queued")
        if not session.waiting and not session.is_held(self.clock()):
            self.sessions[session_key] = session
            answer = self.call(begin)
            assert isinstance(answer, Claimed)
            self.hand_over(run, answer)
        elif len(session.waiting) >= MAX_QUEUED:
            assert isinstance(self.refusal(begin), SessionBusy)
            return run_id
        else:
            answer = self.call(begin)
            assert answer == Queued(len(session.waiting) + (session.holder is not None))
            session.waiting.append(run)
        self.by_id[run_id] = run
        return run_id

    @rule(run_id=runs, status=ENDINGS, result=RESULTS)
    def conclude(self, run_id: str, status: RunStatus, result: bytes | None) -> None:
        run = self.by_id.get(run_id)
        conclude = self.store.conclude(run_id, ending((), status, result=result))
        if run is None or run.session is not None:
            assert self.refusal(conclude).code == "run_not_open"
            return
        self.call(conclude)
        if run.is_open:
            run.status, run.result = status, result

    @rule(run_id=runs)
    def claim(self, run_id: str) -> None:
        run = self.by_id.get(run_id)
        claim = self.store.claim(run_id, lease_s=LEASE)
        if run is None or run.status != "queued":
            assert self.refusal(claim).code == "run_not_open"
            return
        session = self.session_of(run)
        answer = self.call(claim)
        if session.is_held(self.clock()) or session.waiting[0] is not run:
            assert answer is None
            return
        assert answer is not None
        session.waiting.remove(run)
        self.hand_over(run, answer)

    def claim_of(self, run_id: str) -> tuple[ModelRun | None, Claim]:
        run = self.by_id.get(run_id)
        return run, Claim(run_id, ME, (run and run.session) or "agent:main:a", run.token if run else 1, LEASE)

    @rule(run_id=runs)
    def renew(self, run_id: str) -> None:
        run, claim = self.claim_of(run_id)
        renew = self.store.renew(claim, lease_s=LEASE)
        if run is None or run.status != "running" or run.session is None:
            assert isinstance(self.refusal(renew), Fenced)
            return
        assert (self.call(renew) == "abort") is run.abort
        self.session_of(run).lease_until_ms = self.clock() + int(LEASE * 1000)

    @rule(run_id=runs, status=ENDINGS, said=TURNS, result=RESULTS)
    def finish(self, run_id: str, status: RunStatus, said: int, result: bytes | None) -> None:
        run, claim = self.claim_of(run_id)
        finish = self.store.finish(claim, ending(turn(run_id) * said, status, result=result))
        if run is not None and run.answer is not None:
            assert self.call(finish) == run.answer
            return
        if run is None or run.status != "running" or run.session is None:
            assert isinstance(self.refusal(finish), Fenced)
            return
        session = self.session_of(run)
        session.said += [run_id, run_id] * said
        run.result = result
        run.answer = self.call(finish)
        assert run.answer == Released(len(session.said), session.next_run())
        run.status = status
        session.holder = None

    @rule(run_id=runs, status=ENDINGS, said=TURNS, result=RESULTS, others=st.lists(runs, max_size=3))
    def finish_with_others(
        self, run_id: str, status: RunStatus, said: int, result: bytes | None, others: list[str]
    ) -> None:
        """It has taken up the messages of others, some of which wait for its session, and some do not."""
        run, claim = self.claim_of(run_id)
        if run is None or run.status != "running" or run.session is None:
            return
        taken = tuple(Taken(each, 0 if said else None, result) for each in dict.fromkeys(others))
        finish = self.store.finish(claim, replace(ending(turn(run_id) * said, status), taken=taken))
        session = self.session_of(run)
        session.said += [run_id, run_id] * said
        for waiting in [each for each in session.waiting if each.id in others]:
            session.waiting.remove(waiting)
            waiting.status, waiting.result, waiting.answered_by = status, result, run_id
        run.answer = self.call(finish)
        assert run.answer == Released(len(session.said), session.next_run())
        run.status = status
        session.holder = None

    @rule(run_id=runs, status=ENDINGS)
    def withdraw(self, run_id: str, status: RunStatus) -> None:
        run = self.by_id.get(run_id)
        withdraw = self.store.withdraw(run_id, status)
        if run is None or run.status == "running" or run.session is None:
            assert self.refusal(withdraw).code == "run_not_open"
            return
        session = self.session_of(run)
        if run.status == "queued":
            session.waiting.remove(run)
            run.status = status
        answer = self.call(withdraw)
        assert answer == Released(len(session.said), None if session.holder else session.next_run())

    @rule(run_id=runs)
    def request_abort(self, run_id: str) -> None:
        run = self.by_id.get(run_id)
        is_open = run is not None and run.is_open
        assert self.call(self.store.request_abort(ME, run_id)) is is_open
        if run is not None and is_open:
            run.abort = True

    @rule(session_key=SESSIONS, share=st.integers(0, 4))
    def summarise(self, session_key: str, share: int) -> None:
        session = self.sessions.get(session_key)
        covers = len(session.said) * share // 3 if session else 1
        summarise = self.store.summarise(ME, session_key, covers, "so far")
        if session is None:
            assert self.refusal(summarise).code == "session_not_found"
        elif session.covered < covers <= len(session.said):
            self.call(summarise)
            session.covered = covers
        elif covers == session.covered and covers > 0:
            self.call(summarise)
        else:
            assert self.refusal(summarise).code == "summary_outdated"

    @rule(session_key=SESSIONS)
    def delete(self, session_key: str) -> None:
        session = self.sessions.get(session_key)
        delete = self.store.delete_session(ME, session_key)
        if session is None:
            assert self.call(delete) is False
        elif session.waiting or session.is_held(self.clock()):
            assert isinstance(self.refusal(delete), SessionBusy)
        else:
            assert self.call(delete) is True
            self.forget(session_key)

    @rule(seconds=st.sampled_from([1, 20, 31]))
    def pass_time(self, seconds: int) -> None:
        self.clock.pass_s(seconds)

    @rule()
    def drop_what_is_old(self) -> None:
        """Everything that nobody uses: sessions with their runs, results and their keys."""
        self.clock.pass_s(1)
        self.call(self.store.prune(Retention(max_sessions=0, results_s=0)))
        for key, session in list(self.sessions.items()):
            if session.holder is None and not session.waiting:
                self.forget(key)
        for run in self.by_id.values():
            run.result = None

    def forget(self, session_key: str) -> None:
        del self.sessions[session_key]
        self.by_id = {run.id: run for run in self.by_id.values() if run.session != session_key}

    @rule()
    def restart(self) -> None:
        self.call(self.store.close())
        self.store = self.opened()
        for run in self.by_id.values():
            if run.is_open:
                run.status = "interrupted"
        for session in self.sessions.values():
            session.holder = None
            session.waiting.clear()

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        records = {record.key: record for record in self.call(self.store.list_sessions(ME, limit=1000))}
        assert records.keys() == self.sessions.keys()
        for key, session in self.sessions.items():
            entries = self.call(self.store.transcript(ME, key, limit=1000))
            assert [entry.run_id for entry in entries] == session.said
            assert [entry.seq for entry in entries] == list(range(1, len(session.said) + 1))
            assert records[key].last_seq == len(session.said)
            assert records[key].active_run == (session.holder.id if session.holder else None)
        for run in self.by_id.values():
            stored = self.call(self.store.get_run(ME, run.id))
            assert stored is not None
            assert (stored.status, stored.session) == (run.status, run.session)
            assert stored.answered_by == run.answered_by
            assert self.call(self.store.result(ME, run.id)) == run.result
        for name in ("k1", "k2"):
            newest = self.newest_of(name)
            found = self.call(self.store.run_by_key(ME, name))
            assert (found and found.id) == (newest and newest.id)


class OnDisk(StoreMachine):
    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp())
        super().__init__()

    def new_store(self) -> Store:
        return SqliteStore(
            self.directory / "sessions.sqlite",
            max_queued=MAX_QUEUED,
            clock=self.clock,
            lease_clock=self.clock,
        )

    def teardown(self) -> None:
        super().teardown()
        shutil.rmtree(self.directory)


class InMemory(StoreMachine):
    def __init__(self) -> None:
        self.data = MemoryData()
        super().__init__()

    def new_store(self) -> Store:
        return MemoryStore(self.data, max_queued=MAX_QUEUED, clock=self.clock)


SETTINGS = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
OnDisk.TestCase.settings = SETTINGS
InMemory.TestCase.settings = SETTINGS
TestStoreOnDisk = OnDisk.TestCase
TestStoreInMemory = InMemory.TestCase

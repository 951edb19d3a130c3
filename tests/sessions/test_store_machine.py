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

from openclaw_gateway.errors import Fenced, GatewayError, SessionBusy
from openclaw_gateway.sessions.sqlite_store import SqliteStore
from openclaw_gateway.sessions.store import Claim, Claimed, Duplicate, Queued, Released
from openclaw_gateway.wire.run import RunStatus
from tests.sessions.store_contract import LEASE, USAGE, Clock, new_run, turn

T = TypeVar("T")
MAX_QUEUED = 3
SESSIONS = st.sampled_from(["agent:main:a", "agent:main:b"])
ENDINGS: st.SearchStrategy[RunStatus] = st.sampled_from(["completed", "failed", "aborted"])


@dataclass
class ModelRun:
    id: str
    session: str
    key: str | None
    status: RunStatus
    token: int = 0
    answer: Released | None = None
    abort: bool = False


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
        self.directory = Path(tempfile.mkdtemp())
        self.clock = Clock()
        self.sessions: dict[str, ModelSession] = {}
        self.by_id: dict[str, ModelRun] = {}
        self.number = 0
        self.store = self.opened()

    def opened(self) -> SqliteStore:
        store = SqliteStore(
            self.directory / "sessions.sqlite",
            max_queued=MAX_QUEUED,
            clock=self.clock,
            lease_clock=self.clock,
        )
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
        shutil.rmtree(self.directory)

    def hand_over(self, run: ModelRun, claimed: Claimed) -> None:
        session = self.sessions[run.session]
        if session.holder is not None:
            session.holder.status = "interrupted"
        assert claimed.claim.run_id == run.id
        assert claimed.claim.token > session.newest_token
        session.newest_token = claimed.claim.token
        assert [e.run_id for e in claimed.transcript.entries] == session.said[session.covered :]
        summary = claimed.transcript.summary
        assert (summary.covers_to_seq if summary else 0) == session.covered
        run.token = claimed.claim.token
        run.status = "running"
        session.holder = run
        session.lease_until_ms = self.clock() + int(LEASE * 1000)

    @rule(target=runs, session=SESSIONS, key=st.sampled_from([None, "k1", "k2"]))
    def begin(self, session: str, key: str | None) -> str:
        self.number += 1
        return self.begin_run(f"r{self.number}", session, key)

    @rule(run_id=runs, session=SESSIONS)
    def begin_again(self, run_id: str, session: str) -> None:
        self.begin_run(run_id, session, None)

    def begin_run(self, run_id: str, session_key: str, key: str | None) -> str:
        begin = self.store.begin(new_run(run_id, session_key, key=key), lease_s=LEASE)
        earlier = next((r for r in self.by_id.values() if r.id == run_id or (key and r.key == key)), None)
        if earlier is not None:
            answer = self.call(begin)
            assert isinstance(answer, Duplicate)
            assert (answer.run.id, answer.run.status) == (earlier.id, earlier.status)
            return earlier.id
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

    @rule(run_id=runs)
    def claim(self, run_id: str) -> None:
        run = self.by_id.get(run_id)
        claim = self.store.claim(run_id, lease_s=LEASE)
        if run is None or run.status != "queued":
            assert self.refusal(claim).code == "run_not_open"
            return
        session = self.sessions[run.session]
        answer = self.call(claim)
        if session.is_held(self.clock()) or session.waiting[0] is not run:
            assert answer is None
            return
        assert answer is not None
        session.waiting.remove(run)
        self.hand_over(run, answer)

    def claim_of(self, run_id: str) -> tuple[ModelRun | None, Claim]:
        run = self.by_id.get(run_id)
        return run, Claim(run_id, run.session if run else "agent:main:a", run.token if run else 1, LEASE)

    @rule(run_id=runs)
    def renew(self, run_id: str) -> None:
        run, claim = self.claim_of(run_id)
        renew = self.store.renew(claim, lease_s=LEASE)
        if run is None or run.status != "running":
            assert isinstance(self.refusal(renew), Fenced)
            return
        assert self.call(renew) is run.abort
        self.sessions[run.session].lease_until_ms = self.clock() + int(LEASE * 1000)

    @rule(run_id=runs, status=ENDINGS, empty=st.booleans())
    def finish(self, run_id: str, status: RunStatus, *, empty: bool) -> None:
        run, claim = self.claim_of(run_id)
        finish = self.store.finish(claim, () if empty else turn(run_id), status, USAGE)
        if run is not None and run.answer is not None:
            assert self.call(finish) == run.answer
            return
        if run is None or run.status != "running":
            assert isinstance(self.refusal(finish), Fenced)
            return
        session = self.sessions[run.session]
        if not empty:
            session.said += [run_id, run_id]
        run.answer = self.call(finish)
        assert run.answer == Released(len(session.said), session.next_run())
        run.status = status
        session.holder = None

    @rule(run_id=runs, status=ENDINGS)
    def withdraw(self, run_id: str, status: RunStatus) -> None:
        run = self.by_id.get(run_id)
        withdraw = self.store.withdraw(run_id, status)
        if run is None or run.status == "running":
            assert self.refusal(withdraw).code == "run_not_open"
            return
        session = self.sessions[run.session]
        if run.status == "queued":
            session.waiting.remove(run)
            run.status = status
        answer = self.call(withdraw)
        assert answer == Released(len(session.said), None if session.holder else session.next_run())

    @rule(run_id=runs)
    def request_abort(self, run_id: str) -> None:
        run = self.by_id.get(run_id)
        is_open = run is not None and run.status in ("queued", "running")
        assert self.call(self.store.request_abort(run_id)) is is_open
        if run is not None and is_open:
            run.abort = True

    @rule(session_key=SESSIONS, share=st.integers(0, 4))
    def summarise(self, session_key: str, share: int) -> None:
        session = self.sessions.get(session_key)
        covers = len(session.said) * share // 3 if session else 1
        summarise = self.store.summarise(session_key, covers, "so far")
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
        delete = self.store.delete_session(session_key)
        if session is None:
            assert self.call(delete) is False
        elif session.waiting or session.is_held(self.clock()):
            assert isinstance(self.refusal(delete), SessionBusy)
        else:
            assert self.call(delete) is True
            del self.sessions[session_key]
            self.by_id = {run.id: run for run in self.by_id.values() if run.session != session_key}

    @rule(session_key=SESSIONS, share=st.integers(0, 3))
    def fork(self, session_key: str, share: int) -> None:
        session = self.sessions.get(session_key)
        into = f"{session_key}:fork:{self.number}"
        at_seq = len(session.said) * share // 3 if session else 1
        fork = self.store.fork(session_key, at_seq, into)
        if session is None:
            assert self.refusal(fork).code == "session_not_found"
        elif into in self.sessions:
            assert self.refusal(fork).code == "session_exists"
        else:
            record = self.call(fork)
            assert (record.parent, record.last_seq) == (session_key, at_seq)
            self.sessions[into] = ModelSession(session.said[:at_seq])

    @rule(seconds=st.sampled_from([1, 20, 31]))
    def pass_time(self, seconds: int) -> None:
        self.clock.pass_s(seconds)

    @rule()
    def restart(self) -> None:
        self.call(self.store.close())
        self.store = self.opened()
        for run in self.by_id.values():
            if run.status in ("queued", "running"):
                run.status = "interrupted"
        for session in self.sessions.values():
            session.holder = None
            session.waiting.clear()

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        records = {record.key: record for record in self.call(self.store.list_sessions(limit=1000))}
        assert records.keys() == self.sessions.keys()
        for key, session in self.sessions.items():
            entries = self.call(self.store.transcript(key, limit=1000))
            assert [entry.run_id for entry in entries] == session.said
            assert [entry.seq for entry in entries] == list(range(1, len(session.said) + 1))
            assert records[key].last_seq == len(session.said)
            assert records[key].active_run == (session.holder.id if session.holder else None)
        stored = {run.id: run.status for run in self.call(self.store.list_runs(limit=1000))}
        assert stored == {run.id: run.status for run in self.by_id.values()}


StoreMachine.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestStoreMachine = StoreMachine.TestCase

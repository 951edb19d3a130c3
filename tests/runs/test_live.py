"""The runs of a process: what stays of one that has ended."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.live import Executes, LiveRuns, Others, Terms
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import BY_REQUEST, HANDED_OVER, Run
from openclaw_gateway.runs.work import RunWork
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.shared import Work
from openclaw_gateway.sessions.store import RunRecord
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.events import Event, RunEnded, RunStarted, TextDelta
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Origin, RunRequest, RunResult
from tests.runs.house import SESSION, house


async def test_of_a_retained_run_the_result_is_kept_and_not_what_it_was_sent(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("m", says("fine"))
    async with house(tmp_path, models) as runs:
        run = await runs.start(
            UserMessage("x" * 1_000_000), instructions="y" * 1_000_000, idempotency=Idempotency("k", b"x")
        )
        await runs.result(run)
        await runs.live.idle()
        kept = runs.live.find(run.id)
        assert kept is run
        assert (kept.request.origin.owner, kept.request.session_key) == ("me", SESSION)
        assert kept.result is not None
        assert kept.result.text == "fine"
        assert (kept.request.messages, kept.request.instructions) == ((), "")


class Telling:
    """Executes by telling what another process says, each time something else."""

    def __init__(self, *texts: str) -> None:
        self._texts = iter(texts)

    async def execute(self, run: Run) -> None:
        run.accept()
        run.emit((RunStarted(run.id, "main", None, 0), TextDelta(next(self._texts))))
        run.end(RunResult("completed"))

    def give_up(self, run: Run) -> None: ...


@pytest.mark.parametrize("named", [None, Idempotency("k", b"x")])
async def test_who_follows_a_run_anew_hears_nothing_of_how_it_was_followed_before(
    named: Idempotency | None,
) -> None:
    bus, telling = LocalBus(), Telling("first", "second")
    live = LiveRuns(bus, _terms(telling), Others(telling, bus, always=False, hand_over=_never))
    request, plan = _asked(named=named), _plan()
    record = RunRecord("r", "me", None, "main", "running", 0)
    for text in ("first", "second"):
        run = live.follow(record, request, plan)
        assert run is not None
        log = run.events()
        async with asyncio.timeout(5):
            await live.idle()
        events = await log.batch(0)
        log.close()
        assert [event.text for event in events if isinstance(event, TextDelta)] == [text]
        live._retained.clear()


@pytest.mark.parametrize(
    ("session", "named", "is_for_others"),
    [(None, None, False), ("agent:main:s", None, True), (None, Idempotency("k", b"x"), True)],
)
async def test_what_no_other_process_can_find_is_told_here_alone(
    session: str | None, named: Idempotency | None, is_for_others: bool
) -> None:
    """So is what it starts, but for what is found by a session of its own."""
    told, here = Heard(), LocalBus()
    waiting = Waiting()
    live = LiveRuns(told, _terms(waiting), Others(waiting, here, always=False, hand_over=_never))
    run = live.launch(_asked(session, named), _plan())
    child = live.launch(_asked(parent=run.id), _plan())
    log = run.reader(0)
    grandchild = live.launch(_asked(parent=child.id), _plan())
    found = live.launch(_asked("agent:main:another", parent=child.id), _plan())
    waiting.ends.set()
    async with asyncio.timeout(5):
        await live.idle()
        assert type((await log.log.batch())[-1]) is RunEnded
    log.close()
    assert told.runs == ({run.id, child.id, grandchild.id} if is_for_others else set()) | {found.id}


async def test_what_somebody_has_stopped_is_not_handed_over() -> None:
    """It was executed anew by another process, where it was slow to stop and this one was stopped too."""
    waiting = Waiting()
    given: list[str] = []

    async def hand_over(run_id: str) -> bool:
        given.append(run_id)
        waiting.ends.set()
        return True

    others = Others(waiting, LocalBus(), always=False, hand_over=hand_over)
    live = LiveRuns(LocalBus(), _terms(waiting), others)
    stopped, other = (live.launch(_asked(f"agent:main:{name}"), _plan()) for name in "ab")
    stopped.abort(BY_REQUEST)
    async with asyncio.timeout(5):
        await live.drain(0.01)
    assert given == [other.id]
    assert (stopped.abort_reason, other.abort_reason) == (BY_REQUEST, HANDED_OVER)


async def test_what_another_process_has_begun_is_told_to_all_with_what_it_starts() -> None:
    told, waiting = Heard(), Waiting()
    live = LiveRuns(told, _terms(waiting), Others(waiting, LocalBus(), always=False, hand_over=_never))
    assert live.admission.take()
    run = live.take_up(Work("r", "me", None, b"", attempt=1, token=1), RunWork(_asked()), _plan())
    child = live.launch(_asked(parent=run.id), _plan())
    waiting.ends.set()
    async with asyncio.timeout(5):
        await live.idle()
    assert told.runs == {run.id, child.id}


class Heard(LocalBus):
    """Knows of which runs it has had events."""

    def __init__(self) -> None:
        super().__init__()
        self.runs = set[str]()

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        self.runs.add(run_id)
        return super().emit(run_id, token, seq, events)


class Waiting:
    """Executes by waiting for `ends`."""

    def __init__(self) -> None:
        self.ends = asyncio.Event()

    async def execute(self, run: Run) -> None:
        run.accept()
        await self.ends.wait()
        run.end(RunResult("completed"))

    def give_up(self, run: Run) -> None: ...


async def _never(run_id: str) -> bool:
    return False


def _terms(executes: Executes) -> Terms:
    return Terms(executes, 10, Lease(lambda: None))


def _plan() -> Plan:
    agent = Agent("main", "Main", "p")
    return Plan(agent, (ModelTarget(Endpoint("mock", "http://x"), "m"),), PlainEquipment(agent))


def _asked(
    session: str | None = None, named: Idempotency | None = None, parent: str | None = None
) -> RunRequest:
    origin = Origin("me", "http", "conversation", parent=parent)
    return RunRequest(origin, "main", (UserMessage("hi"),), session_key=session, idempotency=named)

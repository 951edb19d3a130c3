"""Who hears of which run, and how those who follow one share its reading."""

import asyncio
from collections.abc import Callable

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.hub import Hub, Listener
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.wire.run import Origin, RunRequest
from tests.doors.logged import logged

DEADLINE_S = 5.0
MINE = ("me", "agent:main:x")


def run_of(owner: str = "me", session: str | None = "agent:main:x") -> Run:
    """A run that nobody executes."""
    agent = Agent("main", "Main", "p")
    plan = Plan(agent, (ModelTarget(Endpoint("mock", "http://127.0.0.1:1"), "m"),), PlainEquipment(agent))
    request = RunRequest(Origin(owner, "http", "conversation"), "main", (), session_key=session)
    return Run(request, plan, LocalBus())


class Heard:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Run]] = []
        self.listener = Listener(
            lambda run: self.told.append(("started", run)), lambda run: self.told.append(("ended", run))
        )


class Looking:
    """A view that follows until the test says so; it counts what becomes of it."""

    def __init__(self, run: Run, fault: BaseException | None = None) -> None:
        self.run = run
        self.began = asyncio.Event()
        self.go_on = asyncio.Event()
        self.closed = asyncio.Event()
        self.closes = 0
        self.cancelled = False
        self._fault = fault

    async def follow(self) -> None:
        self.began.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self._fault is not None:
            raise self._fault

    def close(self) -> None:
        self.closes += 1
        self.closed.set()


class Makers:
    """What makes the views of one kind, and all it has made."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.views: list[Looking] = []
        self._fault = fault

    def make(self, run: Run) -> Looking:
        view = Looking(run, self._fault)
        self.views.append(view)
        return view


async def happens(event: asyncio.Event) -> None:
    async with asyncio.timeout(DEADLINE_S):
        await event.wait()


@pytest.mark.parametrize(
    ("owner", "session", "run", "hears"),
    [
        (None, None, MINE, True),
        (None, None, ("me", None), True),
        (None, None, ("you", "agent:main:y"), True),
        ("me", None, MINE, True),
        ("me", None, ("me", None), True),
        ("me", None, ("you", "agent:main:x"), False),
        ("me", None, ("you", None), False),
        ("me", "agent:main:x", MINE, True),
        ("me", "agent:main:x", ("me", "agent:main:y"), False),
        ("me", "agent:main:x", ("me", None), False),
        ("me", "agent:main:x", ("you", "agent:main:x"), False),
    ],
)
async def test_who_hears_of_which_run(
    owner: str | None, session: str | None, run: tuple[str, str | None], hears: bool
) -> None:
    hub, heard, about = Hub(), Heard(), run_of(*run)
    leave = hub.listen(heard.listener, owner=owner, session=session)
    hub.started(about)
    hub.ended(about)
    assert heard.told == ([("started", about), ("ended", about)] if hears else [])
    heard.told.clear()
    leave()
    hub.started(about)
    hub.ended(about)
    assert heard.told == []
    leave()  # a second time is none


async def test_who_listens_twice_hears_once() -> None:
    hub, heard, run = Hub(), Heard(), run_of()
    leaves = [
        hub.listen(heard.listener),
        hub.listen(heard.listener, owner="me"),
        hub.listen(heard.listener, owner="me", session="agent:main:x"),
        hub.listen(heard.listener, owner="me", session="agent:main:y"),
    ]
    for leave in (*leaves, None):
        heard.told.clear()
        hub.started(run)
        # Of the last that is left, another session's, this run is none.
        assert len(heard.told) == (1 if leave in leaves[:3] else 0)
        if leave is not None:
            leave()


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError])
async def test_a_faulty_listener_reaches_no_run_and_no_other_listener(fault: type[BaseException]) -> None:
    def fails(run: Run) -> None:
        raise fault("of the listener")

    hub, heard, run = Hub(), Heard(), run_of()
    hub.listen(Listener(fails, fails), owner="me")
    hub.listen(heard.listener, owner="me")
    with logged() as log:
        hub.started(run)
        hub.ended(run)
        lines = log.lines("hub.listener_failed")
    assert heard.told == [("started", run), ("ended", run)]
    assert [line["run"] for line in lines] == [run.id, run.id]
    assert (run.result, run.abort_reason) == (None, None)


async def test_a_view_is_made_once_and_let_go_of_after_the_last_has_left() -> None:
    hub, run, makers = Hub(), run_of(), Makers()
    make: Callable[[Run], Looking] = makers.make
    first = hub.view(run, make)
    assert hub.view(run, make) is first
    await happens(first.began)
    hub.release(run, make, first)
    await asyncio.sleep(0)
    assert not first.cancelled, "somebody looks still"
    hub.release(run, make, first)
    await happens(first.closed)
    assert (first.cancelled, first.closes, len(makers.views)) == (True, 1, 1)
    hub.release(run, make, first)  # nobody is left to leave
    again = hub.view(run, make)
    assert again is not first
    await hub.close()
    assert (again.closes, len(makers.views)) == (1, 2)


async def test_a_view_is_of_one_run_and_of_one_kind() -> None:
    hub, makers, others = Hub(), Makers(), Makers()
    one, two = run_of(), run_of()
    make, other = makers.make, others.make
    views = [hub.view(one, make), hub.view(two, make), hub.view(one, other)]
    assert len(set(map(id, views))) == 3
    assert [view.run for view in views] == [one, two, one]
    hub.release(one, make, views[0])
    await happens(views[0].closed)
    assert [view.closes for view in views] == [1, 0, 0]
    await hub.close()
    assert [view.closes for view in views] == [1, 1, 1]


async def test_a_view_that_nobody_waited_for_is_closed_though_it_never_began() -> None:
    hub, run, makers = Hub(), run_of(), Makers()
    make: Callable[[Run], Looking] = makers.make
    view = hub.view(run, make)
    hub.release(run, make, view)
    await happens(view.closed)
    assert (view.began.is_set(), view.closes) == (False, 1)


async def test_a_view_that_has_read_to_the_end_is_made_anew_for_who_comes_later() -> None:
    hub, run, makers = Hub(), run_of(), Makers()
    make: Callable[[Run], Looking] = makers.make
    first = hub.view(run, make)
    first.go_on.set()
    await happens(first.closed)
    later = hub.view(run, make)
    assert later is not first
    await hub.close()
    assert (first.closes, later.closes) == (1, 1)


@pytest.mark.parametrize("fault", [RuntimeError("of the view"), asyncio.CancelledError()], ids=repr)
async def test_a_faulty_view_reaches_no_run(fault: BaseException) -> None:
    hub, run, makers = Hub(), run_of(), Makers(fault)
    with logged() as log:
        view = hub.view(run, makers.make)
        view.go_on.set()
        await happens(view.closed)
        lines = log.lines("hub.view_failed")
    assert [line["run"] for line in lines] == [run.id]
    assert (run.result, run.abort_reason, view.closes) == (None, None, 1)
    await hub.close()


async def test_who_looked_at_a_view_that_is_over_takes_nothing_from_the_next_one() -> None:
    hub, run, makers = Hub(), run_of(), Makers()
    make: Callable[[Run], Looking] = makers.make
    first = hub.view(run, make)
    first.go_on.set()
    await happens(first.closed)
    later = hub.view(run, make)
    await happens(later.began)
    hub.release(run, make, first)
    await asyncio.sleep(0)
    assert not later.cancelled
    await hub.close()

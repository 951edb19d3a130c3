"""Who may begin, and that a place that was taken is given back once, however a run ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.errors import GatewayError, Overloaded, ShuttingDown, ToolLoop
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.runs.admission import Admission
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.lease import Lease
from openclaw_gateway.runs.live import LiveRuns, Others, Terms
from openclaw_gateway.runs.plans.plan import PlainEquipment, Plan
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.run_tree import MAX_DEPTH
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.room import LocalRoom
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Origin, RunRequest, RunResult

ME = Origin("me", "http", "conversation")


class Far(LocalRoom):
    """Places of which this process has none at once: others answer when they `may`."""

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places
        self.may = asyncio.Event()
        self.used = 0

    def take(self, most: int) -> bool:
        return False

    @property
    def may_ask(self) -> bool:
        return True

    async def enter(self, most: int, *, patient: bool = True) -> bool:
        await self.may.wait()
        if self.used >= self.places:
            return False
        self.used += 1
        return True

    def give_back(self, *, unused: bool = False) -> None:
        self.used -= 1
        assert self.used >= 0, "given back twice"

    def share(self, most: int) -> int:
        return min(most, 3)


class Executing:
    """Executes as it is told."""

    def __init__(self, body: Callable[[Run], Awaitable[None]]) -> None:
        self._body = body

    async def execute(self, run: Run) -> None:
        run.accept()
        await self._body(run)

    def give_up(self, run: Run) -> None:
        if run.result is None:
            run.end(RunResult("failed"))


async def ends(run: Run) -> None:
    run.end(RunResult("completed"))


async def crashes(run: Run) -> None:
    raise ZeroDivisionError


async def hangs(run: Run) -> None:
    with run.interruptible():
        await asyncio.Event().wait()


def request(origin: Origin = ME, named: Idempotency | None = None) -> RunRequest:
    return RunRequest(origin, "main", (UserMessage("hi"),), session_key=None, idempotency=named)


def plan() -> Plan:
    agent = Agent("main", "Main", "p")
    return Plan(agent, (ModelTarget(Endpoint("mock", "http://x"), "m"),), PlainEquipment(agent))


def alive(room: LocalRoom, body: Callable[[Run], Awaitable[None]] = ends, *, front: bool = False) -> LiveRuns:
    executing = Executing(body)

    async def never(run_id: str) -> bool:
        return False

    bus = LocalBus()
    others = Others(executing, bus, always=True, hand_over=never) if front else None
    return LiveRuns(bus, Terms(executing, 2, Lease(lambda: None)), others, room)


@pytest.fixture
async def far() -> AsyncIterator[Far]:
    far = Far(1)
    yield far
    assert far.used == 0


@pytest.mark.parametrize("named", [None, Idempotency("k", b"x")])
async def test_a_run_that_asks_for_its_place_begins_once_it_has_it(
    far: Far, named: Idempotency | None
) -> None:
    live = alive(far)
    heard: list[str] = []
    live.hub.listen(
        Listener(lambda run: heard.append("started"), lambda run: heard.append("ended")), owner="me"
    )
    run = live.launch(request(named=named), plan())
    assert live.find(run.id) is run
    assert not run.accepted.done()
    assert not heard
    far.may.set()
    async with asyncio.timeout(5):
        await run.accepted
        assert (await run.wait()).status == "completed"
        await live.idle()
    assert heard == ["started", "ended"]


@pytest.mark.parametrize("named", [None, Idempotency("k", b"x")])
async def test_one_that_gets_none_is_refused_and_nobody_hears_of_it(named: Idempotency | None) -> None:
    far = Far(0)
    far.may.set()
    live = alive(far)
    heard: list[Run] = []
    live.hub.listen(Listener(heard.append, heard.append), owner="me")
    with pytest.raises(Overloaded, match="The gateway already executes 2 runs"):
        await live.start(request(named=named), plan())
    await live.idle()
    assert not heard
    assert far.used == 0


@pytest.mark.parametrize("body", [ends, crashes, hangs])
async def test_however_it_ends_its_place_is_given_back_once(
    far: Far, body: Callable[[Run], Awaitable[None]]
) -> None:
    far.may.set()
    live = alive(far, body)
    run = await live.start(request(), plan())
    run.abort("for a test")
    async with asyncio.timeout(5):
        await live.idle()
    assert run.result is not None


async def test_one_whose_task_is_cancelled_gives_it_back(far: Far) -> None:
    far.may.set()
    live = alive(far, hangs)
    await live.start(request(), plan())
    assert far.used == 1
    await live._cancel()


async def test_who_leaves_before_there_is_a_place_leaves_none_taken(far: Far) -> None:
    live = alive(far, hangs)
    asking = asyncio.create_task(live.start(request(), plan()))
    async with asyncio.timeout(5):
        while not len(live):  # noqa: ASYNC110 - it begins at once
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        far.may.set()
        await live.idle()
    assert asking.cancelled()


async def test_what_may_not_begin_takes_no_place() -> None:
    gate = asyncio.Event()

    async def waits(run: Run) -> None:
        await gate.wait()

    room = LocalRoom()
    live = alive(room, waits)
    parent = await live.start(request(), plan())
    too_deep = Origin("me", "http", "conversation", parent=parent.id, depth=MAX_DEPTH + 1)
    with pytest.raises(ToolLoop):
        live.launch(request(too_deep), plan())
    assert room.take(2), "one of two is at work"
    assert not room.take(2)
    gate.set()
    await live.idle()


async def test_a_front_takes_none_of_the_places_of_those_who_execute(far: Far) -> None:
    gate = asyncio.Event()

    async def waits(run: Run) -> None:
        await gate.wait()

    live = alive(far, waits, front=True)
    for _ in range(2):
        await live.start(request(), plan())
    with pytest.raises(Overloaded):
        await live.start(request(), plan())
    assert far.used == 0
    gate.set()
    await live.idle()
    await live.start(request(), plan())
    await live.idle()


@pytest.mark.parametrize(
    ("state", "error"), [("draining", ShuttingDown), ("suspended", Overloaded), ("leaving", None)]
)
async def test_who_goes_takes_nothing_up(state: str, error: type[GatewayError] | None) -> None:
    admission = Admission(2, LocalRoom())
    assert await admission.for_work(there_is)
    setattr(admission, state, True)
    assert not await admission.for_work(never_asked)
    if error is None:
        admission.be_open()
    else:
        with pytest.raises(error):
            admission.be_open()


async def never_asked() -> bool:
    raise AssertionError


async def there_is() -> bool:
    return True


async def test_who_looks_for_work_takes_the_last_place_from_nobody() -> None:
    """As with the bus away: of others none can be had."""
    admission = Admission(1, LocalRoom())

    async def has_work() -> bool:
        assert admission.take()
        return True

    assert not await admission.for_work(has_work)
    admission.room.give_back()
    assert await admission.for_work(there_is)


@pytest.mark.parametrize(("work", "places", "taken"), [(False, 1, 0), (True, 1, 1), (True, 0, 0)])
async def test_others_are_asked_for_a_place_only_where_there_is_work(
    places: int, taken: int, *, work: bool
) -> None:
    far = Far(places)
    if work:
        far.may.set()

    async def has_work() -> bool:
        return work

    async with asyncio.timeout(5):
        assert await Admission(2, far).for_work(has_work) == bool(taken)
    assert far.used == taken


@pytest.mark.parametrize(
    ("most", "words"), [(3, "The gateway already executes 3"), (9, "already executes 3")]
)
async def test_a_refusal_names_the_number_that_counts(most: int, words: str) -> None:
    admission = Admission(most, Far(0))
    refusal = admission.full()
    assert words in refusal.message
    assert ("its share" in refusal.message) == (most == 9)
    assert refusal.retry_after == 1

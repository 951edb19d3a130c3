"""Several processes of one gateway: who asks at one is answered by whichever, and hears and stops all."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from socket import gethostname
from typing import Any

import pytest
from asyncpg import Connection

from openclaw_gateway import engines
from openclaw_gateway.errors import StoreError
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs import leases
from openclaw_gateway.runs.elsewhere import membership, mirrored
from openclaw_gateway.runs.elsewhere.membership import Membership
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.loop import RunLoop
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.run import BY_REQUEST, HANDED_OVER, TAKEN_OVER, Run
from openclaw_gateway.sessions.bus import Signal
from openclaw_gateway.sessions.postgres import endings, runs
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.sessions.spending import SpendingWanted
from openclaw_gateway.sessions.store import Begun, NewRun, Released, RunRecord
from openclaw_gateway.testing.gateway import (
    RunningGateway,
    model_config,
    running_gateway,
    write_config,
)
from openclaw_gateway.testing.model_server import Cut, Hold, ModelServer, says
from openclaw_gateway.wire.run import RunRequest, RunResult, RunStatus
from tests.doors.chat import CHAT, Answer, ask, http, user
from tests.doors.logged import logged
from tests.doors.test_agent_tools import READ, workspace
from tests.doors.test_client_tools import OSLO, WEATHER
from tests.doors.test_detached import DETACH, detached, events, first_frame, frames_of, id_of, number, said
from tests.doors.tool_replies import calls
from tests.engines.postgres import Postgres
from tests.engines.valkey import Valkey
from tests.runs.test_every_fault import Once
from tests.sessions.test_postgres_store import PATIENT_S
from tests.ws.peer import connected
from tests.ws.test_chat import sent

SESSION = {"x-openclaw-session-key": "agent:main:s"}
NAMED = {"Idempotency-Key": "k"}
WHEREVER = pytest.mark.parametrize("where", [SESSION, {}], ids=["in a session", "alone"])
RECORDED = pytest.mark.parametrize("where", [SESSION, NAMED], ids=["in a session", "named"])


class Severable(PostgresStore):
    """The store of a process that does not reach it any more, once it `is_cut`, or as long as it is paused:
    until `goes_on` is set."""

    def __init__(self, url: str, *, max_queued: int) -> None:
        super().__init__(url, max_queued=max_queued, begin_s=PATIENT_S)
        self.is_cut = False
        self.goes_on = asyncio.Event()
        self.goes_on.set()
        acquire = self._pool._acquire

        async def acquired(seconds: float) -> Connection:
            await self.goes_on.wait()
            if self.is_cut:
                raise ConnectionResetError("cut")
            return await acquire(seconds)

        setattr(self._pool, "_acquire", acquired)  # noqa: B010 - mypy lets nobody replace a method


class Fleet:
    """One gateway in several parts, on what `config` names; `stores` are theirs, in order of their start."""

    def __init__(self, path: Path, models: ModelServer, config: dict[str, Any]) -> None:
        self.config = config
        self.stores: list[Severable] = []
        self._path = path
        self._models = models
        self._started = 0

    @asynccontextmanager
    async def member(self, role: Role) -> AsyncIterator[RunningGateway]:
        self._started += 1
        state_dir = self._path / str(self._started)
        state_dir.mkdir()
        config = model_config(self._models.base_url, self.config)
        async with running_gateway(config, state_dir=state_dir, role=role) as gateway:
            yield gateway

    def store(self, url: str, *, max_queued: int) -> Severable:
        self.stores.append(Severable(url, max_queued=max_queued))
        return self.stores[-1]

    async def runs(self, gateway: RunningGateway) -> list[str]:
        """How the runs of the session have ended, or not; at most as many as the store knows."""
        records = await self.stores[0].runs_of(OPERATOR.owner, "agent:main:s")
        return [record.status for record in records]

    async def transcript(self) -> list[str]:
        entries = await self.stores[0].transcript(OPERATOR.owner, "agent:main:s")
        return [entry.message.content for entry in entries]


def executing(fleet: Fleet, *every: RunningGateway) -> Severable:
    """The store of the one of these, which are the first ones that were started, that is at work."""
    (place,) = [n for n, each in enumerate(every) if each.gateway.live_runs() and n]
    return fleet.stores[place]


@pytest.fixture
def fleet(
    models: ModelServer,
    tmp_path: Path,
    store_url: str,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> Fleet:
    config = {"store": {"url": store_url, "leaseSeconds": 1}, "bus": {"url": valkey.url}}
    fleet = Fleet(tmp_path, models, config)
    monkeypatch.setattr(engines, "store", fleet.store)
    return fleet


@asynccontextmanager
async def members(fleet: Fleet, *roles: Role) -> AsyncIterator[list[RunningGateway]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(fleet.member(role)) for role in roles]


async def say(gateway: RunningGateway, text: str, **headers: str) -> Answer:
    return await ask(gateway, {"model": "openclaw", "messages": [user(text)]}, headers=headers)


async def test_a_front_is_answered_by_a_worker(models: ModelServer, fleet: Fleet) -> None:
    async with members(fleet, "front", "worker") as (front, _):
        assert (await say(front, "one two three")).content == "one two three"
        assert (await say(front, "in a session", **SESSION)).content == "in a session"
        assert (await say(front, "and again", **SESSION)).content == "and again"
        assert [len(request.messages) for request in models.requests] == [2, 2, 4]
        streamed = await ask(front, {"model": "openclaw", "messages": [user("a b c")], "stream": True})
        assert [frame for frame in frames_of(streamed.text) if '"b' in frame]
        async with asyncio.timeout(10):
            # A machine that is busy for as long as a lease has one of them away until it beats again.
            while sorted(each.role for each in await front.gateway.replicas()) != ["front", "worker"]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_what_comes_while_no_worker_is_there_waits_for_one(fleet: Fleet) -> None:
    async with fleet.member("front") as front:
        asked = [asyncio.create_task(say(front, f"number {n}", **SESSION)) for n in range(3)]
        await front.wait_runs(3)
        async with fleet.member("worker"):
            answers = await asyncio.gather(*asked)
        assert sorted(answer.content for answer in answers) == ["number 0", "number 1", "number 2"]


async def test_what_was_stopped_because_its_session_could_not_be_kept_is_done_when_it_is_asked_again(
    models: ModelServer, fleet: Fleet
) -> None:
    """Nobody has asked for its end: a name that stands for it for ever would have no other answer."""
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it"))

    async def renew(*_: Any) -> bool:
        raise ConnectionResetError

    async with members(fleet, "all", "all") as (one, other):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(runs, "renew", renew)
            stopped = await say(one, "hi", **SESSION, **{"Idempotency-Key": "k"})
        assert (stopped.status, stopped.error["code"]) == (503, "store_unavailable")
        assert stopped.headers["Retry-After"] == "1"
        for each in (other, one):
            again = await say(each, "hi", **SESSION, **{"Idempotency-Key": "k"})
            assert (again.status, again.content) == (200, "all of it")
        assert await fleet.transcript() == ["hi", "all of it"]


@pytest.mark.parametrize("is_away", [True, False])
async def test_what_was_taken_up_and_could_not_be_begun_is_given_up_again(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *, is_away: bool
) -> None:
    """Nobody else takes up what a living process has."""
    is_first = True

    async def has_let_go(self: Membership, run_id: str) -> bool:
        nonlocal is_first
        if is_first:
            is_first = False
            if is_away:
                raise StoreError("away")
            return False
        return await original(self, run_id)

    original = Membership._has_let_go
    monkeypatch.setattr(Membership, "_has_let_go", has_let_go)
    async with members(fleet, "front", "worker", "worker") as (front, *_):
        async with asyncio.timeout(15):
            assert (await say(front, "hi", **SESSION)).content == "hi"
        assert not is_first
        assert await fleet.runs(front) == ["completed"]


@pytest.mark.parametrize("kind", [ConnectionResetError, TimeoutError])
async def test_a_wish_that_the_store_did_not_hear_is_said_again(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    async with members(fleet, "front", "worker") as (front, _):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=SESSION) as response:
            await response.content.readline()
            failing = Once(1, kind, after=False)
            withdraw = failing.around("withdraw", endings.withdraw)
            monkeypatch.setattr(endings, "withdraw", withdraw)
        await models.wait_aborted(1)
        assert failing.at == "withdraw"
        await front.wait_no_runs()
        assert await fleet.runs(front) == ["aborted"]


async def test_a_client_that_leaves_a_front_ends_the_call_of_the_model(
    models: ModelServer, fleet: Fleet
) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    async with members(fleet, "front", "worker") as (front, _):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=SESSION) as response:
            await response.content.readline()
        await models.wait_aborted(1)
        await front.wait_no_runs()
        assert await fleet.runs(front) == ["aborted"]


@pytest.mark.parametrize("roles", [("all", "all"), ("front", "worker")])
async def test_what_nobody_wanted_any_more_is_done_when_it_is_asked_again(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, roles: tuple[Role, Role]
) -> None:
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.0)
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"), says("again"))
    named = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with members(fleet, *roles) as every:
        async with http(every[0]) as session, session.post(CHAT, json=body, headers=named) as response:
            await response.content.readline()
        await models.wait_aborted(1)
        for gateway in every:
            await gateway.wait_no_runs()
        for gateway in reversed(every):
            assert (await say(gateway, "hi", **named)).content == "again"
        assert len(models.requests) == 2


async def test_what_somebody_has_stopped_stays_stopped_when_it_is_asked_again(
    models: ModelServer, fleet: Fleet
) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    named = {"Idempotency-Key": "k", **SESSION}
    async with members(fleet, "front", "worker") as every:
        asked = asyncio.create_task(say(every[0], "hi", **named))
        await models.wait_requests(1)
        await every[0].wait_runs(1)
        assert await every[1].gateway.abort(OPERATOR, "k")
        assert (await asked).status == 499
        for gateway in every:
            await gateway.wait_no_runs()
            assert (await say(gateway, "hi", **named)).status == 499
        assert len(models.requests) == 1


async def test_the_same_name_at_any_of_them_is_one_run(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("once", Hold(gate)))
    async with members(fleet, "all", "all", "front") as every:
        asked = [
            asyncio.create_task(say(gateway, "hi", **{"Idempotency-Key": "k"}))
            for gateway in every
            for _ in range(17)
        ]
        await models.wait_requests(1)
        for gateway in every:
            await gateway.wait_runs(1)
        gate.set()
        answers = await asyncio.gather(*asked)
        assert {(answer.status, answer.content) for answer in answers} == {(200, "once")}
        assert len(models.requests) == 1
        later = await say(every[1], "hi", **{"Idempotency-Key": "k"})
        assert later.content == "once"


async def test_a_stream_that_was_cut_at_one_goes_on_at_another(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", "b ", Hold(gate), "c ", "d"))
    async with members(fleet, "front", "front", "worker") as (one, other, _):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(one) as session, session.post(CHAT, json=body, headers=DETACH) as response:
            begun = (await response.content.readuntil(b"\n\n")).decode()
            id_ = id_of(Answer(200, response.headers.copy(), begun))
        going = asyncio.create_task(events(other, id_, number(begun)))
        await other.wait_runs(1)
        gate.set()
        rest = await going
        assert "".join(said(rest)) == "a b c d"
        await other.wait_no_runs()
        assert (await events(other, id_, number(begun))).text == rest.text, "also once it has ended"
        whole = await events(one, id_)
        assert frames_of(whole.text) == [begun, *frames_of(rest.text)]


async def test_any_of_them_stops_a_run_and_hears_of_it(models: ModelServer, fleet: Fleet) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    async with members(fleet, "all", "all") as (one, other):
        heard: asyncio.Queue[str] = asyncio.Queue()
        silence = other.gateway.listen(
            OPERATOR,
            Listener(
                lambda run: heard.put_nowait(f"started {run.request.session_key}"),
                lambda run: heard.put_nowait(f"ended {run.result.status if run.result else ''}"),
            ),
        )
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        async with asyncio.timeout(5):
            assert await heard.get() == "started agent:main:s"
        await models.wait_requests(1)
        (stopped,) = await other.gateway.abort_session(OPERATOR, "agent:main:s")
        assert stopped
        async with asyncio.timeout(5):
            assert await heard.get() == "ended aborted"
        await models.wait_aborted(1)
        assert (await asked).status != 200
        silence()


async def test_who_comes_late_hears_what_goes_on_elsewhere(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    async with members(fleet, "all", "all") as (one, other):
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        heard: asyncio.Queue[str] = asyncio.Queue()
        silence = other.gateway.listen(OPERATOR, Listener(lambda run: heard.put_nowait(run.id)))
        async with asyncio.timeout(5):
            run = other.gateway.find(OPERATOR, await heard.get())
        assert run is not None
        gate.set()
        async with asyncio.timeout(5):
            assert (await run.wait()).text == "a b"
        assert (await asked).content == "a b"
        silence()


async def test_who_listens_to_what_others_do_takes_no_place_of_what_is_asked(
    models: ModelServer, fleet: Fleet
) -> None:
    gate = asyncio.Event()
    fleet.config["gateway"] = {"limits": {"maxRuns": 2}}
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    async with members(fleet, "all", "all") as (one, other):
        heard: asyncio.Queue[str] = asyncio.Queue()
        silence = other.gateway.listen(OPERATOR, Listener(lambda run: heard.put_nowait(run.id)))
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        async with asyncio.timeout(5):
            await heard.get()
        own = asyncio.create_task(say(other, "me too"))
        await models.wait_requests(2)
        gate.set()
        assert [(each.status, each.content) for each in await asyncio.gather(asked, own)] == [
            (200, "a b")
        ] * 2
        silence()


async def began_with_tools(gateway: RunningGateway, models: ModelServer) -> list[Any]:
    """A conversation without a session, up to the result of a client's tool."""
    models.script("mock-echo", calls(READ), calls(("c1", "get_weather", OSLO)), says("Take bread."))
    asked = user("shopping in the rain?")
    called = await ask(gateway, {"messages": [asked], "tools": [WEATHER]})
    message = called.json["choices"][0]["message"]
    (call,) = message["tool_calls"]
    return [asked, message, {"role": "tool", "tool_call_id": call["id"], "content": "rain"}]


async def goes_on(gateway: RunningGateway, models: ModelServer, history: list[Any]) -> list[str]:
    """What the model is told then, by role."""
    answer = await ask(gateway, {"messages": history, "tools": [WEATHER]})
    assert answer.content == "Take bread."
    told = [message["role"] for message in models.requests[-1].messages[1:]]
    assert ("buy milk" in str(models.requests[-1].messages)) == (len(told) == 5)
    return told


@pytest.fixture
def noted(fleet: Fleet, tmp_path: Path) -> None:
    """The processes have one workspace."""
    fleet.config["agents"] = {"defaults": {"workspace": str(workspace(tmp_path))}}


@pytest.mark.promise("cluster-rounds")
@pytest.mark.usefixtures("noted")
async def test_what_a_client_of_tools_never_saw_is_there_at_any_of_them(
    models: ModelServer, fleet: Fleet
) -> None:
    async with members(fleet, "all", "all") as (one, other):
        history = await began_with_tools(one, models)
        assert await goes_on(other, models, history) == ["user", "assistant", "tool", "assistant", "tool"]


@pytest.mark.usefixtures("noted")
async def test_and_at_another_worker_than_the_one_that_has_gone(models: ModelServer, fleet: Fleet) -> None:
    async with fleet.member("front") as front:
        async with fleet.member("worker"):
            history = await began_with_tools(front, models)
        async with fleet.member("worker"):
            assert await goes_on(front, models, history) == ["user", "assistant", "tool", "assistant", "tool"]


@pytest.mark.usefixtures("noted")
async def test_without_the_bus_a_client_of_tools_goes_on_without_what_it_never_saw(
    models: ModelServer, fleet: Fleet
) -> None:
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with members(fleet, "all", "all") as (one, other):
        history = await began_with_tools(one, models)
        assert await goes_on(other, models, history) == ["user", "assistant", "tool"]


async def cut_off_at(
    gateway: RunningGateway, models: ModelServer, asked: dict[str, Any], headers: dict[str, str]
) -> Run:
    """A run whose client has left, and may ask again."""
    cut = asyncio.create_task(ask(gateway, asked, headers=headers))
    await models.wait_requests(1)
    cut.cancel()
    (left,) = gateway.gateway._live.running()
    async with asyncio.timeout(10):
        while not left.was_left:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)
    return left


@pytest.mark.promise("cluster-comes-back")
@pytest.mark.parametrize("role", ["front", "all"])
async def test_who_comes_back_at_another_is_waited_for_where_it_left(
    models: ModelServer, fleet: Fleet, role: Role
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with members(fleet, role, "front", "worker") as (one, other, _):
        left = await cut_off_at(one, models, body, key)
        back = asyncio.create_task(ask(other, body, headers=key))
        async with asyncio.timeout(10):
            while left.was_left:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        assert left.clients == 1
        gate.set()
        answer = await back
        assert (answer.status, answer.content) == (200, "a b")
        assert len(models.requests) == 1


async def test_and_once_it_has_left_there_too_the_run_ends(models: ModelServer, fleet: Fleet) -> None:
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with members(fleet, "front", "front", "worker") as (one, other, worker):
        left = await cut_off_at(one, models, body, key)
        back = asyncio.create_task(ask(other, body, headers=key))
        async with asyncio.timeout(10):
            while left.was_left:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        back.cancel()
        await models.wait_aborted(1, deadline_s=20)
        await worker.wait_no_runs()
        assert await fleet.runs(one) == ["aborted"]


@pytest.mark.parametrize("stays", ["where it is executed", "where it was given away", "elsewhere"])
async def test_a_run_goes_on_for_whoever_waits_for_it_wherever_that_is(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, stays: str
) -> None:
    """Whoever is told that a run begins anew elsewhere asks again there; the process it had left had it ended
    three seconds later, and its session had the question twice."""
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.0)
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with members(fleet, "front", "all", "front") as (gives, executes, third):
        first = asyncio.create_task(ask(gives, body, headers=key))
        await models.wait_requests(1)
        other = third if stays == "elsewhere" else executes
        second = asyncio.create_task(ask(other, body, headers=key))
        (run,) = executes.gateway.running(OPERATOR)
        (given,) = gives.gateway.running(OPERATOR)
        async with asyncio.timeout(10):
            while not (run.clients if other is executes else given.clients > 1):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        leaves, waits = (second, first) if stays == "where it was given away" else (first, second)
        if stays == "elsewhere":
            # As if nobody had told of it where it was given away.
            given.clients -= 1
        with pytest.MonkeyPatch.context() as patch:
            heard = asyncio.Queue[Signal]()

            def heed(wish: Signal) -> None:
                Run.heed(run, wish)
                heard.put_nowait(wish)

            patch.setattr(run, "heed", heed)
            leaves.cancel()
            if leaves is first:
                async with asyncio.timeout(10):
                    assert await heard.get() == "leave"
            else:
                async with asyncio.timeout(10):
                    while run.clients:  # noqa: ASYNC110 - nobody tells of it
                        await asyncio.sleep(0.01)
        assert run.abort_reason is None
        gate.set()
        answer = await waits
        assert (answer.status, answer.content) == (200, "a b")
        assert len(models.requests) == 1
        assert await fleet.transcript() == ["hi", "a b"]


async def test_and_ends_with_the_last_of_them(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("openclaw_gateway.runs.run.RETURN_S", 0.0)
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with members(fleet, "front", "all") as (gives, executes):
        first = asyncio.create_task(ask(gives, body, headers=key))
        await models.wait_requests(1)
        second = asyncio.create_task(ask(executes, body, headers=key))
        (run,) = executes.gateway.running(OPERATOR)
        async with asyncio.timeout(10):
            while not run.clients:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        first.cancel()
        async with asyncio.timeout(10):
            while run.waits_elsewhere:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        second.cancel()
        await models.wait_aborted(1)
        await executes.wait_no_runs()
        assert await fleet.runs(executes) == ["aborted"]


async def test_who_has_come_where_it_is_executed_and_was_cut_off_is_waited_for(
    models: ModelServer, fleet: Fleet
) -> None:
    """The wish of where it was given away is said at each renewal: the second one ended it at once."""
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")]}
    async with members(fleet, "front", "all") as (gives, executes):
        first = asyncio.create_task(ask(gives, body, headers=key))
        await models.wait_requests(1)
        second = asyncio.create_task(ask(executes, body, headers=key))
        (run,) = executes.gateway.running(OPERATOR)
        async with asyncio.timeout(10):
            while not run.clients:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        run.heed("leave")
        second.cancel()
        async with asyncio.timeout(10):
            while not run.was_left:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0)
        run.heed("leave")
        assert run.abort_reason is None
        back = asyncio.create_task(ask(executes, body, headers=key))
        async with asyncio.timeout(10):
            while run.was_left:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        gate.set()
        for waits in (first, back):
            answer = await waits
            assert (answer.status, answer.content) == (200, "a b")
        assert len(models.requests) == 1


async def test_a_name_that_is_reused_for_another_request_is_refused_anywhere(fleet: Fleet) -> None:
    async with members(fleet, "front", "worker", "all") as (front, _, other):
        assert (await say(front, "hi", **{"Idempotency-Key": "k"})).status == 200
        refused = await say(other, "something else", **{"Idempotency-Key": "k"})
        assert refused.status == 422
        assert "idempotency_key_reused" in refused.text


async def test_who_would_not_wait_is_refused_by_a_front(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate)))
    async with members(fleet, "front", "front", "worker") as (one, other, _):
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        refused = await say(other, "me too", **SESSION, **{"x-openclaw-queue": "reject"})
        assert refused.status == 429
        interrupting = asyncio.create_task(
            say(other, "me now", **SESSION, **{"x-openclaw-queue": "interrupt"})
        )
        await models.wait_aborted(1)
        assert (await interrupting).content == "me now"
        assert (await asked).status != 200


@pytest.mark.parametrize("other", [{"user": "bob"}, {"user": None}])
async def test_nobody_interrupts_what_another_has_asked_for_at_a_front(
    models: ModelServer, fleet: Fleet, other: dict[str, str | None]
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("at ", Hold(gate), "work"), says("done"))
    body = {"model": "openclaw", "messages": [user("hi")], "user": "ada"}
    key = {"x-openclaw-session-key": "shared"}
    async with members(fleet, "front", "front", "worker") as (one, two, _):
        first = asyncio.create_task(ask(one, body, headers=key))
        await models.wait_requests(1)
        wish = {**key, "x-openclaw-queue": "interrupt"}
        second = asyncio.create_task(ask(two, {**body, **other}, headers=wish))
        async with asyncio.timeout(10):
            while not any(  # noqa: ASYNC110 - no event says so
                run.accepted.done() and not run.is_followed for run in two.gateway._live.running()
            ):
                await asyncio.sleep(0)
        gate.set()
        assert [answer.content for answer in await asyncio.gather(first, second)] == ["at work", "done"]


async def test_what_a_front_could_not_give_away_for_certain_is_not_executed(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fleet.member("front") as front:
        store = fleet.stores[0]
        begin = store.begin

        async def cut_off(run: NewRun, *, lease_s: float) -> Begun:
            await begin(run, lease_s=lease_s)
            raise StoreError("The connection ended before the answer came.")

        monkeypatch.setattr(store, "begin", cut_off)
        assert (await say(front, "hi", **SESSION)).status == 503
        monkeypatch.setattr(store, "begin", begin)
        async with fleet.member("worker"):
            assert (await say(front, "again", **SESSION)).content == "again"
        assert sorted(await fleet.runs(front)) == ["aborted", "completed"]
        assert len(models.requests) == 1


@pytest.mark.parametrize("is_late", [False, True])
async def test_and_is_taken_back_until_that_is_certain(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, *, is_late: bool
) -> None:
    """The store is away when it is taken back first; or has not carried out yet what it was asked."""
    async with fleet.member("front") as front:
        store = fleet.stores[0]
        begin = store.begin
        wanted: list[NewRun] = []

        async def cut_off(run: NewRun, *, lease_s: float) -> Begun:
            wanted.append(run)
            if not is_late:
                await begin(run, lease_s=lease_s)
                store.is_cut = True
                store._pool._drop_idle()
            raise StoreError("The connection ended before the answer came.")

        monkeypatch.setattr(store, "begin", cut_off)
        assert (await say(front, "hi", **SESSION)).status == 503
        monkeypatch.setattr(store, "begin", begin)
        store.is_cut = False
        if is_late:
            await begin(wanted[0], lease_s=0.0)
        async with asyncio.timeout(20):
            while await fleet.runs(front) != ["aborted"]:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        async with fleet.member("worker"):
            assert (await say(front, "again", **SESSION)).content == "again"
        assert len(models.requests) == 1


async def test_what_a_client_has_stopped_is_stopped_once_the_store_is_back(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.script("mock-echo", says("", Hold(asyncio.Event())))
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with members(fleet, "front", "worker") as (front, worker):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        asking = asyncio.create_task(ask(front, body, headers=SESSION))
        await models.wait_requests(1)
        store = fleet.stores[0]
        asked: asyncio.Queue[str] = asyncio.Queue()
        withdraw = store.withdraw

        async def cut_off(run_id: str, *_: Any) -> Released:
            asked.put_nowait(run_id)
            raise StoreError("The connection ended before the answer came.")

        monkeypatch.setattr(store, "withdraw", cut_off)
        asking.cancel()
        async with asyncio.timeout(10):
            for _ in range(3):
                await asked.get()
        monkeypatch.setattr(store, "withdraw", withdraw)
        await models.wait_aborted(1, deadline_s=30)
        await worker.wait_no_runs()
        assert await fleet.runs(front) == ["aborted"]


@pytest.mark.parametrize("role", ["front", "all"])
async def test_who_interrupts_makes_room_in_a_line_that_is_full(
    models: ModelServer, fleet: Fleet, role: Role
) -> None:
    """What fills it came by another process."""
    models.script("mock-echo", says("at ", Hold(asyncio.Event()), "work"), says("me now"))
    fleet.config["gateway"] = {"limits": {"maxQueuedPerSession": 1}}
    async with members(fleet, "front", role, "worker") as (one, other, _):
        first = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        second = asyncio.create_task(say(one, "and this", **SESSION))
        async with asyncio.timeout(10):
            while len(await fleet.runs(one)) < 2:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        assert (await say(other, "no room", **SESSION)).status == 429
        answer = await say(other, "me now", **SESSION, **{"x-openclaw-queue": "interrupt"})
        assert (answer.status, answer.content) == (200, "me now")
        assert [(await each).status for each in (first, second)] == [499, 499]
        assert len(models.requests) == 2


async def test_who_waits_at_a_front_moves_up_in_its_line(models: ModelServer, fleet: Fleet) -> None:
    gates = [asyncio.Event() for _ in range(2)]
    models.script("mock-echo", *(says("at ", Hold(gate), "work") for gate in gates), says("done"))
    async with members(fleet, "front", "worker") as (front, _):
        asked = []
        for place in range(3):
            asked.append(asyncio.create_task(say(front, f"question {place}", **SESSION)))
            await has_places(front, *range(place + 1))
        gates[0].set()
        await has_places(front, 0, 1)
        gates[1].set()
        assert [answer.content for answer in await asyncio.gather(*asked)] == ["at work", "at work", "done"]


async def has_places(gateway: RunningGateway, *places: int) -> None:
    async with asyncio.timeout(15):
        while tuple(run.queued for run in gateway.gateway._live.running()) != places:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_detached_at_a_front(fleet: Fleet) -> None:
    async with members(fleet, "front", "worker") as (front, _):
        assert "".join(said(await detached(front))) == "hi"


@pytest.mark.promise("cluster-once")
async def test_a_run_whose_worker_has_gone_is_executed_by_another(models: ModelServer, fleet: Fleet) -> None:
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it"))
    async with members(fleet, "front", "worker") as (front, worker):
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await models.wait_requests(1)
        fleet.stores[1].is_cut = True
        async with fleet.member("worker"):
            assert (await asked).content == "all of it"
            await worker.wait_no_runs()
            fleet.stores[1].is_cut = False
        assert await fleet.runs(front) == ["completed"]
        assert await fleet.transcript() == ["hi", "all of it"]


async def test_it_is_taken_up_when_the_lease_of_its_worker_ends_and_not_at_the_next_look(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "_LOOK_EVERY_S", 300.0)
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it"))
    async with members(fleet, "front", "worker", "worker") as (front, *workers):
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await models.wait_requests(1)
        executor = executing(fleet, front, *workers)
        executor.is_cut = True
        assert (await asked).content == "all of it"
        executor.is_cut = False


async def test_a_process_beats_on_while_other_questions_to_the_database_have_no_answer(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    beats: list[None] = []
    waits, has_beaten = asyncio.Event(), asyncio.Event()
    beat = Severable.beat

    async def counted(store: Severable, *given: Any, **named: Any) -> None:
        await beat(store, *given, **named)
        if waits.is_set():
            beats.append(None)
            if len(beats) == 5:
                has_beaten.set()

    async def unanswered(*_: Any, **__: Any) -> None:
        waits.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(Severable, "beat", counted)
    monkeypatch.setattr(Severable, "work_in", unanswered)
    async with fleet.member("worker"), asyncio.timeout(15):
        await has_beaten.wait()


@WHEREVER
@pytest.mark.promise("error.run_begun_anew")
async def test_what_a_client_has_heard_is_not_taken_back(
    models: ModelServer, fleet: Fleet, where: dict[str, str]
) -> None:
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it"))
    async with members(fleet, "front", "worker", "worker") as (front, *workers):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=where) as response:
            await response.content.readuntil(b"half")
            executor = executing(fleet, front, *workers)
            executor.is_cut = True
            rest = (await response.content.read()).decode()
            executor.is_cut = False
        assert "run_begun_anew" in rest
        assert "all of it" not in rest


@WHEREVER
@pytest.mark.parametrize("is_over", [False, True])
async def test_who_comes_back_to_an_answer_that_was_begun_anew_has_all_of_the_other_one_or_none(
    models: ModelServer, fleet: Fleet, where: dict[str, str], *, is_over: bool
) -> None:
    """At the front at which it was heard, and at another: none of them puts the one behind the other."""
    gate = asyncio.Event()
    models.enqueue(says("half ", "of ", Hold(asyncio.Event())), says("one ", "two ", "three ", Hold(gate)))
    async with members(fleet, "front", "worker", "worker", "front") as (front, *workers, other):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=where | DETACH) as response:
            heard = (await response.content.readuntil(b"of ")).decode()
            executor = executing(fleet, front, *workers)
            executor.is_cut = True
            assert "run_begun_anew" in (await response.content.read()).decode()
            executor.is_cut = False
        await models.wait_requests(2)
        if is_over:
            gate.set()
            for each in workers:
                await each.wait_no_runs()
        run_id = id_of(Answer(200, response.headers.copy(), heard))
        had = number(frames_of(heard)[-1])
        for each in (front, other):
            answer = await events(each, run_id, had)
            assert (answer.status, answer.error["code"]) == (503, "run_begun_anew")
            assert "from the beginning" in answer.error["message"]
        whole = [asyncio.create_task(events(each, run_id)) for each in (front, other)]
        gate.set()
        for answer in await asyncio.gather(*whole):
            assert "".join(said(answer)) == "one two three "


async def test_a_background_response_that_was_begun_anew_is_not_told_as_failed(
    models: ModelServer, fleet: Fleet
) -> None:
    """Who had heard a part of it where its stream had broken off was told so for ten minutes."""
    fleet.config["gateway"] = {"http": {"endpoints": {"responses": {"enabled": True}}}}
    gate = asyncio.Event()
    models.enqueue(says("half ", Hold(asyncio.Event())), says("one ", "two ", Hold(gate)))
    async with members(fleet, "front", "worker", "worker") as (front, *workers), http(front) as session:
        body = {"model": "openclaw", "input": "hi", "stream": True, "background": True}
        async with session.post("/v1/responses", json=body) as response:
            heard = (await response.content.readuntil(b"half ")).decode()
            executor = executing(fleet, front, *workers)
            executor.is_cut = True
            assert "response.failed" in (await response.content.read()).decode()
            executor.is_cut = False
        await models.wait_requests(2)
        start = heard.index("resp_")
        place = f"/v1/responses/{heard[start : heard.index(chr(34), start)]}"
        async with session.get(place) as response:
            assert (await response.json())["status"] == "in_progress"
        async with session.get(f"{place}?stream=true&starting_after=3") as response:
            assert (response.status, "run_begun_anew" in await response.text()) == (503, True)
        gate.set()
        async with session.get(f"{place}?stream=true") as response:
            assert "one two " in await response.text()
        async with session.get(place) as response:
            assert (await response.json())["status"] == "completed"


async def test_who_has_seen_it_begun_anew_says_so_without_the_store(
    models: ModelServer, fleet: Fleet
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("half ", Hold(asyncio.Event())), says("one ", "two ", Hold(gate)))
    async with members(fleet, "front", "worker", "worker", "front") as (front, *workers, other):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=DETACH) as response:
            heard = (await response.content.readuntil(b"half ")).decode()
            executor = executing(fleet, front, *workers)
            executor.is_cut = True
            assert "run_begun_anew" in (await response.content.read()).decode()
            executor.is_cut = False
        await models.wait_requests(2)
        run_id = id_of(Answer(200, response.headers.copy(), heard))
        had = number(frames_of(heard)[-1])
        async with http(other) as session, session.get(f"{CHAT}/{run_id}/events") as followed:
            await followed.content.readuntil(b"two ")
            fleet.stores[-1].is_cut = True
            async with asyncio.timeout(10):
                answer = await events(other, run_id, had)
            assert (answer.status, answer.error["code"]) == (503, "run_begun_anew")
            fleet.stores[-1].is_cut = False
            gate.set()
            assert "[DONE]" in (await followed.content.read()).decode()


async def test_who_comes_back_before_it_is_begun_anew_where_nothing_was_heard_of_it_hears_no_other_one(
    models: ModelServer, fleet: Fleet
) -> None:
    """The bus, which has what was said, is away; what the store says in the end is of the other execution."""
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    models.enqueue(says("half ", "of ", Hold(asyncio.Event())), says("one ", "two ", "three "))
    async with members(fleet, "all", "worker", "front") as (one, _, other):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(one) as session, session.post(CHAT, json=body, headers=DETACH) as response:
            heard = (await response.content.readuntil(b"of ")).decode() + '"'
            run_id = id_of(Answer(200, response.headers.copy(), heard))
            coming = asyncio.create_task(events(other, run_id, 2))
            await other.wait_runs(1)
            await asyncio.sleep(0.1)
            fleet.stores[0].is_cut = True
            answer = await coming
            assert "run_begun_anew" in answer.text
            assert "three" not in answer.text
            fleet.stores[0].is_cut = False


async def test_who_has_a_part_of_what_was_not_heard_here_is_told_to_ask_for_all_of_it(
    models: ModelServer, fleet: Fleet
) -> None:
    """The store has it in one piece: who had three was told that it had ended, and nothing of the rest."""
    gate = asyncio.Event()
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    models.enqueue(says("one ", "two ", Hold(gate), "three "))
    async with members(fleet, "all", "front") as (one, other):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(one) as session, session.post(CHAT, json=body, headers=DETACH) as response:
            heard = (await response.content.readuntil(b"two ")).decode() + '"'
            run_id = id_of(Answer(200, response.headers.copy(), heard))
            coming = [asyncio.create_task(events(other, run_id, had)) for had in (3, None)]
            await other.wait_runs(1)
            await asyncio.sleep(0.1)
            gate.set()
            behind, whole = await asyncio.gather(*coming)
            assert "events_gone" in behind.text
            assert "".join(said(whole)) == "one two three "
            assert (await events(other, run_id, 3)).status == 410


@pytest.mark.parametrize("is_away", [False, True])
async def test_an_answer_that_has_failed_is_told_on_as_it_was_where_it_was_heard(
    models: ModelServer, fleet: Fleet, *, is_away: bool
) -> None:
    models.enqueue(says("one ", "two ", Cut()))
    body = {"model": "openclaw/main", "messages": [user("hi")], "stream": True}
    async with members(fleet, "front", "worker") as (front, worker):
        heard = await ask(front, body, headers=DETACH)
        await worker.wait_no_runs()
        fleet.stores[0].is_cut = is_away
        frames = frames_of(heard.text)
        assert frames_of((await events(front, id_of(heard))).text) == frames
        assert frames_of((await events(front, id_of(heard), 2)).text) == frames[2:]
        fleet.stores[0].is_cut = False


async def test_and_what_goes_on_of_it_is_stopped_by_its_name(models: ModelServer, fleet: Fleet) -> None:
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it", Hold(asyncio.Event())))
    named = {"Idempotency-Key": "k", **SESSION}
    async with members(fleet, "front", "worker", "worker") as (front, *workers):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body, headers=named) as response:
            await response.content.readuntil(b"half")
            executor = executing(fleet, front, *workers)
            executor.is_cut = True
            assert b"run_begun_anew" in await response.read()
            executor.is_cut = False
        await models.wait_requests(2)
        assert await front.gateway.abort(OPERATOR, "k")
        await models.wait_aborted(2)
        for each in (front, *workers):
            await each.wait_no_runs()
        assert await fleet.runs(front) == ["aborted"]
        assert not await front.gateway.abort(OPERATOR, "k")


@pytest.mark.parametrize("role", ["all", "front"])
async def test_who_asks_again_after_a_beginning_anew_hears_the_second_one_alone(
    models: ModelServer, fleet: Fleet, role: Role
) -> None:
    """Also where it is heard, and not executed, once more."""
    gate = asyncio.Event()
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all ", Hold(gate), "of it"))
    key = {"Idempotency-Key": "k", **SESSION}
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with members(fleet, "all", role, "all") as (one, other, third):
        lost = asyncio.create_task(ask(one, body, headers=key))
        await models.wait_requests(1)
        async with http(other) as session, session.post(CHAT, json=body, headers=key) as response:
            await response.content.readuntil(b"half")
            fleet.stores[0].is_cut = True
            rest = (await response.content.read()).decode()
        await models.wait_requests(2)
        again = [asyncio.create_task(ask(each, body, headers=key)) for each in (other, third)]
        for each in (other, third):
            await each.wait_runs(1)
        gate.set()
        assert {"".join(said(answer)) for answer in await asyncio.gather(*again)} == {"all of it"}
        await lost
        fleet.stores[0].is_cut = False
    assert "run_begun_anew" in rest


@RECORDED
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("is_over", [False, True])
async def test_a_process_that_was_paused_gives_its_client_what_another_has_made_of_its_run(
    models: ModelServer, fleet: Fleet, where: dict[str, str], *, is_over: bool, stream: bool
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("", Hold(asyncio.Event())), says("all ", Hold(gate), "of it"))
    body = {"model": "openclaw", "messages": [user("hi")], "stream": stream}
    async with members(fleet, "all", "all") as (one, other):
        asked = asyncio.create_task(ask(one, body, headers=where))
        await models.wait_requests(1)
        fleet.stores[0].goes_on.clear()
        await models.wait_requests(2)
        if is_over:
            gate.set()
            await other.wait_no_runs()
        fleet.stores[0].goes_on.set()
        await models.wait_aborted(1)
        gate.set()
        answer = await asked
        assert answer.status == 200
        assert ("".join(said(answer)) if stream else answer.content) == "all of it"
        assert await fleet.runs(one) == (["completed"] if where is SESSION else [])
        assert await fleet.transcript() == (["hi", "all of it"] if where is SESSION else [])


@RECORDED
async def test_whose_run_could_not_be_kept_is_told_to_ask_again(
    models: ModelServer, fleet: Fleet, where: dict[str, str]
) -> None:
    models.enqueue(says("", Hold(asyncio.Event())))
    async with fleet.member("all") as one:
        asked = asyncio.create_task(say(one, "hi", **where))
        await models.wait_requests(1)
        fleet.stores[0].is_cut = True
        answer = await asked
        fleet.stores[0].is_cut = False
    assert answer.status == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert where is SESSION or "send the request again" in answer.error["message"]


class Never:
    """A `Lapse` of a process that does not run when its time is up."""

    def __init__(self, when: float, then: Callable[[], None]) -> None:
        pass

    def cancel(self) -> None:
        pass


async def overtaken(
    models: ModelServer, fleet: Fleet, one: RunningGateway, other: RunningGateway
) -> asyncio.Task[Answer]:
    """What a client hears of a run that the other has begun anew, and ended, while the one was paused. It is
    paused still."""
    asked = asyncio.create_task(say(one, "hi", **NAMED))
    await models.wait_requests(1)
    fleet.stores[0].goes_on.clear()
    await models.wait_requests(2)
    await other.wait_no_runs()
    return asked


async def test_one_that_beats_again_asks_first_what_it_has_lost_meanwhile(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "Lapse", Never)
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))
    async with members(fleet, "all", "all") as (one, other):
        asked = await overtaken(models, fleet, one, other)
        fleet.stores[0].goes_on.set()
        await models.wait_aborted(1)
        assert (await asked).content == "all of it"


async def test_its_client_is_not_given_what_it_has_made_of_a_run_that_another_has_ended(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "Lapse", Never)
    gate = asyncio.Event()
    models.enqueue(says("", Hold(gate), "of one"), says("of the other"))
    async with members(fleet, "all", "all") as (one, other):
        monkeypatch.setattr(fleet.stores[0], "lost", _nothing)
        asked = await overtaken(models, fleet, one, other)
        gate.set()
        fleet.stores[0].goes_on.set()
        assert (await asked).content == "of the other"
        assert (await say(one, "hi", **NAMED)).content == "of the other"


async def _nothing(_: object) -> frozenset[str]:
    return frozenset()


async def test_nor_where_that_is_found_out_while_its_end_is_on_its_way(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped with its answer whole, and its client was given that."""
    monkeypatch.setattr(membership, "Lapse", Never)
    gate = asyncio.Event()
    models.enqueue(says("", Hold(gate), "of one"), says("of the other"))
    async with members(fleet, "all", "all") as (one, other):
        store = fleet.stores[0]
        conclude, is_at_its_end = store.conclude, asyncio.Event()

        async def found_out(*given: Any, **named: Any) -> None:
            (run,) = one.gateway._live.running()
            run.abort(TAKEN_OVER)
            is_at_its_end.set()
            await conclude(*given, **named)

        asked = await overtaken(models, fleet, one, other)
        monkeypatch.setattr(store, "conclude", found_out)
        gate.set()
        await is_at_its_end.wait()
        store.goes_on.set()
        assert (await asked).content == "of the other"


async def test_and_is_given_the_other_one_though_the_store_does_not_say_at_once_that_there_is_one(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "Lapse", Never)
    models.enqueue(says("", Hold(asyncio.Event())), says("of the other"))
    async with members(fleet, "all", "all") as (one, other):
        store = fleet.stores[0]
        get_run, falters = store.get_run, iter([True])

        async def found(*given: Any) -> RunRecord | None:
            if next(falters, False):
                raise StoreError("busy")
            return await get_run(*given)

        asked = await overtaken(models, fleet, one, other)
        monkeypatch.setattr(store, "get_run", found)
        store.goes_on.set()
        answer = await asked
        assert (answer.status, answer.content) == (200, "of the other")
        assert next(falters, None) is None


@RECORDED
async def test_what_is_stopped_where_it_was_lost_is_stopped_where_it_is(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, where: dict[str, str]
) -> None:
    """Who had stopped it waited for all of its answer."""
    for module in (membership, leases):
        monkeypatch.setattr(module, "Lapse", Never)
    models.script("mock-echo", says("", Hold(asyncio.Event())))
    async with members(fleet, "all", "all") as (one, other):
        asked = asyncio.create_task(say(one, "hi", **where))
        await models.wait_requests(1)
        fleet.stores[0].goes_on.clear()
        await models.wait_requests(2)
        (run,) = one.gateway._live.running()
        assert run.abort(BY_REQUEST)
        fleet.stores[0].goes_on.set()
        assert (await asked).status == 499
        await models.wait_aborted(2)
        await other.wait_no_runs()


@pytest.mark.parametrize("roles", [("all",), ("front", "worker")], ids=["alone", "at a front"])
async def test_what_was_stopped_because_the_store_was_away_is_done_when_it_is_asked_again(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, ...]
) -> None:
    """No other process had it: its client was told that one had, and that it was aborted, after which no SDK
    asks again."""
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))
    async with members(fleet, *roles) as (first, *_):
        asked = asyncio.create_task(say(first, "hi", **NAMED))
        await models.wait_requests(1)
        fleet.stores[-1].is_cut = True
        await models.wait_aborted(1)
        fleet.stores[-1].is_cut = False
        stopped = await asked
        assert (stopped.status, stopped.error["code"]) == (503, "store_unavailable")
        assert stopped.headers["Retry-After"] == "1"
        async with asyncio.timeout(10):
            # Its name stands for it until the store has heard of its end.
            while (again := await say(first, "hi", **NAMED)).status != 200:
                pass
        assert again.content == "all of it"


@RECORDED
async def test_and_not_to_one_that_has_heard_words(
    models: ModelServer, fleet: Fleet, where: dict[str, str]
) -> None:
    models.enqueue(says("half of", Hold(asyncio.Event())), says("all of it"))
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with members(fleet, "all", "all") as (one, other):
        async with http(one) as session, session.post(CHAT, json=body, headers=where) as response:
            await response.content.readuntil(b"half")
            fleet.stores[0].goes_on.clear()
            await models.wait_requests(2)
            await other.wait_no_runs()
            fleet.stores[0].goes_on.set()
            rest = (await response.content.read()).decode()
        assert "run_begun_anew" in rest
        assert "all of it" not in rest
        # Both executions were paid for.
        everything = SpendingWanted(OPERATOR.owner, 0, 1 << 50)
        async with asyncio.timeout(10):
            while sum(each.runs for each in await fleet.stores[1].spent(everything)) < 2:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_what_waited_at_a_process_that_was_paused_is_answered_there(
    models: ModelServer, fleet: Fleet
) -> None:
    models.enqueue(says("", Hold(asyncio.Event())), says("first"), says("second"))
    async with members(fleet, "all", "all") as (one, other):
        first = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        second = asyncio.create_task(say(one, "and this", **SESSION))
        async with asyncio.timeout(10):
            while len(await fleet.runs(one)) < 2:  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.01)
        fleet.stores[0].goes_on.clear()
        await models.wait_requests(3)
        await other.wait_no_runs()
        fleet.stores[0].goes_on.set()
        answers = await asyncio.gather(first, second)
        assert [(answer.status, answer.content) for answer in answers] == [(200, "first"), (200, "second")]


@pytest.mark.promise("cluster-acted")
async def test_what_has_acted_is_not_done_twice(models: ModelServer, fleet: Fleet) -> None:
    call = ("1", "write", '{"path": "made.txt", "content": "x"}')
    models.enqueue(calls(call), says("", Hold(asyncio.Event())))
    async with members(fleet, "front", "worker", "worker") as (front, *workers):
        asked = asyncio.create_task(say(front, "write it", **SESSION))
        await models.wait_requests(2)
        executor = executing(fleet, front, *workers)
        executor.is_cut = True
        answer = await asked
        executor.is_cut = False
        assert (answer.status, answer.error["code"]) == (503, "run_interrupted")
        # Its client's SDK would ask again by itself, and have it done twice.
        assert answer.headers["x-should-retry"] == "false"
        assert "used tools" in answer.error["message"]
        assert len(models.requests) == 2


@WHEREVER
async def test_a_worker_that_is_stopped_hands_over_what_it_cannot_end(
    models: ModelServer, fleet: Fleet, where: dict[str, str]
) -> None:
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))
    async with fleet.member("front") as front:
        async with fleet.member("worker") as worker:
            asked = asyncio.create_task(say(front, "hi", **where))
            await models.wait_requests(1)
            await worker.gateway.drain(0.05)
        assert not asked.done()
        async with fleet.member("worker"):
            assert (await asked).content == "all of it"
        assert await fleet.runs(front) == (["completed"] if where else [])


async def test_who_has_handed_a_run_over_does_not_wait_for_what_becomes_of_it(
    models: ModelServer, fleet: Fleet
) -> None:
    """One with a session kept its process until the other had ended it, or for a quarter of a minute."""
    gate = asyncio.Event()
    models.enqueue(says("", Hold(asyncio.Event())), says("all ", Hold(gate), "of it"))
    async with members(fleet, "all", "all", "front") as (one, _, front):
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        left = asyncio.create_task(ask(one, body, headers={**DETACH, **SESSION}))
        await models.wait_requests(1)
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        (run,) = one.gateway._live.running()
        heard = asyncio.create_task(events(front, run.id))
        await front.wait_runs(1)
        async with asyncio.timeout(5):
            await one.gateway.drain(0.05)
        gate.set()
        assert "".join(said(await heard)) == "all of it"
        assert await fleet.runs(front) == ["completed"]


@RECORDED
async def test_who_follows_a_run_that_is_handed_over_hears_it_to_its_end(
    models: ModelServer, fleet: Fleet, where: dict[str, str]
) -> None:
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with fleet.member("front") as front:
        async with fleet.member("all") as one:
            async with http(one) as session, session.post(CHAT, json=body, headers=where | DETACH) as left:
                run_id = id_of(Answer(200, left.headers.copy(), (await first_frame(left)).decode()))
            followed = asyncio.create_task(events(front, run_id))
            await front.wait_runs(1)
            await one.gateway.drain(0.05)
        assert not followed.done()
        async with fleet.member("worker"):
            assert "".join(said(await followed)) == "all of it"
        assert await fleet.runs(front) == (["completed"] if where is SESSION else [])


async def test_who_takes_up_again_what_it_had_lost_does_not_end_it(models: ModelServer, fleet: Fleet) -> None:
    """What it was at until then ended what it was at from then on."""
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))

    async def lost(db: Connection) -> None:
        """While it was paused another one has had it, and has given it up."""
        await db.execute(
            "UPDATE runs SET status = 'queued', replica = NULL, attempts = attempts + 1, "
            "handed = handed + 1, token = nextval('arrivals') WHERE ended_ms IS NULL"
        )

    async def statuses(db: Connection) -> list[str]:
        return [row["status"] for row in await db.fetch("SELECT status FROM runs")]

    async with members(fleet, "front", "worker") as (front, _):
        asked = asyncio.create_task(say(front, "hi", **NAMED))
        await models.wait_requests(1, deadline_s=30)
        await fleet.stores[0]._pool.submit(lost)
        assert (await asked).content == "all of it"
        assert len(models.requests) == 2
        assert await fleet.stores[0]._pool.submit(statuses) == ["completed"]


async def test_what_was_done_while_it_was_handed_over_is_not_done_again(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.enqueue(says("all of it"), says("another time"))
    original = RunLoop._keeping

    async def keeping(self: RunLoop, run: Run, answer: Any, result: RunResult) -> RunResult:
        assert await fleet.stores[1].hand_over(run.id)
        run.abort(HANDED_OVER)
        return await original(self, run, answer, result)

    monkeypatch.setattr(RunLoop, "_keeping", keeping)
    async with members(fleet, "front", "worker") as (front, _):
        assert (await say(front, "hi")).content == "all of it"
        assert len(models.requests) == 1


@pytest.mark.parametrize(("status", "told"), [("failed", 503), ("aborted", 499)])
async def test_a_run_that_ended_without_a_word_has_no_empty_answer(
    fleet: Fleet, status: RunStatus, told: int
) -> None:
    """As one does of which its process did not hear whether it had been recorded."""
    async with fleet.member("front") as front:
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await front.wait_runs(1)
        await fleet.stores[0].withdraw(await open_run(fleet.stores[0]), status)
        answer = await asked
    assert answer.status == told
    assert answer.error["message"]


async def test_how_a_run_has_ended_is_asked_again_where_the_store_does_not_say(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had said that there is an end: its client was told that the store was away."""
    async with fleet.member("front") as front:
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await front.wait_runs(1)
        store = fleet.stores[0]
        run_id = await open_run(store)
        result, falters = store.result, iter([True])

        async def kept(*given: Any) -> bytes | None:
            if next(falters, False):
                raise StoreError("busy")
            return await result(*given)

        monkeypatch.setattr(store, "result", kept)
        await store.withdraw(run_id, "aborted")
        assert (await asked).status == 499
        assert next(falters, None) is None


async def open_run(store: Severable) -> str:
    """The first of the session, once the store has it."""
    async with asyncio.timeout(5):
        while not (found := await store.open_runs(OPERATOR.owner, "agent:main:s")):  # noqa: ASYNC110
            await asyncio.sleep(0)
    return found[0]


async def test_who_follows_a_run_may_come_to_execute_it(models: ModelServer, fleet: Fleet) -> None:
    models.enqueue(says("", Hold(asyncio.Event())), says("all of it"))
    key = {"Idempotency-Key": "k", **SESSION}
    async with members(fleet, "all", "all") as (one, other):
        lost = asyncio.create_task(say(one, "hi", **key))
        await models.wait_requests(1)
        followed = asyncio.create_task(say(other, "hi", **key))
        await other.wait_runs(1)
        fleet.stores[0].is_cut = True
        assert (await followed).content == "all of it"
        assert (await lost).status == 503
        await one.wait_no_runs()
        fleet.stores[0].is_cut = False
        assert await fleet.runs(other) == ["completed"]
        assert await fleet.transcript() == ["hi", "all of it"]
        assert (await say(one, "hi", **key)).content == "all of it"
        await other.wait_no_runs()


async def test_with_the_bus_away_runs_go_on_and_are_told(fleet: Fleet) -> None:
    """The final answer comes from the store."""
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with members(fleet, "front", "worker", "all") as (front, _, alone):
        assert (await say(front, "one two", **SESSION)).content == "one two"
        streamed = await ask(alone, {"model": "openclaw", "messages": [user("a b c")], "stream": True})
        assert [frame for frame in frames_of(streamed.text) if '"b' in frame]
        assert not front.gateway.bus_health().connected


@pytest.mark.parametrize("has_bus", [True, False])
async def test_without_the_bus_a_run_is_stopped_long_before_its_lease_is_renewed(
    models: ModelServer, fleet: Fleet, *, has_bus: bool
) -> None:
    models.script("mock-echo", says("", Hold(asyncio.Event())))
    fleet.config["store"]["leaseSeconds"] = 600
    if has_bus:
        fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    else:
        del fleet.config["bus"]
    async with members(fleet, "all", "all") as (one, other):
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        await models.wait_requests(1)
        assert await other.gateway.abort_session(OPERATOR, "agent:main:s")
        await models.wait_aborted(1, deadline_s=30)
        assert (await asked).status != 200


async def test_a_database_that_says_nothing_holds_up_no_words(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A front looks for the end of a run there, too, and told nothing of what the bus brought meanwhile."""
    gate, looks, answers = asyncio.Event(), asyncio.Event(), asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with members(fleet, "front", "worker") as (front, _):
        get_run = fleet.stores[0].get_run

        async def silent(owner: str, run_id: str) -> RunRecord | None:
            looks.set()
            await answers.wait()
            return await get_run(owner, run_id)

        monkeypatch.setattr(fleet.stores[0], "get_run", silent)
        body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
        async with http(front) as session, session.post(CHAT, json=body) as response:
            async with asyncio.timeout(15):
                await response.content.readuntil(b"one")
                await looks.wait()
                gate.set()
                await response.content.readuntil(b"two")
                await response.content.readuntil(b"[DONE]")
        answers.set()


async def test_without_the_bus_a_client_that_leaves_a_front_ends_the_call_of_the_model_too(
    models: ModelServer, fleet: Fleet
) -> None:
    """Of a run without a session: nobody had told who executes it, and it went on to its end."""
    models.script("mock-echo", says("", Hold(asyncio.Event())))
    fleet.config["store"]["leaseSeconds"] = 600
    fleet.config["bus"] = {"url": "redis://127.0.0.1:9"}
    async with members(fleet, "front", "worker") as (front, worker):
        asked = asyncio.create_task(say(front, "hi"))
        await models.wait_requests(1)
        asked.cancel()
        await models.wait_aborted(1, deadline_s=15)
        for each in (front, worker):
            await each.wait_no_runs()


async def test_a_status_tells_who_is_there_and_what_they_lack(fleet: Fleet) -> None:
    del fleet.config["bus"]
    async with members(fleet, "all", "all") as (one, other):
        addresses = {f"{gethostname()}:{each.url.rpartition(':')[2]}" for each in (one, other)}
        async with connected(one) as peer, asyncio.timeout(10):
            # A socket may not ask so often.
            while {each.address for each in await one.gateway.replicas()} != addresses:  # noqa: ASYNC110
                await asyncio.sleep(0)
            told = await peer.result("status")
            assert {each["address"] for each in told["replicas"]} == addresses
        assert not told["bus"]["connected"]
        assert "bus.url" in told["bus"]["reason"]


async def test_a_worker_asks_who_is_there_at_a_front(models: ModelServer, fleet: Fleet) -> None:
    fleet.config["tools"] = {"exec": {"security": "allowlist", "ask": "on-miss"}}
    models.enqueue(calls(("1", "exec", '{"command": "touch made.txt"}')), says("Done."))
    async with members(fleet, "front", "front", "worker") as (front, other, worker):
        async with connected(front) as peer, connected(other) as second:
            asked = asyncio.create_task(
                peer.result(
                    "agent",
                    {"message": "make it", "sessionKey": "agent:main:s", "idempotencyKey": "one"},
                )
            )
            event = await second.event("exec.approval.requested")
            assert "touch made.txt" in event["payload"]["request"]["command"]
            await second.result(
                "exec.approval.resolve", {"id": event["payload"]["id"], "decision": "allow-once"}
            )
            resolved = await peer.event("exec.approval.resolved")
            assert resolved["payload"]["decision"] == "allow-once"
            await asked
            await peer.result("agent.wait", {"runId": "one", "timeoutMs": 10_000})
        await worker.wait_no_runs()
        assert (await fleet.transcript())[-1] == "Done."


@pytest.mark.parametrize("role", ["front", "all"])
async def test_a_repeat_at_another_is_nothing_that_is_told(
    models: ModelServer, fleet: Fleet, role: Role
) -> None:
    key = {"Idempotency-Key": "k", **SESSION}
    async with members(fleet, "front", role, "worker") as (front, other, _), connected(other) as peer:
        first = await say(front, "hi", **key)
        await peer.result("sessions.subscribe")
        again = await say(other, "hi", **key)
        assert (again.status, again.content) == (200, first.content)
        await say(other, "more", **SESSION)
        await peer.event("sessions.changed", phase="end")
        told = [
            one["payload"] for one in peer.events if one["event"] in ("sessions.changed", "chat", "agent")
        ]
        assert len({each["runId"] for each in told}) == 1, told
        assert len(models.requests) == 2


TWO = {"list": [{"id": "main", "default": True}, {"id": "two"}]}


@pytest.mark.parametrize("headers", [{}, {"x-openclaw-session-key": "agent:two:s"}])
async def test_an_agent_that_a_front_knows_first_is_waited_for(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str]
) -> None:
    """Who made an agent at one process and talked to it was told that there is none."""
    monkeypatch.setattr(membership, "_CONFIGURED_WITHIN_S", 20.0)
    fleet.config["store"]["leaseSeconds"] = 60
    async with fleet.member("worker") as worker:
        fleet.config["agents"] = TWO
        async with fleet.member("front") as front:
            body = {"model": "openclaw/two", "messages": [user("hi")]}
            asking = asyncio.create_task(ask(front, body, headers=headers))
            await front.wait_runs(1)
            write_config(worker.state_dir, model_config(models.base_url, fleet.config))
            answer = await asking
            assert (answer.status, answer.content) == (200, "hi")
            await worker.wait_no_runs()


async def test_what_fails_while_it_waits_to_be_configured_is_given_up_again(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured, failed = Membership._configured, asyncio.Event()

    async def fails_first(self: Membership, request: RunRequest) -> Plan:
        if failed.is_set():
            return await configured(self, request)
        failed.set()
        raise RuntimeError("of nobody's making")

    monkeypatch.setattr(Membership, "_configured", fails_first)
    fleet.config["store"]["leaseSeconds"] = 60
    async with fleet.member("worker") as worker:
        fleet.config["agents"] = TWO
        async with fleet.member("front") as front:
            asking = asyncio.create_task(ask(front, {"model": "openclaw/two", "messages": [user("hi")]}))
            await failed.wait()
            write_config(worker.state_dir, model_config(models.base_url, fleet.config))
            answer = await asking
            assert (answer.status, answer.content) == (200, "hi")
            await worker.wait_no_runs()


async def test_what_a_worker_is_not_configured_for_is_refused_and_its_log_says_why(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "_CONFIGURED_WITHIN_S", 0.0)
    fleet.config["gateway"] = {"limits": {"maxRuns": 1}}
    async with fleet.member("worker") as worker:
        fleet.config["agents"] = TWO
        async with fleet.member("front") as front:
            with logged() as log:
                answer = await ask(front, {"model": "openclaw/two", "messages": [user("hi")]})
                (line,) = log.lines("work.refused")
            assert (answer.status, answer.error["code"]) == (400, "agent_not_found")
            assert (line["agent"], line["detail"]) == ("two", membership.DIFFERS)
            assert (await say(front, "hi")).content == "hi", "and its place is free"
            await worker.wait_no_runs()


@pytest.mark.promise("error.no_worker")
async def test_with_no_worker_at_all_nothing_waits_for_ever(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirrored, "_NOBODY_S", 1.0)
    async with fleet.member("front") as front:
        answer = await say(front, "hi", **SESSION)
        assert (answer.status, answer.error["code"]) == (503, "no_worker")
        assert int(answer.headers["Retry-After"]) > 0
        async with fleet.member("worker") as worker:
            assert (await say(front, "again", **SESSION)).content == "again"
            await worker.wait_no_runs()
        assert sorted(await fleet.runs(front)) == ["aborted", "completed"]


async def test_a_session_made_through_a_front_is_told_of_everywhere(fleet: Fleet) -> None:
    async with members(fleet, "front", "front", "worker") as (front, other, _):
        changes: asyncio.Queue[str] = asyncio.Queue()
        listener = Listener(changed=lambda change: changes.put_nowait(f"{change.reason} {change.key}"))
        silence = other.gateway.listen(OPERATOR, listener)
        # The worker may not have been told yet that somebody listens.
        async with asyncio.timeout(20):
            for number in itertools.count():
                key = f"agent:main:{number}"
                await say(front, "hi", **{"x-openclaw-session-key": key})
                with suppress(TimeoutError):
                    assert await asyncio.wait_for(changes.get(), 1) == f"create {key}"
                    break
        silence()


async def test_what_was_done_to_a_session_is_told_once(fleet: Fleet) -> None:
    """By whoever did it: those who follow its run told of it as well, each of them everybody."""
    async with members(fleet, "front", "front", "worker") as (front, other, worker):
        await say(front, "hi", **SESSION)
        changes: asyncio.Queue[str] = asyncio.Queue()
        listener = Listener(changed=lambda change: changes.put_nowait(change.reason))
        silence = other.gateway.listen(OPERATOR, listener)
        async with connected(front) as peer, connected(worker) as last:
            await peer.result("chat.inject", {"sessionKey": "agent:main:s", "message": "a note"})
            for each in (front, other, worker):
                await each.wait_no_runs()
            # What they have told by now comes before what they tell next.
            for n, each_peer in enumerate((peer, last)):
                await each_peer.result("sessions.patch", {"key": "agent:main:s", "label": f"label {n}"})
        heard: list[str] = []
        async with asyncio.timeout(5):
            while heard.count("patch") < 2:
                heard.append(await changes.get())
        assert heard.count("inject") == 1
        silence()


@pytest.mark.promise("lock-out-shared")
async def test_who_guesses_at_many_is_locked_out_at_all(fleet: Fleet) -> None:
    fleet.config |= {"gateway": {"auth": {"rateLimit": {"maxAttempts": 4}}}}
    async with members(fleet, "all", "front", "worker") as every:

        async def guess(gateway: RunningGateway) -> int:
            return (await say(gateway, "hi", Authorization="Bearer wrong")).status

        assert [await guess(gateway) for gateway in (*every, every[0])] == [401] * 4
        async with asyncio.timeout(10):
            while [await guess(gateway) for gateway in every] != [429] * 3:
                pass
        for gateway in every:
            assert (await say(gateway, "hi")).status == 200


@pytest.mark.promise("limit.leaveSeconds")
async def test_one_that_leaves_says_so_before_it_refuses_anybody(models: ModelServer, fleet: Fleet) -> None:
    gate = asyncio.Event()
    models.enqueue(says("", Hold(gate), "still here"))
    async with members(fleet, "front", "worker") as (front, _):
        leaving = asyncio.create_task(front.daemon.leave())
        async with asyncio.timeout(10):
            while (await front.gateway.readiness()).failing != ("draining",):  # noqa: ASYNC110
                await asyncio.sleep(0)
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await models.wait_requests(1)
        gate.set()
        assert (await asked).content == "still here"
        await leaving


@pytest.mark.parametrize("roles", [("front", "front", "worker"), ("all", "all", "all")])
async def test_a_user_interrupts_nobody_elses_run(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, Role, Role]
) -> None:
    """Who waits for a session may end what he could end in one process: his own."""
    gate = asyncio.Event()
    models.enqueue(says("for ada", Hold(gate)), says("for ben"), says("half", Hold(asyncio.Event())))
    async with members(fleet, *roles) as (one, other, _):
        first = asyncio.create_task(asked_by(one, "ada", "hi"))
        await models.wait_requests(1)
        second = asyncio.create_task(asked_by(other, "ben", "me now", **NOW))
        await other.wait_runs(1)
        # Once somebody is refused behind it, what it may end has been asked to.
        assert (await asked_by(other, "ben", "or not", **{"x-openclaw-queue": "reject"})).status == 429
        gate.set()
        assert (await first).content == "for ada"
        await second
        mine = asyncio.create_task(asked_by(one, "ada", "once more"))
        await models.wait_requests(3)
        third = asyncio.create_task(asked_by(other, "ada", "never mind", **NOW))
        assert (await mine).status == 499
        assert (await third).content == "never mind"


NOW = {"x-openclaw-queue": "interrupt"}


async def asked_by(gateway: RunningGateway, who: str, text: str, **headers: str) -> Answer:
    body = {"model": "openclaw", "user": who, "messages": [user(text)]}
    return await ask(gateway, body, headers={**SESSION, **headers})


async def test_who_would_not_wait_and_whose_turn_has_just_come_is_answered(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate)))

    async def withdrawn(run_id: str, status: str) -> None:
        """A worker was quicker."""
        gate.set()
        raise StoreError("This run is not waiting.", code="run_not_open")

    async with members(fleet, "front", "worker") as (front, _):
        asked = asyncio.create_task(say(front, "hi", **SESSION))
        await models.wait_requests(1)
        monkeypatch.setattr(fleet.stores[0], "withdraw", withdrawn)
        second = await say(front, "me too", **SESSION, **{"x-openclaw-queue": "reject"})
        assert (second.status, second.content) == (200, "me too")
        assert (await asked).content == "a"


async def in_background(gateway: RunningGateway, text: str) -> str:
    """The id of a response that nobody waits for."""
    body = {"model": "openclaw", "input": text, "background": True}
    async with http(gateway) as session, session.post("/v1/responses", json=body) as response:
        return str((await response.json())["id"])


async def response_at(gateway: RunningGateway, id_: str, *statuses: str) -> dict[str, Any]:
    """It, once it has one of these statuses."""
    async with asyncio.timeout(10), http(gateway) as session:
        while True:
            async with session.get(f"/v1/responses/{id_}") as response:
                told: dict[str, Any] = await response.json()
            if told["status"] in statuses:
                return told


async def test_a_front_that_leaves_ends_nothing_that_nobody_waits_for_there(
    models: ModelServer, fleet: Fleet
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"))
    fleet.config["gateway"] = {"http": {"endpoints": {"responses": {"enabled": True}}}}
    async with members(fleet, "front", "worker") as (other, _):
        async with fleet.member("front") as front:
            id_ = await in_background(front, "hi")
            await models.wait_requests(1)
            await front.gateway.drain(0)
        assert (await response_at(other, id_, "in_progress", "cancelled", "failed"))[
            "status"
        ] == "in_progress"
        gate.set()
        done = await response_at(other, id_, "completed", "cancelled", "failed")
        assert [part["text"] for item in done["output"] for part in item["content"]] == ["one two"]
        assert models.aborted == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_who_waits_at_a_front_that_leaves_is_told_so(
    models: ModelServer, fleet: Fleet, *, stream: bool
) -> None:
    models.script("mock-echo", says("half ", Hold(asyncio.Event())))
    fleet.config["gateway"] = {"limits": {"drainSeconds": 0.05}}
    body = {"model": "openclaw", "messages": [user("hi")], "stream": stream}
    async with members(fleet, "front", "worker") as (front, _):
        asked = asyncio.create_task(ask(front, body, headers=SESSION))
        await models.wait_requests(1)
        await front.daemon.drain()
        answer = await asked
        told = answer.frames[-2]["error"] if answer.status == 200 else answer.error
        assert told["code"] == "draining"
        await models.wait_aborted(1)


@pytest.mark.parametrize("waits", [True, False])
async def test_at_a_front_a_limit_is_a_limit_also_of_what_waits(
    models: ModelServer, fleet: Fleet, *, waits: bool
) -> None:
    """Whichever process sees it first."""
    fleet.config["agents"] = {"defaults": {"timeoutSeconds": 1}}
    models.script("mock-echo", says("half ", Hold(asyncio.Event())))
    async with fleet.member("front") as front:
        if waits:
            late = await say(front, "hi", **SESSION)
        else:
            async with fleet.member("worker"):
                late = await say(front, "hi", **SESSION)
        assert (late.status, late.error["code"]) == (504, "run_timeout"), late.text


async def test_what_was_stopped_at_a_front_before_its_turn_stays_stopped(
    models: ModelServer, fleet: Fleet
) -> None:
    """A client repeats what it is not sure of, and does not know that its user has stopped it meanwhile."""
    gate = asyncio.Event()
    models.enqueue(says("Fir", Hold(gate), "st."))
    async with members(fleet, "front", "worker") as (front, _), connected(front) as peer:
        await peer.result("chat.send", sent("one", "look"))
        await models.wait_requests(1)
        await peer.result("chat.send", sent("two", "and hurry"))
        await peer.result("chat.abort", {"sessionKey": "talk", "runId": "two"})
        await peer.event("chat", runId="two", state="aborted")
        again = await peer.result("chat.send", sent("two", "and hurry"))
        assert again == {"runId": "two", "status": "ok"}
        gate.set()
        await peer.event("chat", runId="one", state="final")
        await front.wait_no_runs()
        assert len(models.requests) == 1


async def test_two_gateways_at_one_redis_hear_nothing_of_each_other(
    models: ModelServer, fleet: Fleet, postgres_server: Postgres
) -> None:
    """Whichever database of it they name: what is told there is told to all."""
    async with members(fleet, "all", "all") as (mine, sibling):
        fleet.config["store"] = {"url": await postgres_server.new_database(), "leaseSeconds": 1}
        async with members(fleet, "front", "worker") as (front, worker), connected(front) as peer:
            heard: list[object] = []
            silence = mine.gateway.listen(OPERATOR, Listener(heard.append, heard.append, heard.append))
            news: asyncio.Queue[bytes] = asyncio.Queue()
            ignore = mine.gateway._bus.hear(news.put_nowait), worker.gateway._bus.hear(news.put_nowait)
            await peer.result("chat.send", sent("one", "hi"))
            await peer.event("chat", runId="one", state="final")
            await peer.result("sessions.patch", {"key": "talk", "label": "secret"})
            front.gateway._bus.announce(b"theirs")
            async with asyncio.timeout(5):
                while await news.get() != b"theirs":
                    pass
                # Had anything of the others been told to it, that came before this.
                sibling.gateway._bus.announce(b"ours")
                while await news.get() != b"ours":
                    pass
            assert not heard
            for each in (*ignore, silence):
                each()

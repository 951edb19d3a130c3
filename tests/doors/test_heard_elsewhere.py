"""Who listens at one process of a gateway hears of the runs of another as he would there: also of those that
runs start, and to their end."""

import asyncio
from typing import Any, cast

import msgspec
import pytest

from openclaw_gateway.doors.ws import telling
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs import run as runs
from openclaw_gateway.runs.elsewhere.news import News, NewsChannel, RunClosed
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, calls, says
from tests.doors.test_replicas import SESSION, Fleet, fleet, members, say
from tests.ws.peer import Peer, connected, request

__all__ = ["fleet"]

FRONT: tuple[Role, ...] = ("front", "worker")
ALL: tuple[Role, ...] = ("all", "all")


def called(name: str, **arguments: Any) -> Call:
    return Call(name, msgspec.json.encode(arguments).decode())


async def asks(peer: Peer) -> None:
    await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k", "sessionKey": "a"}))
    await peer.answer("r")


async def listed(peer: Peer) -> list[tuple[str, int, str | None]]:
    rows = (await peer.result("status"))["runs"]["list"]
    return sorted((row["sessionKey"] or "", row["depth"], row["parent"]) for row in rows)


@pytest.mark.parametrize("roles", [FRONT, ALL])
async def test_what_a_run_sends_to_another_conversation_is_heard_and_stopped_at_another(
    models: ModelServer, fleet: Fleet, roles: tuple[Role, ...]
) -> None:
    to = "agent:main:b"
    send = called("sessions_send", sessionKey=to, message="think", timeoutSeconds=600)
    models.enqueue(says("a"), calls(send), says("hm", Hold(asyncio.Event())), says("they would not"))
    async with members(fleet, *roles) as (one, other):
        await say(one, "hi", **{"x-openclaw-session-key": "b"})
        async with connected(one) as peer, connected(other) as second:
            for each in (peer, second):
                await each.result("sessions.subscribe")
            await asks(peer)
            child = ""
            for each in (peer, second):
                child = (await each.event("chat", sessionKey=to, state="delta"))["payload"]["runId"]
                assert await listed(each) == [("agent:main:a", 0, None), (to, 1, "k")]
            assert (await peer.result("chat.abort", {"runId": child}))["aborted"]
            for each in (peer, second):
                await each.event("chat", sessionKey=to, state="aborted")
                final = await each.event("chat", runId="k", state="final")
                assert final["payload"]["message"]["content"][0]["text"] == "they would not"
        await models.wait_aborted(1)


async def test_so_is_what_a_run_sends_of_which_the_store_knows_nothing(
    models: ModelServer, fleet: Fleet
) -> None:
    """The conversation is known, whoever speaks in it; also to who comes later."""
    to = "agent:main:b"
    fleet.config["tools"] = {"sessions": {"visibility": "agent"}}
    send = called("sessions_send", sessionKey=to, message="think", timeoutSeconds=600)
    models.enqueue(says("a"), calls(send), says("hm", Hold(asyncio.Event())), says("they would not"))
    async with members(fleet, *ALL) as (one, other):
        await say(one, "hi", **{"x-openclaw-session-key": "b"})
        async with connected(other) as peer, connected(other) as later:
            await peer.result("sessions.messages.subscribe", {"key": to})
            asked = asyncio.create_task(say(one, "go"))
            child = (await peer.event("chat", sessionKey=to, state="delta"))["payload"]["runId"]
            await later.result("sessions.subscribe")
            await later.event("chat", sessionKey=to, state="delta")
            assert (await later.result("chat.abort", {"runId": child}))["aborted"]
            for each in (peer, later):
                await each.event("chat", sessionKey=to, state="aborted")
        assert (await asked).content == "they would not"


@pytest.mark.parametrize("is_heard", [True, False])
async def test_a_sub_agent_is_heard_and_stopped_at_a_front(
    models: ModelServer, fleet: Fleet, *, is_heard: bool
) -> None:
    """It has no conversation, and the store knows nothing of it."""
    models.enqueue(
        calls(called("sessions_spawn", task="count")), says("1, ", Hold(asyncio.Event())), says("Well.")
    )
    async with members(fleet, *FRONT) as (front, worker), connected(front) as peer:
        if is_heard:
            await peer.result("sessions.subscribe")
        await asks(peer)
        await models.wait_requests(2)
        if is_heard:
            child = await started(peer, "k")
            assert await listed(peer) == [("", 1, "k"), ("agent:main:a", 0, None)]
        else:
            (child,) = [run.id for run in worker.gateway.running(OPERATOR) if run.parent is not None]
        async with asyncio.timeout(5):
            while not (await peer.result("chat.abort", {"runId": child}))["aborted"]:
                pass
        await models.wait_aborted(1)
        if is_heard:
            while (ended := (await peer.event("agent", runId=child))["payload"]["data"]).get(
                "phase"
            ) != "end":
                pass
            assert ended["aborted"]
        await peer.event("chat", runId="k", state="final")
        await front.wait_no_runs()


async def started(peer: Peer, but: str) -> str:
    """The id of the next other run."""
    while True:
        payload = (await peer.event("agent"))["payload"]
        if payload["runId"] != but:
            return str(payload["runId"])


async def test_a_sub_agent_whose_end_the_bus_has_lost_ends_with_its_parent_where_it_is_heard(
    models: ModelServer, fleet: Fleet
) -> None:
    gate = asyncio.Event()
    models.enqueue(calls(called("sessions_spawn", task="count")), says("1, ", Hold(gate)), says("Well."))
    async with members(fleet, *FRONT) as (front, worker), connected(front) as peer:
        await peer.result("sessions.subscribe")
        await asks(peer)
        child = await started(peer, "k")
        bus = cast(RedisBus, worker.gateway._bus)
        grown = bus._grown
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bus._local, "_grown", lambda log: log.run_id == child or grown(log))
            gate.set()
            await peer.event("chat", runId="k", state="final")
            await front.wait_no_runs()


async def test_what_a_run_had_started_is_no_news_once_that_run_has_ended(
    models: ModelServer, fleet: Fleet
) -> None:
    """Also where nobody could say so: the process that executed it has gone."""
    models.enqueue(calls(called("sessions_spawn", task="count")), says("1"), says("Well."), says("hello"))
    tell = NewsChannel.tell

    def lossy(self: NewsChannel, news: News) -> None:
        if not isinstance(news, RunClosed):
            tell(self, news)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NewsChannel, "tell", lossy)
        async with members(fleet, *FRONT) as (front, worker), connected(front) as peer:
            await asks(peer)
            for each in (front, worker):
                await each.wait_no_runs()
            heard: list[str | None] = []
            silence = front.gateway.listen(
                OPERATOR, Listener(lambda run: heard.append(run.request.session_key))
            )
            await say(front, "hi", **SESSION)
            await front.wait_no_runs()
            assert heard == ["agent:main:s"]
            silence()


async def test_who_listens_hears_a_run_to_its_end_though_a_client_that_followed_it_has_left(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "RETURN_S", 0.0)
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    key = {"Idempotency-Key": "k", **SESSION}
    async with members(fleet, *ALL) as (one, other):
        ends: asyncio.Queue[str] = asyncio.Queue()

        def ended(run: Run) -> None:
            if run.result is not None and not run.refused:
                ends.put_nowait(run.result.text)

        silence = other.gateway.listen(OPERATOR, Listener(ended=ended))
        asked = asyncio.create_task(say(one, "hi", **key))
        await models.wait_requests(1)
        follows = asyncio.create_task(say(other, "hi", **key))
        await clients(other, 1)
        follows.cancel()
        await clients(other, 0)
        gate.set()
        assert (await asked).content == "a b"
        async with asyncio.timeout(5):
            assert await ends.get() == "a b"
        silence()


@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "k"}])
async def test_a_run_that_is_over_before_another_finds_it_is_heard_there_whole(
    models: ModelServer, fleet: Fleet, key: dict[str, str]
) -> None:
    """One whose events are kept, and one that nobody may ask for again."""
    models.script("mock-echo", says("a ", "b"))
    over = asyncio.Event()
    async with members(fleet, *ALL) as (one, other):
        store = fleet.stores[1]
        work = store.work

        async def late(owner: str, run_id: str) -> bytes | None:
            await over.wait()
            return await work(owner, run_id)

        heard: asyncio.Queue[Run] = asyncio.Queue()
        silence = other.gateway.listen(OPERATOR, Listener(heard.put_nowait))
        setattr(store, "work", late)  # noqa: B010 - mypy lets nobody replace a method
        asked = await say(one, "hi", **SESSION, **key)
        await one.wait_no_runs()
        over.set()
        async with asyncio.timeout(5):
            run = await heard.get()
            assert (await run.wait()).text == asked.content == "a b"
        assert [message.content for message in run.request.messages] == ["hi"]
        silence()


async def test_of_a_wish_to_stop_those_who_only_follow_hear_the_end_and_ask_for_nothing(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them asked the store and all others once more, and none waited for what came of it."""
    models.script("mock-echo", says("a ", Hold(asyncio.Event()), "b"))
    async with members(fleet, "all", "all", "all", "all") as (one, *others):
        asking: list[int] = []
        for number, store in enumerate(fleet.stores):
            request_abort = store.request_abort

            async def asked_of(*args: Any, _n: int = number, _act: Any = request_abort, **more: Any) -> bool:
                asking.append(_n)
                return bool(await _act(*args, **more))

            monkeypatch.setattr(store, "request_abort", asked_of)
        started: asyncio.Queue[Run] = asyncio.Queue()
        silence = [each.gateway.listen(OPERATOR, Listener(started.put_nowait)) for each in others]
        asked = asyncio.create_task(say(one, "hi", **SESSION))
        async with asyncio.timeout(10):
            followed = [await started.get() for _ in others]
            while not all(run.emitted > 1 for run in followed):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            assert await others[0].gateway.abort(OPERATOR, followed[0].id)
            ends = [await run.wait() for run in followed]
        assert (await asked).status == 499
        assert [end.status for end in ends] == ["aborted"] * 3
        assert set(asking) == {1}
        for leave in silence:
            leave()


async def test_who_listens_where_a_run_was_lost_and_is_not_repeated_hears_its_end(
    models: ModelServer, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closed it has nothing to say of it on the bus."""
    monkeypatch.setattr(telling, "_LOOK_EVERY_S", 0.1)
    models.enqueue(calls(called("write", path="made.txt", content="x")), says("half ", Hold(asyncio.Event())))
    async with members(fleet, "front", "all", "all") as (front, *workers), connected(workers[0]) as peer:
        await peer.result("sessions.subscribe")
        async with connected(workers[1]) as second:
            await second.result("sessions.subscribe")
            asked = asyncio.create_task(say(front, "write it", **SESSION))
            for each in (peer, second):
                await each.event("chat", state="delta")
            (place,) = [n for n, each in enumerate(workers, 1) if executed(each)]
            fleet.stores[place].is_cut = True
            assert (await asked).status == 503
            fleet.stores[place].is_cut = False
            for each in (peer, second):
                await each.event("chat", state="error")


def executed(gateway: Any) -> list[Run]:
    return [run for run in gateway.gateway.running(OPERATOR) if not run.is_mirrored]


async def clients(gateway: Any, count: int) -> None:
    async with asyncio.timeout(5):
        while [run.clients for run in gateway.gateway.running(OPERATOR)] != [count]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

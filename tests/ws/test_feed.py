"""Which runs a client hears of, what that costs, and what becomes of one that does not keep up."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.runs.hub import SessionChange
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import Answer, ask, user
from tests.doors.logged import Log, logged
from tests.ws.peer import Peer, connect_params, connected, door, request

TALK = "agent:main:talk"
NARROW = {"maxWsBufferedBytes": 1_000_000, "readerStallSeconds": 3600}


async def say(gateway: RunningGateway, text: str, session: str | None = None, **fields: Any) -> Answer:
    """Ask over HTTP, perhaps in a session."""
    headers = {} if session is None else {"x-openclaw-session-key": session}
    return await ask(gateway, {"model": "openclaw", "messages": [user(text)], **fields}, headers=headers)


async def until_told(peer: Peer, session: str) -> list[dict[str, Any]]:
    """Everything the client was told until a run of this session of its own has ended."""
    key = f"until {len(peer.events)}"
    await peer.send(request(key, "agent", {"message": "hi", "idempotencyKey": key, "sessionKey": session}))
    await peer.answer(key)
    await peer.answer(key)
    return [event["payload"] for event in peer.events if event["event"] in ("agent", "chat")]


def told_text(peer: Peer, run_id: str) -> str:
    """The answer of a run as the deltas told it."""
    return "".join(told["data"]["delta"] for told in peer.told(run_id) if told["stream"] == "assistant")


@pytest.mark.promise("ws-own-runs")
async def test_a_client_hears_nothing_it_did_not_ask_for(gateway: RunningGateway, peer: Peer) -> None:
    assert (await say(gateway, "hi")).status == 200
    assert (await say(gateway, "hi", user="ada")).status == 200
    told = await until_told(peer, "mine")
    assert {payload["runId"] for payload in told} == {"until 0"}


async def test_runs_that_nobody_follows_are_not_read(models: ModelServer, gateway: RunningGateway) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate), "b"))
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(10):
            await stack.enter_async_context(connected(gateway))
        asking = asyncio.create_task(say(gateway, "hi"))
        await gateway.wait_runs(1)
        await models.wait_requests(1)
        hub = gateway.gateway._live.hub
        assert (hub._owners, hub._sessions, hub._views) == ({}, {}, {})
        gate.set()
        assert (await asking).status == 200


@pytest.mark.promise("ws-subscribe-session", "ws-subscribe-any-door")
async def test_one_session_is_subscribed_to_whichever_door_asks(gateway: RunningGateway, peer: Peer) -> None:
    assert await peer.result("sessions.messages.subscribe", {"key": "Talk"}) == {
        "subscribed": True,
        "key": TALK,
    }
    assert (await say(gateway, "one", user="ada")).status == 200
    assert (await say(gateway, "two", session="talk")).status == 200
    final = await peer.event("chat", state="final")
    assert (final["payload"]["sessionKey"], final["payload"]["runId"][:9]) == (TALK, "chatcmpl_")
    assert {told["payload"]["runId"] for told in peer.events} == {final["payload"]["runId"]}
    assert await peer.result("sessions.messages.unsubscribe", {"key": "talk"}) == {
        "subscribed": False,
        "key": TALK,
    }
    peer.events.clear()
    assert (await say(gateway, "three", session="talk")).status == 200
    assert {payload["runId"] for payload in await until_told(peer, "mine")} == {"until 0"}


@pytest.mark.promise("ws-subscribe-late")
async def test_who_subscribes_late_hears_what_runs_already_from_its_beginning(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as early, connected(gateway) as late:
        await early.result("sessions.messages.subscribe", {"key": "talk"})
        asking = asyncio.create_task(say(gateway, "hi", session="talk"))
        await early.event("agent", stream="assistant")
        await late.result("sessions.messages.subscribe", {"key": "talk"})
        await late.event("agent", stream="assistant")
        assert len(gateway.gateway._live.hub._views) == 1
        gate.set()
        assert (await asking).status == 200
        for peer in (early, late):
            final = (await peer.event("chat", state="final"))["payload"]
            assert final["message"]["content"][0]["text"] == "one two"
            told = peer.told(final["runId"])
            assert told[0]["data"]["phase"] == "start"
            assert [each["seq"] for each in told] == sorted({each["seq"] for each in told})
            numbers = [event["seq"] for event in peer.events]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.promise("ws-subscribe-all")
async def test_who_subscribes_to_all_hears_which_sessions_change(gateway: RunningGateway, peer: Peer) -> None:
    assert await peer.result("sessions.subscribe") == {"subscribed": True}
    assert (await say(gateway, "hi", session="talk")).status == 200
    started = (await peer.event("sessions.changed", phase="start", sessionKey=TALK))["payload"]
    ended = (await peer.event("sessions.changed", phase="end", sessionKey=TALK))["payload"]
    assert started["runId"] == ended["runId"]
    assert started["ts"] <= ended["ts"]
    assert (await say(gateway, "hi")).status == 200
    stateless = await peer.event("agent", stream="lifecycle")
    while stateless["payload"]["data"]["phase"] != "end" or stateless["payload"]["runId"] == ended["runId"]:
        stateless = await peer.event("agent", stream="lifecycle")
    assert await peer.result("sessions.unsubscribe") == {"subscribed": False}
    peer.events.clear()
    assert (await say(gateway, "hi")).status == 200
    assert {payload["runId"] for payload in await until_told(peer, "mine")} == {"until 0"}


async def test_a_session_key_that_cannot_be_is_refused(peer: Peer) -> None:
    for key in ("agent:nosuch:x", "  "):
        assert (await peer.error("sessions.messages.subscribe", {"key": key}))["code"] == "INVALID_REQUEST"
    error = await peer.error("sessions.messages.subscribe")
    assert "must have required property 'key'" in error["message"]


async def test_a_connect_lists_nothing(gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch) -> None:
    store = gateway.gateway._store
    assert (await say(gateway, "hi", user="ada")).status == 200

    async def never(*args: object, **fields: object) -> None:
        raise AssertionError("sessions were listed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "list_sessions", never)
        patch.setattr(store, "count_sessions", never)
        async with connected(gateway):
            pass
    async with connected(gateway) as peer:
        assert (await peer.result("health"))["sessions"]["count"] == 1


async def test_events_that_are_lost_are_said_to_be(models: ModelServer, gateway: RunningGateway) -> None:
    """The log is bounded; whoever comes when its beginning is gone hears that, and the end."""
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as peer:
        asking = asyncio.create_task(say(gateway, "hi", session="talk"))
        await models.wait_requests(1)
        bus: Any = gateway.gateway._live._bus
        (log,) = bus._logs.values()
        log.weigh()
        log.trim(1, 1 << 30)
        await peer.result("sessions.messages.subscribe", {"key": "talk"})
        gap = await peer.event("agent", stream="error")
        assert gap["payload"]["data"] == {"reason": "events lost"}
        gate.set()
        final = await peer.event("chat", state="final")
        assert final["payload"]["message"]["content"][0]["text"] == "one two"
        assert (await asking).status == 200


@pytest.fixture
async def narrow(models: ModelServer) -> AsyncIterator[RunningGateway]:
    """A gateway that lets little wait for a client; what stalls is left alone."""
    more = {"gateway": {"limits": NARROW}, "agents": {"list": [{"id": "main"}, {"id": "other"}]}}
    async with running_gateway(model_config(models.base_url, more)) as running:
        yield running


@contextlib.asynccontextmanager
async def paused(gateway: RunningGateway, url: str, *, subscribed: bool = True) -> AsyncIterator[Peer]:
    """A client that has perhaps subscribed to everything and reads nothing until it is told to."""
    async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as ws:
        peer = Peer(ws)
        await peer.event("connect.challenge")
        await peer.result("connect", connect_params(gateway.token))
        if subscribed:
            await peer.result("sessions.subscribe")
        assert ws._response.connection is not None
        transport: Any = ws._response.connection.transport
        # The kernel would take many megabytes for it.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        transport.pause_reading()
        peer.resume = transport.resume_reading
        yield peer
        transport.abort()  # it would wait for a goodbye that it does not read


async def until_overrun(gateway: RunningGateway, log: Log) -> int:
    """Have answers given that nobody reads until that is too much; how many bytes waited then."""
    for number in range(40):
        if lines := log.lines("ws.slow_consumer"):
            return int(lines[0]["owed"])
        assert (await say(gateway, "hi", session=f"s{number}")).status == 200
    raise AssertionError("nobody was too slow")


@pytest.mark.promise("limit.maxWsBufferedBytes")
async def test_a_client_that_does_not_read_is_left_before_much_waits_for_it(
    models: ModelServer, narrow: RunningGateway
) -> None:
    models.script("mock-echo", *[says("x" * 60_000)] * 40)
    async with door(narrow.gateway, Timing()) as opened, paused(narrow, opened.url) as peer:
        with logged() as log:
            assert 1_000_000 < await until_overrun(narrow, log) < 1_200_000
            await opened.wait_served()
            assert len(log.lines("ws.slow_consumer")) == 1
        assert not narrow.gateway._live.hub._views
        peer.resume()
        assert await peer.close_code() == 1006, "even the goodbye was not read in time"


@pytest.mark.promise("limit.maxWsBufferedBytes", "ws-slow-consumer")
async def test_a_client_that_was_too_slow_reads_why_it_is_closed(
    models: ModelServer, narrow: RunningGateway
) -> None:
    models.script("mock-echo", *[says("x" * 60_000)] * 40)
    async with door(narrow.gateway, Timing()) as opened, paused(narrow, opened.url) as peer:
        with logged() as log:
            await until_overrun(narrow, log)
        peer.resume()
        assert (await peer.close_code(), peer.reason) == (1008, "slow consumer")
        await opened.wait_served()


@pytest.mark.promise("limit.maxWsBufferedBytes")
async def test_changes_of_sessions_that_wait_for_a_client_count_too(narrow: RunningGateway) -> None:
    hub = narrow.gateway._live.hub
    async with door(narrow.gateway, Timing()) as opened, paused(narrow, opened.url):
        with logged() as log:
            for number in range(20_000):
                hub.changed(SessionChange("operator", f"agent:main:{number:0400}", "main", "patch"))
                if number % 100 == 0:
                    await asyncio.sleep(0)
                    if log.lines("ws.slow_consumer"):
                        break
            (line,) = log.lines("ws.slow_consumer")
            await opened.wait_served()
    assert 1_000_000 < line["owed"] < 1_010_000


@pytest.mark.promise("limit.maxWsBufferedBytes")
async def test_answers_that_wait_for_a_client_count_too(models: ModelServer) -> None:
    agents = [{"id": f"a{number}", "identity": {"name": "x" * 1_000}} for number in range(60)]
    more = {"gateway": {"limits": NARROW}, "agents": {"list": agents}}
    async with (
        running_gateway(model_config(models.base_url, more)) as gateway,
        door(gateway.gateway, Timing()) as opened,
        paused(gateway, opened.url, subscribed=False) as peer,
    ):
        with logged() as log:
            for number in range(40):
                await peer.send(request(f"call-{number}", "agents.list", {}))
            await opened.wait_served()
            (line,) = log.lines("ws.slow_consumer")
        assert 1_000_000 < line["owed"] < 1_200_000


@pytest.mark.promise("ws-slow-reader")
async def test_a_client_that_reads_late_is_told_all_of_it_in_few_events(
    models: ModelServer, narrow: RunningGateway
) -> None:
    words = [f"word{number} " for number in range(2_000)]
    gate = asyncio.Event()
    models.enqueue(says("x" * 200_000, Hold(gate), *words))
    async with door(narrow.gateway, Timing()) as opened, paused(narrow, opened.url) as peer:
        asking = asyncio.create_task(say(narrow, "hi", session="talk", stream=True))
        await models.wait_requests(1)
        gate.set()
        assert (await asking).status == 200
        await narrow.wait_no_runs()
        peer.resume()
        final = (await peer.event("chat", state="final"))["payload"]
        text = "x" * 200_000 + "".join(words)
        assert final["message"]["content"][0]["text"] == text
        assert told_text(peer, final["runId"]) == text
        said = [each for each in peer.told(final["runId"]) if each["stream"] == "assistant"]
        assert len(said) < 20
        assert peer.socket.close_code is None


async def test_a_hundred_clients_of_one_run_share_its_reading(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with contextlib.AsyncExitStack() as stack:
        peers = [await stack.enter_async_context(connected(gateway)) for _ in range(100)]
        await asyncio.gather(*(peer.result("sessions.subscribe") for peer in peers))
        asking = asyncio.create_task(say(gateway, "hi", session="talk"))
        await peers[0].event("agent", stream="assistant")
        views = [task for task in asyncio.all_tasks() if task.get_name().startswith("hub.view")]
        assert len(views) == 1
        gate.set()
        assert (await asking).status == 200
        finals = await asyncio.gather(*(peer.event("chat", state="final") for peer in peers))
        assert finals[0]["payload"]["message"]["content"][0]["text"] == "one two"
        assert all(final["payload"] == finals[0]["payload"] for final in finals)
        said = [told_text(peer, finals[0]["payload"]["runId"]) for peer in peers]
        assert said == ["one two"] * len(peers)

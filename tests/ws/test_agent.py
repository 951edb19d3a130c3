"""An agent run over the WebSocket: accepted, events, final; found again, stopped, and never doubled."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.doors.ws.connection import Timing
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import (
    Call,
    Hold,
    ModelServer,
    Reasoning,
    calls,
    fails,
    hangs,
    says,
)
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Idempotency, Usage
from tests.doors.logged import logged
from tests.runs.house import house
from tests.ws.peer import DEADLINE_S, Peer, connected, door, request, ws_tasks


async def ask(peer: Peer, key: str, text: str = "hi", **more: Any) -> dict[str, Any]:
    """Send an `agent` request whose id is the key; what `accepted` says."""
    await peer.send(request(key, "agent", {"message": text, "idempotencyKey": key, **more}))
    accepted = await peer.answer(key)
    assert accepted["ok"], accepted
    payload: dict[str, Any] = accepted["payload"]
    return payload


def data(peer: Peer, run_id: str, stream: str) -> list[dict[str, Any]]:
    return [event["data"] for event in peer.told(run_id) if event["stream"] == stream]


async def test_accepted_then_events_then_final(models: ModelServer, peer: Peer) -> None:
    models.enqueue(says(Reasoning("hm"), "Hel", "lo.", usage=Usage(10, 5, 15, cached_tokens=4)))
    accepted = await ask(peer, "run-1")
    assert accepted | {"acceptedAt": 0} == {
        "runId": "run-1",
        "sessionKey": "agent:main:main",
        "agentId": "main",
        "status": "accepted",
        "acceptedAt": 0,
    }
    assert peer.events == [], "the answer comes before the events"
    final = (await peer.answer("run-1"))["payload"]
    assert final["runId"] == "run-1"
    assert (final["status"], final["summary"]) == ("ok", "completed")
    assert final["result"]["payloads"] == [{"text": "Hello.", "mediaUrl": None}]
    meta = final["result"]["meta"]
    assert meta.pop("durationMs") >= 0
    assert meta == {
        "agentMeta": {
            "sessionKey": "agent:main:main",
            "provider": "mock",
            "model": "mock-echo",
            "usage": {"input": 6, "output": 5, "cacheRead": 4, "cacheWrite": 0, "total": 15},
        },
        "aborted": False,
        "stopReason": "stop",
    }
    told = peer.told("run-1")
    assert [event["seq"] for event in told] == sorted({event["seq"] for event in told})
    assert [step["phase"] for step in data(peer, "run-1", "lifecycle")] == ["start", "model", "end"]
    assert data(peer, "run-1", "thinking") == [{"delta": "hm"}]
    assert "".join(step["delta"] for step in data(peer, "run-1", "assistant")) == "Hello."
    assert [event["seq"] for event in peer.events] == list(range(1, len(peer.events) + 1))
    chat = peer.told("run-1", "chat")
    assert chat[-1]["state"] == "final"
    assert "".join(event.get("deltaText", "") for event in chat) == "Hello."


async def test_the_model_that_answered_is_named(models: ModelServer) -> None:
    models.script("first", fails(401))
    models.script("org/second", says("I can help."))
    model = {"primary": "mock/first", "fallbacks": ["mock/org/second"]}
    config = model_config(models.base_url, {"agents": {"defaults": {"model": model}}})
    with logged() as log:
        async with running_gateway(config) as gateway, connected(gateway) as peer:
            await ask(peer, "run")
            final = (await peer.answer("run"))["payload"]
    meta = final["result"]["meta"]["agentMeta"]
    assert (meta["provider"], meta["model"]) == ("mock", "org/second")
    assert [line["model"] for line in log.lines("run.ended")] == ["mock/org/second"]


async def test_the_agent_is_told_which_model_it_is(models: ModelServer) -> None:
    models.script("first", fails(401))
    models.script("second", calls(Call("session_status")), says("I am."))
    model = {"primary": "mock/first", "fallbacks": ["mock/second"]}
    config = model_config(models.base_url, {"agents": {"defaults": {"model": model}}})
    async with running_gateway(config) as gateway, connected(gateway) as peer:
        await ask(peer, "run")
        assert (await peer.answer("run"))["ok"]
    status = msgspec.json.decode(models.requests[-1].messages[-1]["content"])
    assert (status["session"], status["model"]) == ("agent:main:main", "mock/second")


async def test_deltas_arrive_while_the_run_goes_on(models: ModelServer, peer: Peer) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    await ask(peer, "run")
    first = await peer.event("agent", stream="assistant")
    assert first["payload"]["data"] == {"delta": "one "}
    gate.set()
    second = await peer.event("agent", stream="assistant")
    assert second["payload"]["data"] == {"delta": "two"}


async def test_the_request_reaches_the_model(models: ModelServer, peer: Peer) -> None:
    await ask(
        peer, "run", "the question", extraSystemPrompt="Be brief.", thinking="high", deliver=False, lane="x"
    )
    await peer.answer("run")
    messages = models.requests[0].messages
    assert messages[-1] == {"role": "user", "content": "the question"}
    assert messages[0]["role"] == "system"
    assert "Be brief." in messages[0]["content"]


async def test_a_session_remembers(models: ModelServer, peer: Peer) -> None:
    for number in (1, 2):
        assert (await ask(peer, f"run-{number}", f"text {number}", sessionKey="Talk"))["sessionKey"] == (
            "agent:main:talk"
        )
        await peer.answer(f"run-{number}")
    said = [
        (each["role"], each["content"]) for each in models.requests[1].messages if each["role"] != "system"
    ]
    assert said == [("user", "text 1"), ("assistant", "text 1"), ("user", "text 2")]


async def test_a_failing_model(models: ModelServer, peer: Peer) -> None:
    models.enqueue(fails(401, "no such key"))
    await ask(peer, "run")
    error = (await peer.answer("run"))["error"]
    assert error["code"] == "UNAVAILABLE"
    assert error["details"] == {
        "runId": "run",
        "status": "error",
        "code": "provider_auth_failed",
        "httpStatus": 401,
    }
    end = data(peer, "run", "lifecycle")[-1]
    assert (end["phase"], end["error"]) == ("error", error["message"])
    assert peer.told("run", "chat")[-1]["state"] == "error"
    waited = await peer.result("agent.wait", {"runId": "run"})
    assert (waited["status"], waited["error"]) == ("error", error["message"])


@pytest.mark.promise("run-time", "limit.timeoutSeconds")
async def test_a_run_has_a_time_limit(models: ModelServer, peer: Peer) -> None:
    models.enqueue(hangs())
    await ask(peer, "run", timeout=0.05)
    error = (await peer.answer("run"))["error"]
    assert error["code"] == "AGENT_TIMEOUT"
    assert error["details"]["httpStatus"] == 504


async def test_wait_knows_running_ended_and_unknown_runs(models: ModelServer, peer: Peer) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate)))
    await ask(peer, "run")
    assert await peer.result("agent.wait", {"runId": "run", "timeoutMs": 1}) == {
        "runId": "run",
        "status": "timeout",
    }
    await peer.send(request("w", "agent.wait", {"runId": "run"}))
    gate.set()
    waited = (await peer.answer("w"))["payload"]
    assert waited["status"] == "ok"
    assert 0 < waited["startedAt"] <= waited["endedAt"]
    again = await peer.result("agent.wait", {"runId": "run", "timeoutMs": 0})
    assert again == waited
    assert (await peer.result("agent.wait", {"runId": "nobody", "timeoutMs": 1}))["status"] == "timeout"


async def test_wait_may_come_before_the_run(peer: Peer) -> None:
    await peer.send(request("w", "agent.wait", {"runId": "run"}))
    assert await peer.result("health")
    await ask(peer, "run")
    assert (await peer.answer("w"))["payload"]["status"] == "ok"


async def test_wait_remembers_a_run_over_a_restart(models: ModelServer, gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        await ask(peer, "run")
        await peer.answer("run")
    gateway.gateway._live._retained.clear()
    async with connected(gateway) as peer:
        waited = await peer.result("agent.wait", {"runId": "run"})
        assert (waited["runId"], waited["status"]) == ("run", "ok")
        accepted = await ask(peer, "run")
        assert accepted["runId"] == "run"
        assert (await peer.answer("run"))["payload"]["result"]["payloads"][0]["text"] == "hi"
    assert len(models.requests) == 1


@pytest.mark.promise("chat-abort", "error.run_aborted")
@pytest.mark.parametrize("by", ["runId", "sessionKey"])
async def test_a_run_of_another_process_is_waited_for_and_stopped(
    models: ModelServer, gateway: RunningGateway, tmp_path: Path, by: str
) -> None:
    """The other process is a second set of runs on the same store and bus."""
    here = gateway.gateway
    async with (
        house(tmp_path, models, bus=here._elsewhere._bus, faults=lambda _: here._store) as other,
        connected(gateway) as peer,
    ):
        models.script("m", says("par", Hold(asyncio.Event())))
        named = Idempotency("far", b"x")
        run = await other.start(
            UserMessage("hi"), session="agent:main:far", owner=OPERATOR.owner, idempotency=named
        )
        await models.wait_requests(1)
        assert here.live_runs() == 0
        assert (await peer.result("agent.wait", {"runId": "far", "timeoutMs": 1}))["status"] == "timeout"
        await peer.send(request("w", "agent.wait", {"runId": "far"}))
        aborted = await peer.result("chat.abort", {by: "far" if by == "runId" else "agent:main:far"})
        assert aborted == {"ok": True, "aborted": True, "runIds": ["far" if by == "runId" else run.id]}
        assert (await other.result(run)).status == "aborted"
        waited = (await peer.answer("w"))["payload"]
        assert (waited["status"], waited["code"]) == ("error", "run_aborted")


@pytest.mark.promise("chat-abort", "error.run_aborted")
@pytest.mark.parametrize("by", ["runId", "sessionKey"])
async def test_abort_stops_the_model(
    models: ModelServer, gateway: RunningGateway, peer: Peer, by: str
) -> None:
    models.enqueue(says("par", Hold(asyncio.Event())))
    await ask(peer, "run")
    await peer.event("agent", stream="assistant")
    aborted = await peer.result("chat.abort", {by: "run" if by == "runId" else "agent:main:main"})
    assert aborted == {"ok": True, "aborted": True, "runIds": ["run"]}
    await models.wait_aborted(1)
    error = (await peer.answer("run"))["error"]
    assert error["details"]["code"] == "run_aborted"
    end = data(peer, "run", "lifecycle")[-1]
    assert (end["phase"], end["aborted"]) == ("end", True)
    last = peer.told("run", "chat")[-1]
    assert (last["state"], last["message"]["content"][0]["text"]) == ("aborted", "par")
    assert (await peer.result("agent.wait", {"runId": "run"}))["status"] == "error"
    nothing = await peer.result("chat.abort", {by: "run" if by == "runId" else "agent:main:main"})
    assert nothing == {"ok": True, "aborted": False, "runIds": []}
    assert await remembered(gateway) == ["hi", "par"]


async def test_of_an_aborted_run_what_a_client_had_heard_is_remembered_also_when_it_has_gone(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two ", Hold(asyncio.Event())))
    async with door(gateway.gateway, Timing()) as opened:
        async with connected(gateway, opened.url) as peer:
            await ask(peer, "run")
            await peer.event("agent", stream="assistant")
        await opened.wait_served()
    run = gateway.gateway._live.running()[0]
    # What is looked at behind everybody's back is nobody's answer.
    with closing(run.events(after=run.emitted)) as log:
        gate.set()
        assert await log.batch(5)
    run.abort("aborted by request")
    assert await remembered(gateway) == ["hi", "one "]


async def remembered(gateway: RunningGateway) -> list[str]:
    await gateway.wait_no_runs()
    return [
        entry.message.content
        for entry in await gateway.gateway._store.transcript("operator", "agent:main:main")
    ]


async def test_a_repeated_key_attaches_to_the_same_run(models: ModelServer, gateway: RunningGateway) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as first, connected(gateway) as second:
        await ask(first, "run")
        await first.event("agent", stream="assistant")
        await ask(second, "run")
        gate.set()
        finals = [(await peer.answer("run"))["payload"] for peer in (first, second)]
        assert finals[0] == finals[1]
        assert "".join(step["delta"] for step in data(second, "run", "assistant")) == "one two"
        await second.send(request("again", "agent", {"message": "hi", "idempotencyKey": "run"}))
        assert (await second.answer("again"))["payload"]["status"] == "accepted"
        assert (await second.answer("again"))["payload"] == finals[0]
    assert len(models.requests) == 1


async def test_a_client_that_comes_back_hears_the_run_from_its_beginning(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as peer:
        await ask(peer, "run")
        await peer.event("agent", stream="assistant")
    async with connected(gateway) as peer:
        await ask(peer, "run")
        gate.set()
        assert (await peer.answer("run"))["payload"]["result"]["payloads"][0]["text"] == "one two"
        told = peer.told("run")
    assert told[0]["data"]["phase"] == "start"
    assert [event["seq"] for event in told] == sorted({event["seq"] for event in told})


@pytest.mark.promise("ws-run-goes-on")
async def test_a_run_goes_on_without_its_client_and_the_connection_leaves_nothing_behind(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with door(gateway.gateway, Timing()) as opened:
        async with connected(gateway, opened.url) as peer:
            await ask(peer, "run")
            await peer.send(request("w", "agent.wait", {"runId": "run"}))
            await peer.send(request("n", "agent.wait", {"runId": "nobody"}))
            await peer.event("agent", stream="assistant")
            assert ws_tasks() == {"ws.agent", "ws.agent.wait", "ws.feed"}
            assert gateway.gateway._live.hub._views
            response = peer.socket._response
            assert response.connection is not None
            assert response.connection.transport is not None
            response.connection.transport.abort()
        await opened.wait_served()
        assert ws_tasks() == set()
        assert not gateway.gateway._live.hub._views
    assert gateway.gateway.live_runs() == 1
    gate.set()
    async with connected(gateway) as peer:
        assert (await peer.result("agent.wait", {"runId": "run"}))["status"] == "ok"
    assert models.aborted == 0


async def test_a_thousand_connections_leave_nothing_behind(gateway: RunningGateway) -> None:
    async with door(gateway.gateway, Timing()) as opened:
        for _ in range(20):
            await asyncio.gather(*(_come_and_go(gateway, opened.url) for _ in range(50)))
        for _ in range(1000):
            await opened.wait_served()
    assert ws_tasks() == set()
    hub = gateway.gateway._live.hub
    assert (hub._owners, hub._sessions, hub._views) == ({}, {}, {})


async def _come_and_go(gateway: RunningGateway, url: str) -> None:
    async with connected(gateway, url):
        pass


async def test_runs_of_the_http_door_are_heard_too(gateway: RunningGateway) -> None:
    body = {"model": "openclaw", "user": "Ada", "messages": [{"role": "user", "content": "one two three"}]}
    async with connected(gateway) as peer, aiohttp.ClientSession(headers=gateway.headers) as http:
        await peer.result("sessions.subscribe")
        async with http.post(f"{gateway.base_url}/chat/completions", json=body) as answer:
            assert answer.status == 200
            completion = msgspec.json.decode(await answer.read())
        run_id = completion["id"]
        await peer.event("chat", runId=run_id, state="final")
        said = "".join(step["delta"] for step in data(peer, run_id, "assistant"))
        assert said == completion["choices"][0]["message"]["content"]
        assert peer.told(run_id, "chat")[0]["sessionKey"] == "agent:main:openai-user:ada"
        over_http = [event["stream"] for event in peer.told(run_id)]
        await ask(peer, "run", "one two three", sessionKey="other")
        await peer.answer("run")
        assert [event["stream"] for event in peer.told("run")] == over_http


async def test_only_in_version_3_each_event_says_whose_it_is(gateway: RunningGateway) -> None:
    for version in (3, 4):
        async with connected(gateway, minProtocol=version, maxProtocol=version) as peer:
            await ask(peer, f"in-{version}")
            assert (await peer.answer(f"in-{version}"))["ok"]
            named = {(told.get("sessionKey"), told.get("agentId")) for told in peer.told(f"in-{version}")}
            assert named == {("agent:main:main", "main") if version == 3 else (None, None)}
            assert {told["sessionKey"] for told in peer.told(f"in-{version}", "chat")} == {"agent:main:main"}


async def test_a_narrow_client_hears_nothing(gateway: RunningGateway) -> None:
    async with connected(gateway, scopes=["nothing"]) as deaf, connected(gateway) as peer:
        await ask(peer, "run")
        await peer.answer("run")
        error = await deaf.error("health")
        assert error["code"] == "FORBIDDEN"
        assert deaf.events == []


async def test_a_long_answer_does_not_cost_its_square(models: ModelServer, gateway: RunningGateway) -> None:
    for version in (3, 4):
        models.enqueue(says(*["x" * 100] * 2000))
        async with connected(gateway, minProtocol=version, maxProtocol=version) as peer:
            await ask(peer, f"run-{version}")
            final = await peer.answer(f"run-{version}")
            text = final["payload"]["result"]["payloads"][0]["text"]
            assert len(text) == 200_000
            said = data(peer, f"run-{version}", "assistant")
            assert "".join(step["delta"] for step in said) == text
            assert (said[-1].get("text") == text) is (version == 3)
            assert sum(len(step.get("text", "")) for step in said) < 20 * len(text)


async def test_draining_lets_the_run_end_then_says_goodbye(
    models: ModelServer, gateway: RunningGateway
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as peer, connected(gateway, scopes=["nothing"]) as idle:
        await ask(peer, "run")
        await peer.event("agent", stream="assistant")
        draining = asyncio.create_task(gateway.daemon.drain())
        assert (await peer.event("shutdown"))["payload"]["reason"]
        error = await peer.error("agent", {"message": "more", "idempotencyKey": "more"})
        assert error["details"]["code"] == "draining"
        assert await idle.close_code() == 1012
        gate.set()
        assert (await peer.answer("run"))["payload"]["result"]["payloads"][0]["text"] == "one two"
        assert await peer.close_code() == 1012
        async with asyncio.timeout(DEADLINE_S):
            await draining

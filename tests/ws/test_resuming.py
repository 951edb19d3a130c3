"""A client whose connection was cut in the middle of a run goes on behind the last event that it has."""

import asyncio
import contextlib
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, Reasoning, calls, says
from tests.doors.chat import ask, user
from tests.ws.peer import Peer, connected
from tests.ws.test_chat import sent

ANSWER = "one two three four"


async def until_said(peer: Peer, text: str) -> None:
    while text not in said(peer.told("run")):
        await peer.event("agent", runId="run", stream="assistant")


def said(told: list[dict[str, Any]]) -> str:
    return "".join(each["data"]["delta"] for each in told if each["stream"] == "assistant")


async def back(peer: Peer, seq: int, run: str = "run", key: str = "talk") -> dict[str, Any]:
    asked = {"key": key, "runId": run, "lastEventSeq": seq}
    return await peer.result("sessions.messages.subscribe", asked)


async def ended(peer: Peer, run: str = "run") -> list[dict[str, Any]]:
    """All its events of the agent, once it has been told to its end."""
    if not any(told["state"] == "final" for told in peer.told(run, "chat")):
        await peer.event("chat", runId=run, state="final")
    return peer.told(run)


@pytest.mark.promise("ws-resume")
@pytest.mark.parametrize("is_watched", [False, True])
@pytest.mark.parametrize("lost", [0, 1, 3])
async def test_a_socket_that_is_cut_in_mid_stream_costs_no_event_and_tells_none_twice(
    gateway: RunningGateway, models: ModelServer, is_watched: bool, lost: int
) -> None:
    """Whether or not somebody else looks on meanwhile, and though the last events were lost on their way."""
    first, second, third = (asyncio.Event() for _ in range(3))
    models.enqueue(
        calls(Reasoning("hm"), "one ", Call("session_status", "{}")),
        says("two ", Hold(first), Reasoning("so"), "three ", Hold(second), "four", Hold(third)),
    )
    async with contextlib.AsyncExitStack() as stack:
        watching = await stack.enter_async_context(connected(gateway)) if is_watched else None
        if watching is not None:
            await watching.result("sessions.messages.subscribe", {"key": "talk"})
        async with connected(gateway) as peer:
            await peer.result("chat.send", sent("run"))
            await until_said(peer, "two ")
            first.set()
            await until_said(peer, "three ")
            before = peer.told("run")
            peer.socket._response.connection.transport.abort()  # type: ignore[union-attr]
        before = before[: len(before) - lost]
        second.set()
        async with connected(gateway) as peer:
            answer = await back(peer, before[-1]["seq"])
            assert answer == {"subscribed": True, "key": "agent:main:talk", "resumed": True}
            third.set()
            after = await ended(peer)
            chats = peer.told("run", "chat")
            assert chats[-1]["message"]["content"][0]["text"].replace("\n\n", "") == ANSWER
            assert [each.get("replace") for each in chats[:2]] == [True, None]
            assert chats[0]["deltaText"] == chats[0]["message"]["content"][0]["text"]
        whole = before + after
        numbers = [each["seq"] for each in whole]
        assert numbers == sorted(set(numbers))
        assert said(whole).replace("\n\n", "") == ANSWER
        phases = [each["data"]["phase"] for each in whole if each["stream"] == "lifecycle"]
        assert phases == ["start", "model", "model", "end"]
        assert [each["data"]["phase"] for each in whole if each["stream"] == "tool"] == ["start", "result"]
        thoughts = [each["data"]["delta"] for each in whole if each["stream"] == "thinking"]
        assert "".join(thoughts) == "hmso"
        if watching is not None:
            assert (await ended(watching))[-1]["seq"] == whole[-1]["seq"]


async def test_what_has_ended_meanwhile_is_told_to_its_end(
    gateway: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    async with connected(gateway) as peer:
        await peer.result("chat.send", sent("run"))
        await until_said(peer, "one ")
        before = peer.told("run")
    gate.set()
    async with connected(gateway) as peer:
        assert (await peer.result("agent.wait", {"runId": "run"}))["status"] == "ok"
        assert (await back(peer, before[-1]["seq"]))["resumed"] is True
        after = await ended(peer)
        assert said(before + after) == "one two"
        assert min(each["seq"] for each in after) > before[-1]["seq"]
        last = after[-1]["seq"]
    async with connected(gateway) as peer:
        assert (await back(peer, last + 1))["resumed"] is True
        await peer.result("chat.send", sent("next"))
        await ended(peer, "next")
        assert peer.told("run") == peer.told("run", "chat") == [], "nothing is behind its last event"


async def test_what_cannot_be_gone_on_with_is_told_from_its_beginning_and_says_so(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("one ", Hold(gate), "two"))
    asking = asyncio.create_task(
        ask(
            gateway,
            {"model": "openclaw", "messages": [user("hi")]},
            headers={"x-openclaw-session-key": "talk"},
        )
    )
    await models.wait_requests(1)
    assert (await back(peer, 7, "never"))["resumed"] is False
    run = (await peer.event("agent", stream="assistant"))["payload"]["runId"]
    assert [each["data"].get("phase") for each in peer.told(run)][:2] == ["start", "model"]
    async with connected(gateway) as other:
        assert (await back(other, 7, run, "elsewhere"))["resumed"] is False
    assert (await back(peer, 1, run))["resumed"] is False, "it is told already"
    error = await peer.error("sessions.messages.subscribe", {"key": "talk", "lastEventSeq": 1})
    assert "runId" in error["message"]
    gate.set()
    assert (await asking).content == "one two"
    assert said(await ended(peer, run)) == "one two"


async def test_a_log_that_is_not_kept_any_more_is_not_gone_on_with(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.enqueue(says("one ", "two"))
    async with connected(gateway) as peer:
        await peer.result("chat.send", sent("run"))
        await ended(peer)
    live = gateway.gateway._live
    for run_id in live._retained:
        live._bus.forget(run_id)
    async with connected(gateway) as peer:
        assert (await back(peer, 1))["resumed"] is False
        await peer.result("chat.send", sent("next"))
        await ended(peer, "next")
        assert peer.told("run") == []

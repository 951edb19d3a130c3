"""`chat.inject` and `sessions.compact`: done to a session in its turn, and on disk before they are told."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, calls, fails, says
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import ask, assistant, user
from tests.doors.test_ledger import rows
from tests.ws.peer import Peer, connected, request
from tests.ws.test_chat import sent, texts
from tests.ws.test_feed import TALK
from tests.ws.test_methods import say

LONG = "x" * 4_000


async def history(peer: Peer, session: str = "talk") -> list[tuple[str, str]]:
    return texts(await peer.result("chat.history", {"sessionKey": session}))


def changes(peer: Peer) -> list[tuple[str, str]]:
    told = [event["payload"] for event in peer.events if event["event"] == "sessions.changed"]
    return [(each.get("reason", ""), each["sessionKey"]) for each in told]


def told_model(models: ModelServer) -> list[tuple[str, str]]:
    """What the model was sent last, without its instructions."""
    messages = models.requests[-1].body["messages"]
    return [(each["role"], each["content"]) for each in messages if each["role"] != "system"]


async def test_a_note_waits_for_its_turn_and_is_on_disk_before_it_is_told(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("first ", Hold(gate), "answer"))
    await peer.result("chat.send", sent("run", "question"))
    await peer.event("agent", runId="run", stream="assistant")
    async with connected(gateway) as other:
        await other.result("sessions.subscribe")
        await peer.send(
            request("note", "chat.inject", {"sessionKey": "talk", "message": " Seen. ", "label": "ops"})
        )
        await gateway.wait_runs(2)
        assert await history(other) == []
        gate.set()
        note = "[ops]\n\nSeen."
        while True:
            final = (await other.event("chat", state="final"))["payload"]
            if final["runId"] != "run":
                break
        entries = await gateway.gateway._store.transcript("operator", TALK)
        assert entries[-1].message.content == final["message"]["content"][0]["text"] == note
        if ("inject", TALK) not in changes(other):
            await other.event("sessions.changed", reason="inject", sessionKey=TALK)
    answer = (await peer.answer("note"))["payload"]
    told = await peer.result("chat.history", {"sessionKey": "talk"})
    assert texts(told) == [("user", "question"), ("assistant", "first answer"), ("assistant", note)]
    assert answer == {"ok": True, "messageId": told["messages"][-1]["__openclaw"]["id"]}
    assert told["messages"][-1]["stopReason"] == "injected"
    await say(peer, "next", sessionKey="talk")
    assert note in [content for role, content in told_model(models) if role == "assistant"]


async def test_what_is_done_after_its_client_has_left_is_told_all_the_same(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("first ", Hold(gate), "answer"))
    await peer.result("sessions.subscribe")
    await peer.result("chat.send", sent("run", "question"))
    await peer.event("agent", runId="run", stream="assistant")
    async with connected(gateway) as other:
        await other.send(request("note", "chat.inject", {"sessionKey": "talk", "message": "Seen."}))
        await gateway.wait_runs(2)
        for run in gateway.gateway.running(OPERATOR):
            await run.accepted
    gate.set()
    await peer.event("sessions.changed", reason="inject", sessionKey=TALK)
    assert (await history(peer))[-1] == ("assistant", "Seen.")


async def test_a_client_that_sends_its_whole_history_need_not_know_the_note(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    models.enqueue(says("one"), says("two"), says("three"))
    headers = {"x-openclaw-session-key": "talk"}
    body: dict[str, Any] = {"model": "openclaw", "messages": [user("1")]}
    assert (await ask(gateway, body, headers=headers)).status == 200
    body["messages"] += [assistant("one"), user("2")]
    assert (await ask(gateway, body, headers=headers)).status == 200
    await peer.result("chat.inject", {"sessionKey": "talk", "message": "A note."})
    body["messages"] += [assistant("two"), user("3")]
    assert (await ask(gateway, body, headers=headers)).status == 200
    assert [text for _, text in await history(peer)] == ["1", "one", "2", "two", "A note.", "3", "three"]
    assert "A note." in str(told_model(models))
    assert (await peer.result("sessions.list"))["totalCount"] == 1, "no branch was left"


@pytest.mark.promise("error.tool_results_awaited")
async def test_nothing_is_written_between_a_call_and_its_result(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    models.enqueue(calls(Call("look", "{}")))
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    body = {"model": "openclaw", "messages": [user("look")], "tools": [tool]}
    assert (await ask(gateway, body, headers={"x-openclaw-session-key": "talk"})).status == 200
    before = await peer.result("chat.history", {"sessionKey": "talk"})
    error = await peer.error("chat.inject", {"sessionKey": "talk", "message": "A note."})
    assert error["details"]["code"] == "tool_results_awaited"
    after = await peer.result("chat.history", {"sessionKey": "talk"})
    assert after["messages"] == before["messages"]


@pytest.mark.parametrize(
    ("method", "params", "said"),
    [
        ("chat.inject", {"sessionKey": "talk", "message": "  "}, "message must not be blank"),
        ("chat.inject", {"sessionKey": " ", "message": "x"}, "sessionKey must not be blank"),
        ("chat.inject", {"sessionKey": "talk", "message": "x", "label": "a\nb"}, "printable"),
        ("chat.inject", {"sessionKey": "nowhere", "message": "x"}, "no such session"),
        ("sessions.compact", {"key": " "}, "key must not be blank"),
        ("sessions.compact", {"key": "nowhere"}, "no such session"),
        ("sessions.compact", {"key": "talk", "maxLines": 10}, "maxLines is not served"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    peer: Peer, method: str, params: dict[str, object], said: str
) -> None:
    await say(peer, "hello", sessionKey="talk")
    assert said in (await peer.error(method, params))["message"]
    assert len(await history(peer)) == 2
    assert (await peer.result("sessions.list"))["totalCount"] == 1


async def test_nothing_is_done_to_what_another_has(gateway: RunningGateway, peer: Peer) -> None:
    store = gateway.gateway._store
    begun = await store.begin(NewRun("run", "another", TALK, "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    turn = tuple(UserMessage(f"{number} {LONG}") for number in range(9))
    await store.finish(begun.claim, Ending("completed", turn=turn))
    for method, params in (
        ("chat.inject", {"sessionKey": "talk", "message": "x"}),
        ("sessions.compact", {"key": "talk"}),
    ):
        assert (await peer.error(method, params))["details"]["code"] == "not_found"
    assert len(await store.transcript("another", TALK)) == 9
    assert await store.get_session("operator", TALK) is None


async def test_the_older_part_is_summarised_in_its_turn(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    models.script("mock-echo", says(LONG))
    for number in range(4):
        await say(peer, f"question {number}", sessionKey="talk")
    gate = asyncio.Event()
    models.script("mock-echo", says("the ", Hold(gate), "last"), says("They talked."), says("fine"))
    async with connected(gateway) as other:
        await other.result("sessions.subscribe")
        await peer.result("chat.send", sent("run", "question 4"))
        await peer.event("agent", runId="run", stream="assistant")
        await peer.send(request("compact", "sessions.compact", {"key": "talk"}))
        await gateway.wait_runs(2)
        gate.set()
        answer = (await peer.answer("compact"))["payload"]
        if ("compact", TALK) not in changes(other):
            await other.event("sessions.changed", reason="compact", sessionKey=TALK)
        assert {event["payload"]["runId"] for event in other.events if event["event"] == "chat"} == {"run"}
    assert answer == {"ok": True, "key": TALK, "compacted": True, "result": {"summary": "They talked."}}
    summarised = str(models.requests[-1].body)
    assert "question 2" in summarised
    assert "question 3" not in summarised, "a third of it stays"
    assert len(await history(peer)) == 10, "the transcript stays whole"
    await say(peer, "go on", sessionKey="talk")
    asked = str(models.requests[-1].body["messages"])
    assert "They talked." in asked
    assert "question 2" not in asked
    assert "question 3" in asked
    record = await gateway.gateway._store.get_session("operator", TALK)
    assert record is not None
    assert record.active_run is None


async def test_a_summary_has_its_model_and_its_cost(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url)
    config["models"]["providers"]["mock"]["models"] = [{"id": "mock-echo", "cost": {"input": 1, "output": 0}}]
    models.script("mock-echo", says(LONG))
    async with running_gateway(config, state_dir=tmp_path) as gateway, connected(gateway) as peer:
        for number in range(3):
            await say(peer, f"question {number}", sessionKey="talk")
        models.script("mock-echo", says("They talked.", usage=Usage(2_000_000, 10, 2_000_010)))
        assert (await peer.result("sessions.compact", {"key": "talk"}))["compacted"]
    *_, row = rows(tmp_path)
    assert (row["model"], row["cost"], row["prompt_tokens"]) == ("mock/mock-echo", 2.0, 2_000_000)


async def test_where_there_is_nothing_to_summarise_no_model_is_asked(models: ModelServer, peer: Peer) -> None:
    await say(peer, "hello", sessionKey="talk")
    models.requests.clear()
    answer = await peer.result("sessions.compact", {"key": "talk"})
    assert (answer["compacted"], "result" in answer) == (False, False)
    assert "newest turn" in answer["reason"]
    assert models.requests == []


async def test_a_summary_that_cannot_be_had_changes_nothing(models: ModelServer, peer: Peer) -> None:
    models.script("mock-echo", says(LONG))
    for number in range(3):
        await say(peer, f"question {number}", sessionKey="talk")
    models.script("mock-echo", fails(400))
    error = await peer.error("sessions.compact", {"key": "talk"})
    assert error["details"]["code"] == "provider_rejected_request"
    models.script("mock-echo", says("fine"))
    await say(peer, "go on", sessionKey="talk")
    assert "question 0" in str(models.requests[-1].body["messages"])


async def test_a_summary_can_be_stopped(models: ModelServer, gateway: RunningGateway, peer: Peer) -> None:
    models.script("mock-echo", says(LONG))
    for number in range(3):
        await say(peer, f"question {number}", sessionKey="talk")
    gate = asyncio.Event()
    models.script("mock-echo", says("They ", Hold(gate), "talked."))
    models.requests.clear()
    await peer.send(request("compact", "sessions.compact", {"key": "talk"}))
    await models.wait_requests(1)
    assert (await peer.result("chat.abort", {"sessionKey": "talk"}))["aborted"] is True
    answer = await peer.answer("compact")
    assert answer["error"]["details"]["code"] == "run_aborted"
    assert await gateway.gateway._store.summary_until("operator", TALK, 6) is None
    gate.set()

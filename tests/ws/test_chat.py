"""What chat windows do: send, read the history, look at a session, begin it anew, delete it."""

import asyncio
from typing import Any

import msgspec
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, Reasoning, says
from openclaw_gateway.tools.base import conversation
from openclaw_gateway.wire.messages import AssistantMessage, Text, UserMessage
from tests.ws.peer import Peer, connected
from tests.ws.test_methods import say


def sent(key: str, text: str = "hi", session: str = "talk", **more: Any) -> dict[str, Any]:
    return {"sessionKey": session, "message": text, "idempotencyKey": key, **more}


def texts(history: dict[str, Any]) -> list[tuple[str, str]]:
    return [(each["role"], each["content"][-1]["text"]) for each in history["messages"]]


async def test_what_is_sent_is_answered_by_events_and_stands_in_the_history(
    models: ModelServer, peer: Peer
) -> None:
    models.enqueue(says(Reasoning("hm"), "Hel", "lo."))
    assert await peer.result("chat.send", sent("one", "Hi.")) == {"runId": "one", "status": "started"}
    final = (await peer.event("chat", runId="one", state="final"))["payload"]
    assert final["message"]["content"] == [{"type": "text", "text": "Hello."}]
    history = await peer.result("chat.history", {"sessionKey": "talk"})
    assert history["sessionKey"] == history["sessionId"] == "agent:main:talk"
    assert texts(history) == [("user", "Hi."), ("assistant", "Hello.")]
    asked, answered = history["messages"]
    assert asked["timestamp"] <= answered["timestamp"]
    assert answered["content"][0] == {"type": "thinking", "thinking": "hm"}
    assert (answered["provider"], answered["model"]) == ("mock", "mock-echo")
    assert (history["hasMore"], history["totalMessages"], "inFlightRun" in history) == (False, 2, False)
    assert await peer.result("chat.send", sent("one", "Hi.")) == {"runId": "one", "status": "ok"}
    assert len(models.requests) == 1


async def test_the_history_has_the_newest_and_the_run_in_flight(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    for number in range(3):
        await say(peer, f"say {number}", sessionKey="talk")
    gate = asyncio.Event()
    models.enqueue(says("so ", Hold(gate), "far"))
    await peer.result("chat.send", sent("live"))
    await peer.event("agent", runId="live", stream="assistant")
    async with connected(gateway) as other:
        history = await other.result("chat.startup", {"sessionKey": "talk", "limit": 2})
        assert history["inFlightRun"] == {"runId": "live", "text": "so "}
        assert (len(history["messages"]), history["hasMore"]) == (2, True)
        assert texts(history)[0] == ("user", "say 2")
        assert history["nextOffset"] == 2
        before = await other.result("chat.history", {"sessionKey": "talk", "limit": 3, "offset": 2})
        assert [text for _, text in texts(before)] == ["say 0", "say 1", "say 1"]
        info = history["sessionInfo"]
        assert (info["hasActiveRun"], info["activeRunIds"], info["status"]) == (True, ["live"], "running")
    assert (await peer.result("chat.send", sent("live")))["status"] == "in_flight"
    gate.set()
    await peer.event("chat", runId="live", state="final")


async def test_a_history_tells_what_became_of_the_messages_that_were_sent(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("First."), says(Hold(gate), "Second."))
    await peer.result("chat.send", sent("one"))
    await peer.event("chat", runId="one", state="final")
    await peer.result("chat.send", sent("two"))
    await peer.event("agent", runId="two", stream="lifecycle")
    asked = {"sessionKey": "talk", "inputRunIds": ["one", "two", "never", "one"]}
    before = await peer.result("chat.history", asked)
    first, second = before["inputReceipts"]
    assert (first["runId"], first["state"]) == ("one", "consumed")
    assert second == {"runId": "two", "state": "pending"}
    assert before["sessionInfo"]["activeRunIds"] == ["two"]
    gate.set()
    await peer.event("chat", runId="two", state="final")
    after = await peer.result("chat.history", asked)
    assert {each["runId"]: each["state"] for each in after["inputReceipts"]} == {
        "one": "consumed",
        "two": "consumed",
    }
    assert (after["sessionInfo"]["hasActiveRun"], after["sessionInfo"]["activeRunIds"]) == (False, [])
    known = [each["__openclaw"] for each in after["messages"]]
    assert [(each["seq"], each["runId"]) for each in known] == [
        (1, "one"),
        (2, "one"),
        (3, "two"),
        (4, "two"),
    ]
    assert len({each["id"] for each in known}) == 4
    assert [each.get("idempotencyKey") for each in known] == ["one", None, "two", None]
    elsewhere = await peer.result("chat.history", {"sessionKey": "other", "inputRunIds": ["one"]})
    assert elsewhere["inputReceipts"] == []
    error = await peer.error("chat.history", {"sessionKey": "talk", "inputRunIds": []})
    assert error["code"] == "INVALID_REQUEST"


async def test_a_history_of_tools_and_a_text_that_is_cut(models: ModelServer, peer: Peer) -> None:
    await say(peer, "x" * 500, sessionKey="long", idempotencyKey="k")
    history = await peer.result("chat.history", {"sessionKey": "long", "maxChars": 100})
    assert all(text == "x" * 100 + "\n…(truncated)…" for role, text in texts(history) if role == "user")
    empty = await peer.result("chat.history", {"sessionKey": "never"})
    assert (empty["messages"], empty["totalMessages"]) == ([], 0)


async def test_thinking_reaches_the_model_or_is_refused(models: ModelServer, peer: Peer) -> None:
    error = await peer.error("chat.send", sent("a", thinking="loud"))
    assert error["message"].startswith("invalid chat.send params: thinking is one of off, minimal")
    error = await peer.error("chat.send", sent("b", queueMode="queue"))
    assert "queueMode" in error["message"]
    assert models.requests == []


async def test_agent_goes_on_with_the_session_of_an_id_and_never_with_the_main_one(
    models: ModelServer, peer: Peer
) -> None:
    await say(peer, "main's")
    await say(peer, "first", sessionId="abc")
    await say(peer, "second", sessionId="abc")
    history = await peer.result("chat.history", {"sessionKey": "abc"})
    assert [text for role, text in texts(history) if role == "user"] == ["first", "second"]
    row = (await peer.result("sessions.describe", {"key": "abc"}))["session"]
    await say(peer, "third", sessionId=row["sessionId"])
    again = await peer.result("sessions.get", {"key": "abc"})
    assert [text for role, text in texts(again) if role == "user"] == ["first", "second", "third"]
    mains = await peer.result("chat.history", {"sessionKey": "main"})
    assert [text for role, text in texts(mains) if role == "user"] == ["main's"]


async def test_a_model_that_is_asked_for_is_used_or_refused(peer: Peer) -> None:
    error = await peer.error("agent", {"message": "hi", "idempotencyKey": "k", "model": "mock/nosuch"})
    assert "mock/nosuch" in error["message"]


async def test_one_session_is_found_previewed_begun_anew_and_deleted(peer: Peer) -> None:
    await say(peer, "hello", sessionKey="talk")
    found = await peer.result("sessions.resolve", {"key": "talk"})
    assert found == {"ok": True, "key": "agent:main:talk", "agentId": "main", "displayName": "talk"}
    assert await peer.result("sessions.resolve", {"key": "none", "allowMissing": True}) == {"ok": False}
    error = await peer.error("sessions.resolve", {"key": "none"})
    assert error["details"]["code"] == "not_found"
    preview = await peer.result("sessions.preview", {"keys": ["talk", "none"]})
    shown = {each["key"]: each for each in preview["previews"]}
    assert {key: each["status"] for key, each in shown.items()} == {"talk": "ok", "none": "missing"}
    again = await peer.result("sessions.preview", {"keys": ["talk", "none", "talk"]})
    assert again["previews"] == preview["previews"], "a key that is named again is looked at once"
    assert shown["talk"]["items"][0] == {"role": "user", "text": "hello"}
    made = await peer.result("sessions.create", {"agentId": "main"})
    assert made["key"].startswith("agent:main:chat-")
    assert (await peer.result("sessions.reset", {"key": "talk"}))["key"] == "agent:main:talk"
    await say(peer, "anew", sessionKey="talk")
    assert (await peer.result("sessions.delete", {"key": "talk"}))["deleted"] is True
    assert (await peer.result("sessions.describe", {"key": "talk"}))["session"] is None
    assert "sessions.reset" in (await peer.error("sessions.delete", {"key": "main"}))["message"]


async def test_after_a_reset_the_model_is_not_told_what_was_before(models: ModelServer, peer: Peer) -> None:
    await say(peer, "a secret", sessionKey="talk")
    await peer.result("sessions.reset", {"key": "talk"})
    models.requests.clear()
    await say(peer, "next", sessionKey="talk")
    (request,) = models.requests
    assert "a secret" not in str(request.body)


@pytest.mark.parametrize("ends", ["sessions.reset", "sessions.delete"])
async def test_what_was_allowed_in_a_conversation_ends_with_it(
    gateway: RunningGateway, peer: Peer, ends: str
) -> None:
    await say(peer, "hello", sessionKey="talk")
    names = [conversation(OPERATOR.owner, f"agent:main:{key}", "") for key in ("talk", "other")]
    questions = gateway.gateway._questions
    for name in names:
        questions.earlier.allow(name, b"make", "")
    await peer.result(ends, {"key": "talk"})
    assert [bool(questions.earlier.allowed(name)) for name in names] == [False, True]


async def test_after_a_reset_a_chat_window_shows_an_empty_conversation(peer: Peer) -> None:
    await say(peer, "before", sessionKey="talk")
    await peer.result("sessions.reset", {"key": "talk"})
    history = await peer.result("chat.history", {"sessionKey": "talk"})
    assert (history["messages"], history["totalMessages"], history["hasMore"]) == ([], 0, False)
    assert (await peer.result("sessions.get", {"key": "talk"}))["messages"] == []
    (preview,) = (await peer.result("sessions.preview", {"keys": ["talk"]}))["previews"]
    assert preview["status"] == "empty"
    await say(peer, "after", sessionKey="talk")
    history = await peer.result("chat.history", {"sessionKey": "talk"})
    assert texts(history)[0] == ("user", "after")
    assert history["totalMessages"] == 2


async def test_what_is_shown_of_a_session_fits_into_a_frame(gateway: RunningGateway, peer: Peer) -> None:
    store, key = gateway.gateway._store, "agent:main:talk"
    for number in range(5):
        begun = await store.begin(NewRun(f"run-{number}", "operator", key, "main"), lease_s=15)
        assert isinstance(begun, Claimed)
        turn = tuple(UserMessage(f"{number}{each}" + "\x01" * 400_000) for each in range(2))
        await store.finish(begun.claim, Ending("completed", turn=turn))
    begun = await store.begin(NewRun("run-small", "operator", key, "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    parts = tuple(Text("\x01" * 100_000) for _ in range(12))
    await store.finish(begun.claim, Ending("completed", turn=(AssistantMessage(parts),)))
    wanted = {"sessionKey": "talk", "limit": 1000, "maxChars": 500_000}
    history = await peer.result("chat.history", wanted)
    assert len(msgspec.json.encode(history)) < 7 << 20
    assert [text[:2] for role, text in texts(history) if role == "user"] == ["40", "41"]
    assert texts(history)[-1] == ("assistant", "(this message is too large to be shown)")
    assert (history["totalMessages"], history["hasMore"]) == (11, True)
    for method, params in (
        ("sessions.get", {"key": "talk", "limit": 1000}),
        ("sessions.preview", {"keys": ["talk", "agent:main:talk"] * 32, "limit": 50, "maxChars": 2000}),
    ):
        assert len(msgspec.json.encode(await peer.result(method, params))) < 7 << 20


async def test_who_is_connected(gateway: RunningGateway, peer: Peer) -> None:
    async with connected(gateway):
        rows: Any = await peer.result("system-presence")
        here, *others = rows
        assert (here["mode"], here["reason"]) == ("gateway", "self")
        assert [each["mode"] for each in others] == ["test", "test"]
    identity = await peer.result("agent.identity.get", {"sessionKey": "agent:main:main"})
    assert identity == {"agentId": "main", "name": "main", "avatar": "M"}
    status = await peer.result("models.authStatus")
    assert [(row["provider"], row["status"]) for row in status["providers"]] == [("mock", "static")]
    assert "key" not in str(status).lower()


async def test_what_another_owner_has_is_not_found(gateway: RunningGateway, peer: Peer) -> None:
    store, key = gateway.gateway._store, "agent:main:talk"
    begun = await store.begin(NewRun("run-of-another", "another", key, "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    await store.finish(begun.claim, Ending("completed", turn=(UserMessage("a secret"),)))
    assert (await peer.result("sessions.describe", {"key": "talk"}))["session"] is None
    for method, params in (
        ("sessions.get", {"key": "talk"}),
        ("chat.history", {"sessionKey": "talk"}),
        ("sessions.preview", {"keys": ["talk"]}),
        ("sessions.reset", {"key": "talk"}),
        ("sessions.resolve", {"key": "talk", "allowMissing": True}),
    ):
        assert "a secret" not in str(await peer.result(method, params))
    assert (await peer.result("sessions.delete", {"key": "talk"}))["deleted"] is False
    assert await store.get_session("another", key) is not None

"""`sessions.fork`: another session that goes on from a message, and the one it came from as it was."""

from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Call, ModelServer, calls, says
from openclaw_gateway.wire.messages import AssistantMessage, Image, UserMessage, assistant
from tests.ws.peer import Peer
from tests.ws.test_chat import texts
from tests.ws.test_methods import say


async def ids(peer: Peer, session: str = "talk") -> list[str]:
    history = await peer.result("chat.history", {"sessionKey": session})
    places = [message["__openclaw"] for message in history["messages"]]
    assert [place["seq"] for place in places] == list(range(1, len(places) + 1))
    return [place["id"] for place in places]


async def said(peer: Peer, session: str) -> list[tuple[str, str]]:
    return texts(await peer.result("chat.history", {"sessionKey": session}))


async def test_a_fork_from_a_question_has_what_was_before_it_and_gives_it_back(
    models: ModelServer, peer: Peer
) -> None:
    models.enqueue(says("1"), says("2"))
    await say(peer, "one", sessionKey="talk")
    await say(peer, "two", sessionKey="talk")
    _, _, second, _ = await ids(peer)
    await peer.result("sessions.subscribe")
    forked = await peer.result("sessions.fork", {"sessionKey": "talk", "entryId": second})
    key = forked["sessionKey"]
    assert key.startswith("agent:main:chat-")
    assert forked == {"sessionKey": key, "editorText": "two"}
    await peer.event("sessions.changed", reason="fork", sessionKey=key)
    assert await said(peer, key) == [("user", "one"), ("assistant", "1")]
    rows = {row["key"]: row for row in (await peer.result("sessions.list"))["sessions"]}
    assert rows[key]["parentSessionKey"] == "agent:main:talk"
    assert "parentSessionKey" not in rows["agent:main:talk"]
    models.enqueue(says("other"))
    models.requests.clear()
    await say(peer, "two, otherwise", sessionKey=key)
    (request,) = models.requests
    assert [each["content"] for each in request.body["messages"]][-3:] == ["one", "1", "two, otherwise"]
    assert [text for _, text in await said(peer, "talk")] == ["one", "1", "two", "2"]


async def test_a_fork_from_an_answer_has_it_with_what_its_tools_gave_back(
    models: ModelServer, peer: Peer
) -> None:
    models.enqueue(calls(Call("c1", "session_status", "{}")), says("Done."))
    await say(peer, "look", sessionKey="talk")
    places = await ids(peer)
    for place, roles in (
        (places[1], ["user", "assistant", "toolResult"]),
        (places[2], ["user", "assistant", "toolResult"]),
        (places[3], ["user", "assistant", "toolResult", "assistant"]),
        (None, ["user", "assistant", "toolResult", "assistant"]),
    ):
        params = {"sessionKey": "talk"} | ({} if place is None else {"entryId": place})
        forked = await peer.result("sessions.fork", params)
        history = await peer.result("chat.history", {"sessionKey": forked["sessionKey"]})
        assert [message["role"] for message in history["messages"]] == roles
        models.enqueue(says("Well."))
        await say(peer, "and?", sessionKey=forked["sessionKey"], idempotencyKey=forked["sessionKey"])
    empty = await peer.result("sessions.fork", {"sessionKey": "talk", "entryId": places[0]})
    assert (empty["editorText"], await said(peer, empty["sessionKey"])) == ("look", [])


async def test_images_of_a_question_come_back_with_it(gateway: RunningGateway, peer: Peer) -> None:
    store, key = gateway.gateway._store, "agent:main:talk"
    begun = await store.begin(NewRun("run", "operator", key, "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    shown = UserMessage("look", images=(Image("image/png", "iVBORw0KGgo="),))
    await store.finish(begun.claim, Ending("completed", turn=(shown, assistant("nice"))))
    forked = await peer.result("sessions.fork", {"sessionKey": "talk", "entryId": "run:1"})
    assert forked["editorAttachments"] == [{"mimeType": "image/png", "data": "iVBORw0KGgo="}]


@pytest.mark.parametrize(
    "place",
    [
        "",
        "x",
        "run:0",
        "run:1",
        "run:-1",
        "run:٣",
        "run:99",
        ":1",
        f"run:{'9' * 400}",
        "\ud800:1",
        "run:1\x00",
    ],
)
async def test_what_is_no_message_is_not_forked_from(peer: Peer, place: str) -> None:
    await say(peer, "hello", sessionKey="talk")
    params: dict[str, Any] = {"sessionKey": "talk", "entryId": place.encode("utf-8", "replace").decode()}
    assert (await peer.error("sessions.fork", params))["code"] in ("INVALID_REQUEST", "UNAVAILABLE")
    assert (await peer.result("sessions.list"))["totalCount"] == 1


async def test_a_message_that_the_session_has_left_or_begun_anew_behind_is_none(
    gateway: RunningGateway, peer: Peer
) -> None:
    await say(peer, "hello", sessionKey="talk")
    first, second = await ids(peer)
    await peer.result("sessions.reset", {"key": "talk"})
    for place in (first, second):
        error = await peer.error("sessions.fork", {"sessionKey": "talk", "entryId": place})
        assert error["details"]["param"] == "entryId"
    forked = await peer.result("sessions.fork", {"sessionKey": "talk"})
    assert await said(peer, forked["sessionKey"]) == []


async def test_nobody_forks_what_is_not_his(gateway: RunningGateway, peer: Peer) -> None:
    store, key = gateway.gateway._store, "agent:main:talk"
    begun = await store.begin(NewRun("run", "another", key, "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    turn = (UserMessage("a secret"), AssistantMessage(()))
    await store.finish(begun.claim, Ending("completed", turn=turn))
    for params in ({"sessionKey": "talk"}, {"sessionKey": "talk", "entryId": "run:1"}):
        assert (await peer.error("sessions.fork", params))["details"]["code"] == "not_found"
    assert (await peer.result("sessions.list"))["totalCount"] == 0
    another = Principal("another", OPERATOR.scopes)
    forked = await gateway.gateway.session_forks.fork(another, key, "run:1")
    assert (forked.record.owner, forked.record.last_seq) == ("another", 0)

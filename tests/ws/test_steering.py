"""`queueMode: steer`: a message reaches the run at work in its session, or waits for its turn there."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Chunk, Hang, Hold, ModelServer, calls, fails, says
from tests.doors.chat import ask, user
from tests.doors.test_kill import at, process
from tests.ws.peer import Peer, connected
from tests.ws.test_chat import sent

DOT = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
BROKEN = Chunk({"error": {"message": "it broke", "type": "server_error"}})


def looks(*steps: Any) -> Any:
    """A round that asks for a tool, after these steps."""
    return calls("Let me look.", *steps, Call("session_status", "{}"))


async def at_work(peer: Peer, models: ModelServer, key: str = "one", text: str = "look") -> None:
    """A run is at its first round."""
    before = len(models.requests)
    await peer.result("chat.send", sent(key, text))
    await models.wait_requests(before + 1)


async def steer(peer: Peer, key: str, text: str = "and hurry", **more: Any) -> dict[str, Any]:
    return await peer.result("chat.send", sent(key, text, queueMode="steer", **more))


async def final(peer: Peer, key: str, state: str = "final") -> dict[str, Any]:
    known = [told for told in peer.told(key, "chat") if told["state"] == state]
    payload: dict[str, Any] = (
        known[0] if known else (await peer.event("chat", runId=key, state=state))["payload"]
    )
    return payload


async def history(peer: Peer, *keys: str) -> dict[str, Any]:
    return await peer.result(
        "chat.history", {"sessionKey": "talk", **({"inputRunIds": list(keys)} if keys else {})}
    )


def shown(said: dict[str, Any]) -> list[tuple[str, str]]:
    """Of each message but those of tools, who said it and its text."""
    return [
        (each["role"], each["content"][0]["text"])
        for each in said["messages"]
        if each["role"] != "toolResult"
    ]


def text_of(final: dict[str, Any]) -> str:
    text: str = final["message"]["content"][0]["text"]
    return text


@contextlib.asynccontextmanager
async def restarted(models: ModelServer, state_dir: Path) -> AsyncIterator[Peer]:
    """A client of a gateway that goes on with what another has left."""
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=state_dir) as gateway, connected(gateway) as peer:
        yield peer


@pytest.mark.promise("ws-steer")
async def test_a_message_reaches_the_run_at_work_behind_the_results_of_its_tools(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    gate, later = asyncio.Event(), asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done", Hold(later), " at once."), says("Next."))
    await at_work(peer, models)
    assert await steer(peer, "two") == {"runId": "two", "status": "started", "queued": 1}
    assert [each["state"] for each in (await history(peer, "two"))["inputReceipts"]] == ["pending"]
    gate.set()
    await models.wait_requests(2)
    messages = models.requests[-1].messages
    assert [each["role"] for each in messages[-4:]] == ["user", "assistant", "tool", "user"]
    assert messages[-1]["content"] == "and hurry"
    said = await history(peer, "one", "two")
    assert [each["state"] for each in said["inputReceipts"]] == ["pending", "pending"]
    assert said["inFlightRun"]["runId"] == "one"
    assert (await steer(peer, "two"))["status"] == "in_flight"
    later.set()
    answered = await final(peer, "one")
    assert text_of(answered) == "Let me look.\n\nDone at once."
    taken = await final(peer, "two")
    assert (taken["stopReason"], "message" in taken) == ("steered", False)
    assert taken["usage"]["total"] == 0
    ended = next(told["data"] for told in peer.told("two") if told["data"].get("phase") == "end")
    assert (ended["answeredBy"], ended["aborted"]) == ("one", False)
    said = await history(peer, "one", "two")
    assert shown(said) == [
        ("user", "look"),
        ("assistant", "Let me look."),
        ("user", "and hurry"),
        ("assistant", "Done at once."),
    ]
    first, second = said["inputReceipts"]
    assert (first["state"], second["state"]) == ("consumed", "consumed")
    assert first["consumedByEventId"] == second["consumedByEventId"]
    places = [each["__openclaw"] for each in said["messages"] if each["role"] == "user"]
    assert [(place["runId"], place["idempotencyKey"]) for place in places] == [("one", "one"), ("two", "two")]
    assert await steer(peer, "two") == {"runId": "two", "status": "ok"}
    assert (await peer.result("agent.wait", {"runId": "two"}))["status"] == "ok"
    await peer.result("chat.send", sent("three", "go on"))
    await final(peer, "three")
    roles = [each["role"] for each in models.requests[-1].messages[1:]]
    assert roles == ["user", "assistant", "tool", "user", "assistant", "user"]


async def test_a_run_with_no_further_round_leaves_the_message_its_own_turn(
    models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("Fir", Hold(gate), "st."), says("Second."))
    await at_work(peer, models)
    await steer(peer, "two")
    gate.set()
    assert text_of(await final(peer, "one")) == "First."
    second = await final(peer, "two")
    assert (second["stopReason"], text_of(second)) == ("stop", "Second.")
    said = await history(peer, "one", "two")
    assert [text for _, text in shown(said)] == ["look", "First.", "and hurry", "Second."]
    assert len({each["consumedByEventId"] for each in said["inputReceipts"]}) == 2


@pytest.mark.parametrize("end", ["error", "aborted"])
async def test_what_was_not_taken_up_has_its_turn_after_a_run_that_ends_badly(
    models: ModelServer, peer: Peer, end: str
) -> None:
    gate = asyncio.Event()
    models.enqueue(says("a", Hold(gate), BROKEN if end == "error" else Hang()), says("Second."))
    await at_work(peer, models)
    await steer(peer, "two")
    if end == "aborted":
        await peer.result("chat.abort", {"sessionKey": "talk", "runId": "one"})
    gate.set()
    await final(peer, "one", end)
    assert text_of(await final(peer, "two")) == "Second."


async def test_after_it_is_taken_up_a_message_ends_as_the_run_that_answers_it(
    models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), fails(400), says("Again."))
    await at_work(peer, models)
    await steer(peer, "two")
    gate.set()
    one, two = await final(peer, "one", "error"), await final(peer, "two", "error")
    assert one["errorMessage"] == two["errorMessage"]
    assert shown(await history(peer, "two")) == []
    assert [each["state"] for each in (await history(peer, "two"))["inputReceipts"]] == ["consumed"]
    await peer.result("chat.send", sent("three", "again"))
    assert text_of(await final(peer, "three")) == "Again."


async def test_who_stops_a_message_that_is_not_taken_up_yet_withdraws_it(
    models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."))
    await at_work(peer, models)
    await steer(peer, "two")
    stopped = await peer.result("chat.abort", {"sessionKey": "talk", "runId": "two"})
    assert stopped["runIds"] == ["two"]
    await final(peer, "two", "aborted")
    gate.set()
    await final(peer, "one")
    assert "and hurry" not in msgspec.json.encode(models.requests[-1].body).decode()
    assert [text for _, text in shown(await history(peer, "two"))] == ["look", "Let me look.", "Done."]


async def test_who_stops_a_message_that_is_taken_up_stops_its_answer(models: ModelServer, peer: Peer) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Do", Hang()), says("Next."))
    await at_work(peer, models)
    await steer(peer, "two")
    gate.set()
    await peer.event("chat", runId="one", state="delta")
    await models.wait_requests(2)
    while "Do" not in "".join(each["data"].get("delta", "") for each in peer.told("one")):
        await peer.event("agent", runId="one", stream="assistant")
    await peer.result("chat.abort", {"sessionKey": "talk", "runId": "two"})
    await final(peer, "one", "aborted")
    await final(peer, "two", "aborted")
    said = shown(await history(peer, "two"))
    assert said == [
        ("user", "look"),
        ("assistant", "Let me look."),
        ("user", "and hurry"),
        ("assistant", "Do"),
    ]
    await peer.result("chat.send", sent("three", "go on"))
    await final(peer, "three")


async def test_several_reach_it_in_their_order_before_what_waits_for_its_turn(
    models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Both."), says("Last."))
    await at_work(peer, models)
    await peer.result("chat.send", sent("waits", "my turn", queueMode="followup"))
    await steer(peer, "two", "more")
    await steer(peer, "three", "and more")
    gate.set()
    for key in ("one", "two", "three", "waits"):
        await final(peer, key)
    said = await peer.result("chat.history", {"sessionKey": "talk"})
    assert [text for _, text in shown(said)] == [
        "look",
        "Let me look.",
        "more",
        "and more",
        "Both.",
        "my turn",
        "Last.",
    ]


async def test_a_run_that_was_asked_over_http_takes_up_nothing(
    gateway: RunningGateway, models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."), says("Second."))
    body = {"model": "openclaw", "messages": [user("look")]}
    asking = asyncio.create_task(ask(gateway, body, headers={"x-openclaw-session-key": "talk"}))
    await models.wait_requests(1)
    await steer(peer, "two")
    gate.set()
    assert (await asking).content == "Let me look.\n\nDone."
    assert text_of(await final(peer, "two")) == "Second."


async def test_an_image_that_the_model_at_work_cannot_see_is_refused_in_its_own_turn(
    models: ModelServer,
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."))
    blind = {"models": {"providers": {"mock": {"models": [{"id": "mock-echo", "input": ["text"]}]}}}}
    async with (
        running_gateway(model_config(models.base_url, blind)) as gateway,
        connected(gateway) as peer,
    ):
        await at_work(peer, models)
        await steer(peer, "two", attachments=[{"type": "image", "mimeType": "image/png", "content": DOT}])
        gate.set()
        assert text_of(await final(peer, "one")) == "Let me look.\n\nDone."
        assert "cannot see images" in (await final(peer, "two", "error"))["errorMessage"]


async def test_after_kill_9_neither_is_half_there_and_both_can_be_sent_again(
    models: ModelServer, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Do", Hang()))
    async with process(tmp_path, models) as (program, url), connected(at(url, tmp_path)) as peer:
        await at_work(peer, models)
        await steer(peer, "two")
        gate.set()
        await models.wait_requests(2)
        program.send_signal(signal.SIGKILL)
        await program.wait()
    gate.clear()
    models.enqueue(looks(Hold(gate)), says("Done."))
    async with restarted(models, tmp_path) as peer:
        said = await peer.result("chat.history", {"sessionKey": "talk"})
        assert said["messages"] == []
        await at_work(peer, models)
        await steer(peer, "two")
        gate.set()
        await final(peer, "two")
        said = await history(peer, "one", "two")
        assert [text for _, text in shown(said)] == ["look", "Let me look.", "and hurry", "Done."]
    async with restarted(models, tmp_path) as peer:
        assert await steer(peer, "two") == {"runId": "two", "status": "ok"}
        assert (await peer.result("agent.wait", {"runId": "two"}))["status"] == "ok"
        assert len((await history(peer, "two"))["messages"]) == 5


async def test_what_was_stopped_before_its_turn_is_not_answered_when_it_is_sent_again(
    models: ModelServer, peer: Peer
) -> None:
    """A client repeats what it is not sure of, and does not know that its user has stopped it meanwhile."""
    gate = asyncio.Event()
    models.enqueue(says("Fir", Hold(gate), "st."))
    await at_work(peer, models)
    await steer(peer, "two")
    await peer.result("chat.abort", {"sessionKey": "talk", "runId": "two"})
    await final(peer, "two", "aborted")
    assert await steer(peer, "two") == {"runId": "two", "status": "ok"}
    gate.set()
    await final(peer, "one")
    assert [text for _, text in shown(await history(peer))] == ["look", "First."]


async def test_a_message_that_failed_is_begun_anew_when_it_is_sent_again(
    models: ModelServer, peer: Peer
) -> None:
    models.enqueue(fails(400), says("Now."))
    await peer.result("chat.send", sent("one", "look"))
    await final(peer, "one", "error")
    assert await peer.result("chat.send", sent("one", "look")) == {"runId": "one", "status": "started"}
    assert text_of(await final(peer, "one")) == "Now."


async def test_who_says_how_hard_it_is_to_be_thought_about_is_answered_so(
    models: ModelServer, peer: Peer
) -> None:
    gate = asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done."), says("Second."))
    await at_work(peer, models)
    await steer(peer, "two", thinking="high")
    gate.set()
    assert text_of(await final(peer, "one")) == "Let me look.\n\nDone."
    assert text_of(await final(peer, "two")) == "Second."
    assert models.requests[-1].body["reasoning_effort"] == "high"


async def test_those_that_were_taken_up_do_not_stand_before_who_comes_later(
    models: ModelServer, peer: Peer
) -> None:
    gate, later = asyncio.Event(), asyncio.Event()
    models.enqueue(looks(Hold(gate)), says("Done", Hold(later), "."), says("Third."))
    await at_work(peer, models)
    await steer(peer, "two")
    gate.set()
    await models.wait_requests(2)
    assert (await steer(peer, "three"))["queued"] == 1
    later.set()
    assert text_of(await final(peer, "three")) == "Third."

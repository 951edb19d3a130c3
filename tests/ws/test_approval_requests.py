"""`exec.approval.request` and `.waitDecision`: a client asks a person, and hears what he said."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import RunningGateway
from tests.ws.peer import Peer, connected, request

SECRET = "value-of-a-variable-0123456789"


async def asked(peer: Peer, request_id: str = "r", **params: Any) -> dict[str, Any]:
    """That the question is open."""
    await peer.send(
        request(request_id, "exec.approval.request", {"command": "make all", "twoPhase": True, **params})
    )
    first = await peer.answer(request_id)
    assert first["payload"]["status"] == "accepted", first
    payload: dict[str, Any] = first["payload"]
    return payload


async def end(peer: Peer, id_: str) -> dict[str, Any]:
    """What is told of the end of a question, if it was not told before."""
    told = [one for one in peer.events if one["event"] == "exec.approval.resolved"]
    event = next((one for one in told if one["payload"]["id"] == id_), None)
    payload: dict[str, Any] = (event or await peer.event("exec.approval.resolved", id=id_))["payload"]
    return payload


async def test_a_person_decides(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer, connected(gateway, scopes=["operator.approvals"]) as person:
        opened = await asked(
            peer, cwd="/work", agentId="main", env={"KEY": SECRET}, warningText="It builds.", timeoutMs=60_000
        )
        event = (await person.event("exec.approval.requested"))["payload"]
        assert (event["id"], event["request"]["command"]) == (opened["id"], "make all")
        assert (event["request"]["cwd"], event["request"]["envKeys"]) == ("/work", ["KEY"])
        assert event["request"]["warningText"].startswith("It builds. Asked by the client test")
        assert SECRET not in msgspec.json.encode(event).decode()
        assert (await person.result("exec.approval.get", {"id": opened["id"]}))["commandText"] == "make all"
        await person.send(request("w", "exec.approval.waitDecision", {"id": opened["id"]}))
        await person.result("exec.approval.resolve", {"id": opened["id"], "decision": "allow-once"})
        final = (await peer.answer("r"))["payload"]
        assert (final["id"], final["decision"]) == (opened["id"], "allow-once")
        assert (await person.answer("w"))["payload"]["decision"] == "allow-once"
        later = await peer.result("exec.approval.waitDecision", {"id": opened["id"]})
        assert later["decision"] == "allow-once"
        again = await peer.error("exec.approval.request", {"command": "x", "id": opened["id"]})
        assert again["details"]["code"] == "approval_id_taken"


async def test_without_an_answer_it_is_null(peer: Peer) -> None:
    answer = await peer.result("exec.approval.request", {"command": "make", "timeoutMs": 20})
    assert answer["decision"] is None
    resolved = await end(peer, answer["id"])
    assert (resolved["id"], resolved["decision"], resolved["reason"]) == (answer["id"], "deny", "expired")
    assert (await peer.error("exec.approval.waitDecision", {"id": answer["id"]}))["details"][
        "reason"
    ] == "APPROVAL_NOT_FOUND"


async def test_it_ends_with_the_client_that_asks(gateway: RunningGateway) -> None:
    async with connected(gateway) as person:
        async with connected(gateway) as peer:
            await asked(peer, id="mine")
            await person.event("exec.approval.requested", id="mine")
            await person.send(request("w", "exec.approval.waitDecision", {"id": "mine"}))
            assert await person.result("health")
        assert (await person.answer("w"))["payload"]["decision"] is None
        assert (await end(person, "mine"))["reason"] == "run-ended"
        assert not await person.result("exec.approval.list")


@pytest.mark.promise("error.approval_id_taken")
async def test_an_id_is_taken_once_and_there_is_an_end_of_room(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        for at in range(8):
            await asked(peer, f"r{at}", id=f"id{at}")
        full = await peer.error("exec.approval.request", {"command": "make"})
        assert full["details"]["code"] == "overloaded"
        await peer.result("exec.approval.resolve", {"id": "id0", "decision": "deny"})
        error = await peer.error("exec.approval.request", {"command": "make", "id": "id1"})
        assert error["details"]["code"] == "approval_id_taken"


async def test_who_asks_at_the_same_moment_is_counted_too(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        for at in range(2):
            await peer.send(request(f"same{at}", "exec.approval.request", {"command": "make", "id": "one"}))
        taken = await peer.answer("same1")
        assert taken["error"]["details"]["code"] == "approval_id_taken"
        for at in range(20):
            await peer.send(request(f"r{at}", "exec.approval.request", {"command": "make"}))
        for at in range(7, 20):
            full = await peer.answer(f"r{at}")
            assert full["error"]["details"]["code"] == "overloaded"
        assert len(await peer.result("exec.approval.list")) == 8
        await peer.result("exec.approval.resolve", {"id": "one", "decision": "allow-once"})
        assert (await peer.answer("same0"))["payload"]["decision"] == "allow-once"


async def test_wrong_params(peer: Peer) -> None:
    wrongs: tuple[dict[str, Any], ...] = (
        {},
        {"command": ""},
        {"command": "  "},
        {"command": "rm \u202e x"},
        {"command": "ls\x1b[2K"},
        {"command": "x" * 40_000},
        {"command": "x", "commandArgv": ["x" * 30_000] * 600},
        {"command": "x", "id": "a b"},
        {"command": "x", "timeoutMs": 0},
        {"command": "x", "unavailableDecisions": ["deny"]},
        {"command": "x", "env": ["a"]},
    )
    for wrong in wrongs:
        error = await peer.error("exec.approval.request", wrong)
        assert error["details"]["code"] == "invalid_params", wrong
    assert not await peer.result("exec.approval.list")


async def test_allow_always_can_be_left_out(gateway: RunningGateway) -> None:
    async with connected(gateway) as peer:
        opened = await asked(peer, unavailableDecisions=["allow-always"])
        got = await peer.result("exec.approval.get", {"id": opened["id"]})
        assert got["allowedDecisions"] == ["allow-once", "deny"]
        error = await peer.error("exec.approval.resolve", {"id": opened["id"], "decision": "allow-always"})
        assert error["details"]["code"] == "approval_decision_unavailable"

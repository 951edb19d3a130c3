"""Sub-agents with the real gateway: alone, side by side, nested, bounded, and gone with whoever asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.runs.run import Run
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, calls, says
from openclaw_gateway.testing.replies import Reply
from openclaw_gateway.wire.run import Usage
from tests.doors.chat import CHAT, http, say, user
from tests.doors.test_ledger import rows
from tests.ws.peer import connected, request

BOSS, HELPER = "boss", "helper"
BOB = "agent:main:openai-user:bob"


def spawn(task: str = "do it", id: str = "call_1", **arguments: Any) -> Call:  # noqa: A002 - as in Call
    return Call("sessions_spawn", msgspec.json.encode({"task": task, **arguments}).decode(), id)


def helped(*tasks: str, **arguments: Any) -> Reply:
    """The boss gives these tasks to its other model, in one message."""
    return calls(*(spawn(task, f"call_{n}", model=HELPER, **arguments) for n, task in enumerate(tasks)))


@asynccontextmanager
async def house(
    models: ModelServer, *, state_dir: Path | None = None, tools: Any = None, **subagents: Any
) -> AsyncIterator[RunningGateway]:
    """The default agent is asked by the model `boss`, and has `helper` and those that fail or hang beside."""
    others = [f"mock/{name}" for name in (HELPER, "mock-err-401", "mock-hang")]
    agents = {
        "defaults": {"model": {"primary": f"mock/{BOSS}", "fallbacks": others}, "subagents": subagents},
        "list": [{"id": "main"}, {"id": "beta", "model": {"primary": f"mock/{HELPER}", "fallbacks": []}}],
    }
    more = {"agents": agents, "tools": tools or {}}
    async with running_gateway(model_config(models.base_url, more), state_dir=state_dir) as gateway:
        yield gateway


def results(models: ModelServer) -> list[str]:
    """What the newest request tells its model of its calls."""
    return [str(m["content"]) for m in models.requests[-1].messages if m["role"] == "tool"]


def offered(models: ModelServer, at: int) -> set[str]:
    return {tool["function"]["name"] for tool in models.requests[at].body.get("tools", ())}


@asynccontextmanager
async def watched(gateway: RunningGateway) -> AsyncIterator[list[Run]]:
    started: list[Run] = []
    silence = gateway.gateway.listen(OPERATOR, Listener(started.append))
    try:
        yield started
    finally:
        silence()


@pytest.mark.promise("sub-agents")
async def test_a_sub_agent_does_its_task_and_its_answer_is_the_result(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script(BOSS, helped("count the beans"), says("there are 7", usage=Usage(20, 2, 22)))
    models.script(HELPER, says("7 beans", usage=Usage(100, 50, 150)))
    async with house(models, state_dir=tmp_path) as gateway:
        answer = await say(gateway, "how many? ask in Zanzibar", user="ada")
    assert answer.content == "there are 7"
    (result,) = results(models)
    told = msgspec.json.decode(result)
    assert (told["status"], told["result"], told["model"]) == ("ok", "7 beans", "mock/helper")
    assert told["tokens"] == {"input": 100, "output": 50}
    asked = models.requests[1]
    assert [m["content"] for m in asked.messages if m["role"] != "system"] == ["count the beans"]
    assert "You are a sub-agent" in str(asked.messages[0])
    assert "Zanzibar" not in asked.raw.decode()
    assert not any("sub-agent: an agent" in str(models.requests[at].messages[0]) for at in (0, 2))
    # Usage is that of the run's own calls; the sub-agent's stands in a row of its own, under its parent.
    assert answer.json["usage"]["total_tokens"] == 15 + 22
    child, parent = sorted(rows(tmp_path), key=lambda row: row["parent"] is None)
    assert (child["parent"], child["session"], child["prompt_tokens"]) == (parent["run"], None, 100)
    assert told["runId"] == child["run"]
    assert parent["session"] == "agent:main:openai-user:ada"


async def test_calls_of_one_message_work_side_by_side(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script(BOSS, helped("a", "b", "c"), says("done"))
    models.script(HELPER, says("part", Hold(gate)))
    async with house(models) as gateway:
        answer = asyncio.create_task(say(gateway, "go"))
        await models.wait_requests(4)
        assert models.open == 3
        gate.set()
        assert (await answer).content == "done"
    assert len(results(models)) == 3


async def test_no_more_of_them_at_once_than_the_configuration_says(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script(BOSS, helped("a", "b", "c"), says("done"))
    models.script(HELPER, says("part", Hold(gate)))
    async with house(models, maxChildrenPerAgent=2) as gateway:
        answer = asyncio.create_task(say(gateway, "go"))
        await models.wait_requests(3)
        assert gateway.gateway.live_runs() == 3
        gate.set()
        assert (await answer).content == "done"
    assert len(results(models)) == 3


async def test_a_sub_agent_has_no_sub_agents_and_sees_no_conversation(models: ModelServer) -> None:
    models.script(BOSS, helped("a"), says("done"))
    async with house(models, tools={"subagents": {"tools": {"deny": ["exec"]}}}) as gateway:
        await say(gateway, "go")
    gone = offered(models, 0) - offered(models, 1)
    assert {"sessions_spawn", "sessions_send", "sessions_history", "memory_search", "exec"} <= gone
    assert {"read", "write"} <= offered(models, 1)


async def test_sub_agents_of_sub_agents_end_where_runs_of_runs_do(models: ModelServer) -> None:
    models.script(BOSS, *(calls(spawn(f"level {n}")) for n in range(5)), says("done"))
    async with house(models, maxSpawnDepth=9) as gateway, watched(gateway) as started:
        assert (await say(gateway, "go")).content == "done"
    assert [run.request.origin.depth for run in started] == [0, 1, 2, 3, 4]
    deepest = [m["content"] for m in models.requests[5].messages if m["role"] == "tool"]
    assert "may go 4 deep" in deepest[0]


async def test_sub_agents_go_as_deep_as_the_configuration_says(models: ModelServer) -> None:
    models.script(BOSS, calls(spawn("one")), calls(spawn("two")), says("done"))
    async with house(models, maxSpawnDepth=2) as gateway:
        assert (await say(gateway, "go")).content == "done"
    assert ["sessions_spawn" in offered(models, at) for at in (0, 1, 2)] == [True, True, False]


async def test_all_of_them_share_the_runs_of_one_request(models: ModelServer) -> None:
    models.script(BOSS, helped(*(f"task {n}" for n in range(33))), says("done"))
    async with house(models, maxChildrenPerAgent=8) as gateway:
        assert (await say(gateway, "go")).content == "done"
    refused = [each for each in results(models) if "may lead to 32 runs" in each]
    assert len(refused) == 2
    assert len(models.requests) == 33


async def test_a_client_that_leaves_ends_them_all(models: ModelServer) -> None:
    models.script(BOSS, calls(*(spawn("wait", f"c{n}", model="mock-hang") for n in range(3))))
    async with house(models) as gateway, watched(gateway) as started:
        async with http(gateway) as client:
            body = {"model": "openclaw", "messages": [user("go")], "stream": True}
            asking = asyncio.create_task(client.post(CHAT, json=body))
            await models.wait_requests(4)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        await models.wait_aborted(3)
        await models.wait_idle()
        await gateway.wait_no_runs()
        assert [run.result.status for run in started if run.result] == ["aborted"] * 4


async def test_the_operator_sees_them_and_ends_them_with_the_first(models: ModelServer) -> None:
    models.script(BOSS, calls(spawn("wait", model="mock-hang", label="the long one")))
    async with house(models) as gateway, connected(gateway) as peer:
        await peer.send(request("r", "agent", {"message": "go", "idempotencyKey": "k"}))
        await peer.answer("r")
        await models.wait_requests(2)
        first, second = (await peer.result("status"))["runs"]["list"]
        assert (second["parent"], second["depth"]) == (first["runId"], 1) == ("k", 1)
        assert (await peer.result("chat.abort", {"runId": "k"}))["aborted"]
        assert (await peer.answer("r"))["error"]["details"]["code"] == "run_aborted"
        await models.wait_aborted(1)
        await gateway.wait_no_runs()


async def test_one_that_the_operator_ends_is_a_result_in_a_sentence(models: ModelServer) -> None:
    models.script(BOSS, calls(spawn("wait", model="mock-hang")), says("then not"))
    async with house(models) as gateway, connected(gateway) as peer:
        asking = asyncio.create_task(say(gateway, "go"))
        await models.wait_requests(2)
        _, second = (await peer.result("status"))["runs"]["list"]
        assert (await peer.result("chat.abort", {"runId": second["runId"]}))["aborted"]
        assert (await asking).content == "then not"
    assert results(models) == [
        "The sub-agent did not come to an end: The run was aborted: aborted by request."
    ]


async def test_one_whose_time_is_over_gives_what_it_has_said(models: ModelServer) -> None:
    models.script(BOSS, helped("think", runTimeoutSeconds=1), says("half is enough"))
    models.script(HELPER, says("half of it", Hold(asyncio.Event())))
    async with house(models) as gateway:
        assert (await say(gateway, "go")).content == "half is enough"
    told = msgspec.json.decode(results(models)[0])
    assert (told["status"], told["result"]) == ("timeout", "half of it")


async def test_one_that_fails_is_a_result_in_a_sentence(models: ModelServer) -> None:
    models.script(BOSS, calls(spawn("try", agentId="beta")), says("so be it"))
    models.script(HELPER, Reply(status=401))
    async with house(models, allowAgents=["beta"]) as gateway:
        assert (await say(gateway, "go")).content == "so be it"
    (result,) = results(models)
    assert result.startswith("The sub-agent did not come to an end: ")


@pytest.mark.parametrize(("allow", "does"), [([], False), (["beta"], True), (["*"], True)])
async def test_another_agent_only_where_it_is_allowed(
    models: ModelServer, allow: list[str], does: bool
) -> None:
    models.script(BOSS, calls(spawn("you do it", agentId="beta")), says("done"))
    models.script(HELPER, says("by beta"))
    async with house(models, allowAgents=allow) as gateway, watched(gateway) as started:
        await say(gateway, "go")
    assert [run.request.agent_id for run in started] == (["main", "beta"] if does else ["main"])
    assert ("by beta" in results(models)[0]) is does


async def test_whoever_is_in_a_sandbox_hands_it_down(models: ModelServer) -> None:
    models.script(BOSS, calls(spawn("one", sandbox="require")), calls(spawn("two")), says("done"))
    async with house(models, maxSpawnDepth=2) as gateway, watched(gateway) as started:
        await say(gateway, "go")
    assert [run.request.origin.confined for run in started] == [False, True, True]


async def test_over_http_nobody_sees_more_through_a_sub_agent(models: ModelServer) -> None:
    look = Call("sessions_history", msgspec.json.encode({"sessionKey": BOB}).decode())
    models.script(BOSS, says("noted"), helped("look"), says("done"))
    models.script(HELPER, calls(look), says("saw nothing"))
    tools = {"subagents": {"tools": {"alsoAllow": ["sessions_*"]}}}
    async with house(models, tools=tools) as gateway, watched(gateway) as started:
        await say(gateway, "the safe opens with 4711", user="bob")
        await say(gateway, "go", user="ada")
        origin = started[-1].request.origin
    assert (origin.audience, origin.user, origin.spawned) == ("user", "ada", 1)
    (told,) = [m["content"] for m in models.requests[3].messages if m["role"] == "tool"]
    assert told.startswith("There is no session")
    assert not any("4711" in request.raw.decode() for request in models.requests[1:])

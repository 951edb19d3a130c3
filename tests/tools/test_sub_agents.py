"""Who may be given a task, by which model, how deep: tables; and what a call of the tool asks for."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from openclaw_gateway.config.schema import AgentEntry, Config
from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.base import (
    Errand,
    Returned,
    SessionsForTools,
    ToolAgent,
    ToolContext,
    ToolServices,
)
from openclaw_gateway.tools.builtin import sessions_spawn
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.sub_agents import check_depth, chosen_agent, chosen_model, may_spawn
from openclaw_gateway.tools.tool_settings import tool_settings
from openclaw_gateway.wire.run import Origin, Usage
from tests.tools.rooms import OPERATOR
from tests.tools.test_session_tools import Agents

KNOWN = ("main", "beta", "gamma")


def agent(sandbox: dict[str, Any] | None = None, **subagents: Any) -> ToolAgent:
    return ToolAgent("main", Path("/nonexistent"), {"subagents": subagents}, sandbox or {})


@pytest.mark.parametrize(
    ("settings", "asked", "gets"),
    [
        ({}, None, "main"),
        ({}, " MAIN ", "main"),
        ({}, "beta", None),
        ({"allowAgents": ["beta"]}, " Beta", "beta"),
        ({"allowAgents": ["Beta "]}, "beta", "beta"),
        ({"allowAgents": ["beta"]}, None, "main"),
        ({"allowAgents": ["beta"]}, "main", "main"),
        ({"allowAgents": ["beta"]}, "gamma", None),
        ({"allowAgents": []}, "beta", None),
        ({"allowAgents": ["*"]}, "gamma", "gamma"),
        ({"allowAgents": ["*"]}, "nobody", None),
        ({"allowAgents": ["nobody"]}, "nobody", None),
        ({"requireAgentId": True}, None, None),
        ({"requireAgentId": True}, "main", "main"),
    ],
)
def test_who_may_be_given_a_task(settings: dict[str, Any], asked: str | None, gets: str | None) -> None:
    if gets is not None:
        assert chosen_agent(agent(**settings), asked, KNOWN) == gets
        return
    with pytest.raises(ToolError, match=r"Those that you may: .*subagents\.allowAgents"):
        chosen_agent(agent(**settings), asked, KNOWN)


def test_an_agent_that_is_not_there_and_one_that_is_not_allowed_are_one_answer() -> None:
    said = set()
    for name in ("beta", "nobody"):
        with pytest.raises(ToolError) as told:
            chosen_agent(agent(), name, KNOWN)
        said.add(str(told.value).replace(name, "NAME"))
    assert len(said) == 1


@pytest.mark.parametrize(
    ("asked", "gets"),
    [
        (None, ""),
        ("", ""),
        ("mock/large", "mock/large"),
        ("LARGE", "mock/large"),
        ("other/small", "other/small"),
        ("small", None),
        ("mock", None),
        ("gpt", None),
    ],
)
def test_only_a_model_of_the_agent(asked: str | None, gets: str | None) -> None:
    models = Agents().models_of("main")
    if gets is not None:
        assert chosen_model(asked, models) == gets
        return
    with pytest.raises(ToolError, match="It has: mock/large, mock/small, other/small"):
        chosen_model(asked, models)


@pytest.mark.parametrize(
    ("settings", "spawned", "offered", "refused"),
    [
        ({}, 0, True, False),
        ({}, 1, False, False),
        ({"maxSpawnDepth": 1}, 1, False, True),
        ({"maxSpawnDepth": 2}, 1, True, False),
        ({"maxSpawnDepth": 2}, 2, False, True),
    ],
)
def test_how_deep(settings: dict[str, Any], spawned: int, offered: bool, refused: bool) -> None:
    origin = replace(OPERATOR, spawned=spawned)
    assert may_spawn(agent(**settings), origin) is offered
    if refused:
        with pytest.raises(ToolError, match="maxSpawnDepth"):
            check_depth(agent(**settings), origin)
    else:
        check_depth(agent(**settings), origin)


def test_a_child_of_an_origin_sees_no_more_and_is_no_less_confined() -> None:
    first = Origin("me", "http", "user", "ada")
    second = first.child("r1", confined=True, spawned=True)
    third = second.child("r2", confined=second.confined)
    assert third == Origin("me", "http", "user", "ada", "r2", depth=2, confined=True, spawned=1)


def test_an_agent_s_own_settings_stand_over_the_shared_ones() -> None:
    shared = {"defaults": {"subagents": {"allowAgents": ["*"], "maxSpawnDepth": 2, "runTimeoutSeconds": 90}}}
    config = msgspec.convert({"agents": shared}, Config)
    entry = msgspec.convert({"id": "a", "subagents": {"allowAgents": [], "thinking": "low"}}, AgentEntry)
    assert tool_settings(config, entry)["subagents"] == {
        "allowAgents": (),
        "maxSpawnDepth": 2,
        "runTimeoutSeconds": 90,
        "thinking": "low",
    }
    assert tool_settings(Config(), AgentEntry("a")) == {}


class Runs:
    """Remembers what it was asked for; every errand comes back at once."""

    def __init__(self, *, timed_out: bool = False) -> None:
        self.errands: list[Errand] = []
        self._timed_out = timed_out

    async def run_errand(self, context: ToolContext, errand: Errand) -> Returned:
        self.errands.append(errand)
        return Returned("r", "mock/large", "x" * 50_000, 1500, Usage(7, 3, 10), self._timed_out)


async def told(runs: Runs, who: ToolAgent, origin: Origin = OPERATOR, /, **arguments: Any) -> Any:
    services = ToolServices(
        Path("/nonexistent"),
        {},
        ApprovalsFile(Path("/nonexistent")),
        cast(SessionsForTools, None),
        Agents(),
        Performer({}),
        sub_agents=runs,
    )
    (made,) = sessions_spawn.build(services, who)
    context = ToolContext("run", "call", "main", origin, "agent:main:x", lambda text: None)
    result = await made.run(arguments, context)
    assert result.is_error is runs._timed_out
    return msgspec.json.decode(result.text)


async def test_what_the_model_reads() -> None:
    answer = await told(Runs(), agent(), task="do", cleanup="keep", thread=True)
    assert len(answer.pop("result")) <= 33_000
    assert answer == {
        "status": "ok",
        "agentId": "main",
        "runId": "r",
        "model": "mock/large",
        "seconds": 1.5,
        "tokens": {"input": 7, "output": 3},
        "notTaken": ["cleanup", "thread"],
    }
    assert (await told(Runs(timed_out=True), agent(), task="do"))["status"] == "timeout"


@pytest.mark.parametrize(
    ("settings", "arguments", "errand"),
    [
        ({}, {}, Errand("do", "main", at_once=5)),
        ({}, {"runTimeoutSeconds": "20"}, Errand("do", "main", timeout_s=20, at_once=5)),
        ({}, {"timeoutSeconds": 20}, Errand("do", "main", timeout_s=20, at_once=5)),
        ({"runTimeoutSeconds": 90}, {}, Errand("do", "main", timeout_s=90, at_once=5)),
        ({"runTimeoutSeconds": 90}, {"runTimeoutSeconds": 0}, Errand("do", "main", at_once=5)),
        ({"thinking": "low"}, {}, Errand("do", "main", thinking="low", at_once=5)),
        ({"thinking": "low"}, {"thinking": "high"}, Errand("do", "main", thinking="high", at_once=5)),
        ({"maxChildrenPerAgent": 2}, {"model": "large"}, Errand("do", "main", "mock/large", at_once=2)),
        ({}, {"sandbox": "require", "mode": "run"}, Errand("do", "main", confined=True, at_once=5)),
        ({"allowAgents": ["a7"]}, {"agentId": "a7"}, Errand("do", "a7", at_once=5)),
    ],
)
async def test_what_a_call_asks_for(
    settings: dict[str, Any], arguments: dict[str, Any], errand: Errand
) -> None:
    runs = Runs()
    await told(runs, agent(**settings), task="do", **arguments)
    assert runs.errands == [errand]


@pytest.mark.parametrize(
    ("mode", "origin", "confined"),
    [
        ("off", OPERATOR, False),
        ("all", OPERATOR, True),
        ("non-main", OPERATOR, True),
        ("off", replace(OPERATOR, confined=True), True),
    ],
)
async def test_a_sandbox_is_handed_down(mode: str, origin: Origin, confined: bool) -> None:
    runs = Runs()
    await told(runs, agent({"mode": mode}), origin, task="do", sandbox="inherit")
    assert runs.errands[0].confined is confined


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"task": " "},
        {"task": "x" * 32_001},
        {"task": "do", "runtime": "acp"},
        {"task": "do", "mode": "session"},
        {"task": "do", "context": "fork"},
        {"task": "do", "thinking": "very"},
        {"task": "do", "agentId": "beta"},
        {"task": "do", "model": "small"},
    ],
)
async def test_what_cannot_be_is_said_before_anything_starts(arguments: dict[str, Any]) -> None:
    runs = Runs()
    with pytest.raises(ToolError):
        await told(runs, agent(), **arguments)
    assert runs.errands == []

"""The agent's own tools through the doors: executed, shown inside, hidden from the client's dialect."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from openclaw_gateway.wire.events import ToolEnded, ToolStarted
from tests.doors.chat import ask, say, user
from tests.doors.test_client_tools import OSLO, WEATHER
from tests.doors.test_every_door import DOORS, LIVE_DOORS, Door, log_of, transcript
from tests.doors.tool_replies import calls

READ = ("r1", "read", '{"path": "notes.txt"}')
EDIT = ("e1", "edit", '{"path": "notes.txt", "oldText": "milk", "newText": "bread"}')


def workspace(state_dir: Path) -> Path:
    folder = state_dir / "workspace"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "notes.txt").write_text("buy milk\n")
    return folder


@pytest.mark.parametrize("door", DOORS)
async def test_an_agent_reads_and_edits_and_answers(models: ModelServer, tmp_path: Path, door: Door) -> None:
    folder = workspace(tmp_path)
    models.script("mock-echo", calls(READ, text="Let me look."), calls(EDIT), says("Done."))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        outcome = await door(gateway, "bread instead of milk", "agent:main:shared", None)
    assert outcome == ("text", "Let me look.\n\nDone.")
    assert (folder / "notes.txt").read_text() == "buy bread\n"
    upstream = models.requests[-1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "tool"]
    assert "buy milk" in upstream[2]["content"]
    kinds = [type(message).__name__ for message in await transcript(tmp_path, models)]
    assert kinds == [
        "UserMessage",
        "AssistantMessage",
        "ToolMessage",
        "AssistantMessage",
        "ToolMessage",
        "AssistantMessage",
    ]


async def test_the_same_tool_events_by_every_door(models: ModelServer, tmp_path: Path) -> None:
    seen: list[list[Any]] = []
    for number, door in enumerate(LIVE_DOORS):
        state_dir = tmp_path / str(number)
        workspace(state_dir)
        models.script("mock-echo", calls(READ), says("Milk."))
        async with running_gateway(model_config(models.base_url), state_dir=state_dir) as gateway:
            _, events = await log_of(gateway, door, "what?")
        inside = [event for event in events if isinstance(event, ToolStarted | ToolEnded)]
        seen.append([(type(e).__name__, e.name, getattr(e, "is_error", None)) for e in inside])
    assert seen[0] == [("ToolStarted", "read", None), ("ToolEnded", "read", False)]
    assert all(each == seen[0] for each in seen)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "policy",
    [
        {"tools": {"deny": ["read"]}},
        {"tools": {"profile": "minimal"}},
        {"tools": {"allow": ["write"]}},
        {"agents": {"list": [{"id": "main", "tools": {"deny": ["group:fs"]}}]}},
        {"tools": {"byProvider": {"mock": {"deny": ["re*"]}}}},
    ],
)
async def test_a_denied_tool_is_not_offered_and_is_refused_when_called_anyway(
    models: ModelServer, tmp_path: Path, door: Door, policy: dict[str, Any]
) -> None:
    workspace(tmp_path)
    models.script("mock-echo", calls(READ), says("I cannot."))
    async with running_gateway(model_config(models.base_url, policy), state_dir=tmp_path) as gateway:
        assert await door(gateway, "read it", "agent:main:shared", None) == ("text", "I cannot.")
    offered = {tool["function"]["name"] for tool in models.requests[0].body.get("tools", [])}
    assert "read" not in offered
    refused = models.requests[1].messages[-1]
    assert refused["role"] == "tool"
    assert "buy milk" not in refused["content"]


async def test_the_client_sees_nothing_of_the_agent_s_calls(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    models.script("mock-echo", calls(READ), says("Milk."))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        answer = await say(gateway, "what?", stream=True)
    assert "tool_calls" not in answer.text
    assert "buy milk" not in answer.text
    assert answer.frames[-2]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("session", [{}, {"user": "ada"}])
async def test_mixed_calls_and_the_follow_up(
    models: ModelServer, tmp_path: Path, session: dict[str, str]
) -> None:
    """The agent's own call is executed, the client's is returned, and the follow-up has both results."""
    workspace(tmp_path)
    models.script(
        "mock-echo", calls(READ), calls(("e9", "ls", "{}"), ("c1", "get_weather", OSLO)), says("Take bread.")
    )
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        history: list[Any] = [user("shopping in the rain?")]
        first = await ask(gateway, {"messages": history, "tools": [WEATHER], **session})
        message = first.json["choices"][0]["message"]
        assert first.json["choices"][0]["finish_reason"] == "tool_calls"
        assert [call["id"] for call in message["tool_calls"]] == ["c1"]
        history += [message, {"role": "tool", "tool_call_id": "c1", "content": "rain"}]
        second = await ask(gateway, {"messages": history, "tools": [WEATHER], **session})
    assert second.content == "Take bread."
    upstream = models.requests[-1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "tool", "tool"]
    assert [m["tool_call_id"] for m in upstream if m["role"] == "tool"] == ["r1", "e9", "c1"]


async def test_a_client_tool_may_not_take_the_name_of_the_agent_s(models: ModelServer) -> None:
    taken: Any = {"type": "function", "function": {"name": "read"}}
    async with running_gateway(model_config(models.base_url)) as gateway:
        answer = await ask(gateway, {"messages": [user("x")], "tools": [WEATHER, taken]})
    assert (answer.status, answer.error["code"]) == (400, "tool_name_taken")
    assert answer.error["param"] == "tools[1].function.name"


async def test_going_in_circles_ends_the_run(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    models.script("mock-echo", calls(READ))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        answer = await say(gateway, "x")
    assert (answer.status, answer.error["code"]) == (502, "tool_loop")
    assert answer.headers["x-should-retry"] == "false"
    assert len(models.requests) == 3


async def test_a_tool_that_fails_is_a_result(models: ModelServer) -> None:
    missing = ("r1", "read", '{"path": "nosuch.txt"}')
    models.script(
        "mock-echo", calls(missing, ("r2", "nosuch", "{}"), ("r3", "read", "{oops")), says("Sorry.")
    )
    async with running_gateway(model_config(models.base_url)) as gateway:
        assert (await say(gateway, "x")).content == "Sorry."
    assert [m["role"] for m in models.requests[1].messages[-3:]] == ["tool"] * 3


async def test_a_failure_after_a_tool_is_not_to_be_retried(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    models.script("mock-echo", calls(EDIT), fails(402))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        answer = await say(gateway, "x")
    assert answer.status == 402
    assert models.requests[-1].messages[-1]["role"] == "tool"


async def test_editing_a_workspace_file_takes_effect_on_the_next_run(
    models: ModelServer, tmp_path: Path
) -> None:
    folder = workspace(tmp_path)
    (folder / "SOUL.md").write_text("Speak like a pirate.")
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        await say(gateway, "one")
        assert "Speak like a pirate." in models.requests[-1].messages[0]["content"]
        (folder / "SOUL.md").write_text("Speak like a librarian, quietly.")
        async with asyncio.timeout(10):
            while "librarian" not in models.requests[-1].messages[0]["content"]:
                await say(gateway, "again")

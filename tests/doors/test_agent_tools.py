"""The agent's own tools through the doors: executed, shown inside, hidden from the client's dialect."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import openai
import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.runs.hub import Listener
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, fails, says
from openclaw_gateway.tools.base import ToolAgent
from openclaw_gateway.tools.exec.sandbox import check_sandbox
from openclaw_gateway.wire.events import ToolEnded, ToolStarted, ToolUpdated
from tests.doors.chat import ask, say, sdk, user
from tests.doors.test_client_tools import OSLO, WEATHER
from tests.doors.test_every_door import (
    DOORS,
    LIVE_DOORS,
    Door,
    by_http,
    by_websocket,
    log_of,
    transcript,
)
from tests.doors.tool_replies import Asked, calls

PATH = {"PATH": os.environ["PATH"]}
USER: Any = user("x")
READ = ("r1", "read", '{"path": "notes.txt"}')
LOOK = ("x1", "exec", '{"command": "cat notes.txt"}')
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


async def test_the_same_work_by_every_door(models: ModelServer, tmp_path: Path) -> None:
    """It reads a file, edits it, looks at it with a command and answers: same events, same transcript."""
    outcomes, logs, transcripts = [], [], []
    for number, door in enumerate(DOORS):
        state_dir = tmp_path / str(number)
        folder = workspace(state_dir)
        models.script("mock-echo", calls(READ, text="Let me look."), calls(EDIT), calls(LOOK), says("Done."))
        async with running_gateway(
            model_config(models.base_url), state_dir=state_dir, environ=PATH
        ) as gateway:
            if door in LIVE_DOORS:
                outcome, events = await log_of(gateway, door, "bread instead of milk")
                # How often a command's output is looked at depends on the machine.
                logs.append([each for each in events if not isinstance(each, ToolUpdated)])
            else:
                outcome = await door(gateway, "bread instead of milk", "agent:main:shared", None)
        outcomes.append(outcome)
        assert (folder / "notes.txt").read_text() == "buy bread\n"
        transcripts.append(await transcript(state_dir, models))
    assert outcomes == [("text", "Let me look.\n\nDone.")] * len(DOORS)
    ended = [(e.name, e.is_error) for e in logs[0] if isinstance(e, ToolEnded)]
    assert ended == [("read", False), ("edit", False), ("exec", False)]
    assert all(each == logs[0] for each in logs)
    assert len(transcripts[0]) == 8
    assert "buy bread" in transcripts[0][6].content
    assert all(each == transcripts[0] for each in transcripts)


@pytest.mark.promise("own-tools-ws")
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


OTHER = {
    "models": {
        "providers": {"gemini": {"baseUrl": "http://127.0.0.1:1/v1beta/openai", "apiKey": "k"}},
    },
    "agents": {"defaults": {"model": {"primary": "mock/mock-echo", "fallbacks": ["gemini/other"]}}},
}
MEMORY = ("r1", "memory_get", '{"path": "MEMORY.md"}')


@pytest.mark.promise("CVE-2026-100557", "policy-takes-away")
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("policy", "denied"),
    [
        ({"tools": {"deny": ["read"]}}, READ),
        ({"tools": {"profile": "minimal"}}, READ),
        ({"tools": {"allow": ["write"]}}, READ),
        ({"agents": {"list": [{"id": "main", "tools": {"deny": ["group:fs"]}}]}}, READ),
        ({"tools": {"byProvider": {"mock": {"deny": ["re*"]}}}}, READ),
        ({"tools": {"byProvider": {"Mock/mock-echo": {"deny": ["re*"]}}}}, READ),
        ({"tools": {"byProvider": {"Mock": {"allow": ["write"]}, "mock": {"allow": ["read"]}}}}, READ),
        ({**OTHER, "tools": {"byProvider": {"google": {"deny": ["read"]}}}}, READ),
        ({"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}}, MEMORY),
        ({"agents": {"defaults": {"sandbox": {"mode": "all"}}}}, MEMORY),
    ],
)
async def test_a_denied_tool_is_not_offered_and_is_refused_when_called_anyway(
    models: ModelServer, tmp_path: Path, door: Door, policy: dict[str, Any], denied: Asked
) -> None:
    folder = workspace(tmp_path)
    (folder / "MEMORY.md").write_text("buy milk\n")
    if "sandbox" in policy.get("agents", {}).get("defaults", {}):
        await skip_without_sandbox()
    models.script("mock-echo", calls(denied), says("I cannot."))
    config = model_config(models.base_url, {"tools": {"alsoAllow": ["memory_get"]}} | policy)
    async with running_gateway(config, state_dir=tmp_path, environ=PATH) as gateway:
        assert await door(gateway, "read it", "agent:main:shared", None) == ("text", "I cannot.")
    offered = {tool["function"]["name"] for tool in models.requests[0].body.get("tools", [])}
    assert denied[1] not in offered
    refused = models.requests[1].messages[-1]
    assert refused["role"] == "tool"
    assert "buy milk" not in refused["content"]


async def skip_without_sandbox() -> None:
    agent = ToolAgent("main", Path("/"), {}, {"mode": "all"})
    if (why := await check_sandbox(agent, PATH)) is not None:
        pytest.skip(why)


async def test_outside_the_sandbox_the_operator_s_main_session_keeps_its_tools(
    models: ModelServer, tmp_path: Path
) -> None:
    await skip_without_sandbox()
    main, shared = "agent:main:main", "agent:main:shared"
    sandbox = {"agents": {"defaults": {"sandbox": {"mode": "non-main"}}}}
    async with running_gateway(
        model_config(models.base_url, sandbox), state_dir=tmp_path, environ=PATH
    ) as gateway:
        for door, session in ((by_websocket, main), (by_websocket, shared), (by_http, main)):
            assert await door(gateway, "x", session, None) == ("text", "x")
    offered = [{tool["function"]["name"] for tool in each.body["tools"]} for each in models.requests]
    assert ["memory_get" in names for names in offered] == [True, False, False]
    assert all("read" in names for names in offered)


@pytest.mark.promise("fallback-tools")
async def test_a_fallback_has_no_tool_that_is_denied_to_its_provider(
    models: ModelServer, tmp_path: Path
) -> None:
    """Nor has the first model: who will answer is not known when tools are offered."""
    workspace(tmp_path)
    config = model_config(models.base_url, OTHER | {"tools": {"byProvider": {"gemini": {"deny": ["read"]}}}})
    config["models"]["providers"]["gemini"] |= {"baseUrl": models.base_url, "api": "openai-completions"}
    models.script("mock-echo", fails(401))
    models.script("other", calls(READ), says("I cannot."))
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        assert (await say(gateway, "read it")).content == "I cannot."
    offered = [{tool["function"]["name"] for tool in each.body["tools"]} for each in models.requests]
    assert all("read" not in names and "write" in names for names in offered)
    assert "buy milk" not in models.requests[-1].raw.decode()


@pytest.mark.promise("own-tools-hidden")
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
        (call,) = message["tool_calls"]
        history += [message, {"role": "tool", "tool_call_id": call["id"], "content": "rain"}]
        second = await ask(gateway, {"messages": history, "tools": [WEATHER], **session})
    assert second.content == "Take bread."
    upstream = models.requests[-1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "tool", "tool"]
    assert [m["tool_call_id"] for m in upstream if m["role"] == "tool"] == [
        "r1",
        "e9",
        call["id"],
    ]


async def test_what_one_agent_found_stays_with_it(models: ModelServer, tmp_path: Path) -> None:
    """The client may go on with another agent: it is not told what the first one's tools gave."""
    workspace(tmp_path)
    models.script("mock-echo", calls(READ), calls(("c1", "get_weather", OSLO)), says("Fine."))
    agents = {"agents": {"list": [{"id": "main", "workspace": str(tmp_path / "workspace")}, {"id": "ops"}]}}
    async with running_gateway(model_config(models.base_url, agents), state_dir=tmp_path) as gateway:
        history: list[Any] = [user("shopping in the rain?")]
        first = await ask(gateway, {"model": "openclaw:main", "messages": history, "tools": [WEATHER]})
        message = first.json["choices"][0]["message"]
        answered = message["tool_calls"][0]["id"]
        history += [message, {"role": "tool", "tool_call_id": answered, "content": "rain"}]
        await ask(gateway, {"model": "openclaw:ops", "messages": history, "tools": [WEATHER]})
        await ask(gateway, {"model": "openclaw:main", "messages": history, "tools": [WEATHER]})
    told = ["buy milk" in str(request.messages) for request in models.requests[-2:]]
    assert told == [False, True]


def names(models: ModelServer, request: int = -1) -> list[str]:
    """Of the tools that the model was offered."""
    return [tool["function"]["name"] for tool in models.requests[request].body.get("tools", ())]


@pytest.mark.promise("client-tool-wins")
@pytest.mark.parametrize(
    ("named", "hidden"),
    [("read", "read"), ("bash", "exec"), ("apply-patch", "apply_patch"), ("Read", "read")],
)
async def test_a_client_s_tool_takes_the_place_of_the_agent_s(
    models: ModelServer, tmp_path: Path, named: str, hidden: str
) -> None:
    """For that run alone; an older name of a tool is a name of it."""
    workspace(tmp_path)
    theirs: Any = {"type": "function", "function": {"name": named, "description": "The client's own."}}
    call = ("c1", named, '{"path": "notes.txt"}')
    models.script("mock-echo", calls(call), says("Fine."), says("Bye."))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        history: list[Any] = [user("x")]
        first = await ask(gateway, {"messages": history, "tools": [theirs]})
        message = first.json["choices"][0]["message"]
        answered = message["tool_calls"][0]["id"]
        history += [message, {"role": "tool", "tool_call_id": answered, "content": "from the client"}]
        second = await ask(gateway, {"messages": history, "tools": [theirs]})
        await say(gateway, "bye")
    assert [each["function"]["name"] for each in message["tool_calls"]] == [named]
    assert second.content == "Fine."
    assert models.requests[1].messages[-1]["content"] == "from the client"
    offered = names(models, 0)
    assert offered.count(named) == 1
    assert "sessions_list" in offered
    assert named == hidden or hidden not in offered
    assert hidden in names(models)


async def test_a_tool_that_was_replaced_is_not_executed(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    bash: Any = {"type": "function", "function": {"name": "bash"}}
    models.script("mock-echo", calls(LOOK), says("Never mind."))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        answer = await ask(gateway, {"messages": [user("x")], "tools": [bash]})
    assert answer.content == "Never mind."
    assert "milk" not in str(models.requests[-1].messages)


@pytest.mark.promise("demanded-alone")
@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "get_weather"}}])
async def test_a_demanded_call_is_not_offered_beside_the_agent_s_tools(
    models: ModelServer, choice: Any
) -> None:
    models.script("mock-echo", calls(("c", "get_weather", OSLO)))
    async with running_gateway(model_config(models.base_url)) as gateway:
        body = {"messages": [user("x")], "tools": [WEATHER], "tool_choice": choice}
        answer = await ask(gateway, body)
    assert answer.json["choices"][0]["finish_reason"] == "tool_calls"
    assert names(models) == ["get_weather"]


@pytest.mark.promise("error.tool_loop")
async def test_going_in_circles_ends_the_run(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    models.script("mock-echo", calls(READ))
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        answer = await say(gateway, "x")
    assert (answer.status, answer.error["code"]) == (502, "tool_loop")
    assert answer.headers["x-should-retry"] == "false"
    assert len(models.requests) == 3


@pytest.mark.promise("tool-rounds", "limit.maxToolRounds", "error.too_many_tool_rounds")
async def test_more_rounds_than_allowed_end_the_run(models: ModelServer, tmp_path: Path) -> None:
    workspace(tmp_path)
    models.script(
        "mock-echo", *(calls(("c", "read", f'{{"path": "notes.txt", "limit": {n}}}')) for n in (1, 2, 3))
    )
    config = model_config(models.base_url, {"tools": {"maxToolRounds": 2}})
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        answer = await say(gateway, "x")
    assert (answer.status, answer.error["code"]) == (502, "too_many_tool_rounds")
    assert "tools.maxToolRounds" in answer.error["message"]
    assert len(models.requests) == 2


async def test_a_tool_that_fails_is_a_result(models: ModelServer) -> None:
    missing = ("r1", "read", '{"path": "nosuch.txt"}')
    models.script(
        "mock-echo", calls(missing, ("r2", "nosuch", "{}"), ("r3", "read", "{oops")), says("Sorry.")
    )
    async with running_gateway(model_config(models.base_url)) as gateway:
        assert (await say(gateway, "x")).content == "Sorry."
    assert [m["role"] for m in models.requests[1].messages[-3:]] == ["tool"] * 3


@pytest.mark.parametrize(("status", "seen"), [(429, 429), (500, 502)])
async def test_a_failure_after_a_tool_is_not_to_be_retried(
    models: ModelServer, tmp_path: Path, status: int, seen: int
) -> None:
    """By nobody: what the tool did would be done again. The real client is told, and obeys."""
    workspace(tmp_path)
    failure = fails(status, retry_after="0.1")
    models.script("mock-echo", calls(EDIT), *[failure] * 9)
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        asked: list[str] = []
        gateway.gateway.listen(OPERATOR, Listener(lambda run: asked.append(run.id)))
        async with sdk(gateway, max_retries=2) as client:
            with pytest.raises(openai.APIStatusError) as caught:
                await client.chat.completions.create(model="openclaw", messages=[USER])
    response = caught.value.response
    assert (response.status_code, response.headers["x-should-retry"]) == (seen, "false")
    assert "retry-after" not in response.headers
    assert "already used tools" in caught.value.message
    assert len(asked) == 1


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


@pytest.mark.promise("edit-next-run")
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere an edit is seen by the next look at the files")
async def test_the_very_next_run_has_the_edit(models: ModelServer, tmp_path: Path) -> None:
    folder = workspace(tmp_path)
    soul, skill, new = folder / "SOUL.md", folder / "skills" / "plan" / "SKILL.md", folder / "new"
    skill.parent.mkdir(parents=True)

    def told() -> str:
        text: str = models.requests[-1].messages[0]["content"]
        return text

    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as gateway:
        for number in range(10):
            soul.write_text(f"Your number is {number}.")
            await say(gateway, "hi")
            assert f"Your number is {number}." in told()
            new.write_text(f"Now it is the {number}th.")
            new.rename(soul)
            skill.write_text(f"---\nname: plan\ndescription: Plans {number} days.\n---\n")
            await say(gateway, "hi")
            assert f"Now it is the {number}th." in told()
            assert f"Plans {number} days." in told()
        soul.unlink()
        await say(gateway, "hi")
        assert "Now it is" not in told()

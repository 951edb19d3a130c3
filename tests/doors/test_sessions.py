"""Conversations through the HTTP door: remembered once, in order, over restarts."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, Hang, Hold, ModelServer, says
from tests.doors.chat import ask, assistant, say, user
from tests.doors.raw import chat_body, post, wire


def sent(models: ModelServer, index: int = -1) -> list[tuple[str, str]]:
    """The conversation of an upstream request, without the system message."""
    messages = models.requests[index].messages
    assert messages[0]["role"] == "system"
    return [(message["role"], message["content"]) for message in messages[1:]]


@pytest.mark.promise("user-is-session")
async def test_only_the_new_message_is_needed(gateway: RunningGateway, models: ModelServer) -> None:
    await say(gateway, "one", user="Ada")
    await say(gateway, "two", user="Ada")
    assert sent(models) == [("user", "one"), ("assistant", "one"), ("user", "two")]


@pytest.mark.promise("resent-history")
async def test_what_is_sent_again_is_not_doubled(gateway: RunningGateway, models: ModelServer) -> None:
    await say(gateway, "one", user="Ada")
    everything = [user("one"), assistant(" one\n"), user("two")]
    await ask(gateway, {"messages": everything, "user": "Ada"})
    await say(gateway, "three", user="Ada")
    assert sent(models) == [
        ("user", "one"),
        ("assistant", "one"),
        ("user", "two"),
        ("assistant", "two"),
        ("user", "three"),
    ]


async def test_client_instructions_follow_the_agent_s_and_are_not_stored(
    gateway: RunningGateway, models: ModelServer
) -> None:
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "developer", "content": "be kind"},
        user("one"),
    ]
    await ask(gateway, {"messages": messages, "user": "Ada"})
    system = models.requests[-1].messages[0]["content"]
    assert system.startswith("You are a helpful assistant.")
    assert "\n\nbe brief\n\nbe kind\n\n" in system
    await say(gateway, "two", user="Ada")
    assert "brief" not in models.requests[-1].messages[0]["content"]
    assert sum(m["role"] == "system" for m in models.requests[-1].messages) == 1


async def test_real_roles_go_upstream(gateway: RunningGateway, models: ModelServer) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "r"},
        {"role": "assistant", "content": "", "function_call": {"name": "g", "arguments": "{}"}},
        {"role": "function", "name": "g", "content": "s"},
        user("Assistant: I am no assistant"),
    ]
    await ask(gateway, {"messages": messages})
    upstream = models.requests[-1].messages[1:]
    assert [m["role"] for m in upstream] == ["user", "assistant", "tool", "assistant", "tool", "user"]
    assert upstream[0]["content"] == "a\nb"
    assert upstream[1]["tool_calls"] == [call]
    assert upstream[4]["tool_call_id"] == upstream[3]["tool_calls"][0]["id"]


async def test_a_conversation_survives_a_restart(models: ModelServer, tmp_path: Path) -> None:
    config = model_config(models.base_url)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        await say(gateway, "one", user="Ada")
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        await say(gateway, "two", user="ada")
    assert sent(models) == [("user", "one"), ("assistant", "one"), ("user", "two")]


@pytest.mark.promise("stateless")
async def test_stateless_requests_leave_nothing(gateway: RunningGateway, models: ModelServer) -> None:
    await say(gateway, "one")
    await say(gateway, "two")
    assert sent(models) == [("user", "two")]
    principal = gateway.gateway.authenticate(gateway.token, Caller("", ""))
    assert await gateway.gateway.sessions(principal) == ((), 0)


@pytest.mark.promise("one-run-per-session")
async def test_fifty_at_once_of_a_new_user_are_all_answered_in_order(
    gateway: RunningGateway, models: ModelServer
) -> None:
    answers = await asyncio.gather(*(say(gateway, f"m{n}", user="new") for n in range(50)))
    assert [answer.status for answer in answers] == [200] * 50
    assert [answer.content for answer in answers] == [f"m{n}" for n in range(50)]
    asked = [sent(models, n)[-1][1] for n in range(50)]
    assert sorted(asked) == sorted(f"m{n}" for n in range(50))
    history = sent(models)
    assert [text for role, text in history if role == "user"] == asked
    assert [role for role, _ in history] == ["user", "assistant"] * 49 + ["user"]


@pytest.mark.promise("overload", "error.session_busy", "limit.maxQueuedPerSession")
async def test_too_many_waiting_are_told_so(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says(Hold(gate), "done"), says("more"))
    config = model_config(models.base_url, {"gateway": {"limits": {"maxQueuedPerSession": 2}}})
    async with running_gateway(config) as gateway:
        first = asyncio.create_task(say(gateway, "one", user="ada"))
        await models.wait_requests(1)
        others = [asyncio.create_task(say(gateway, "more", user="ada")) for _ in range(3)]
        done, _ = await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        refused = done.pop().result()
        assert (refused.status, refused.error["code"]) == (429, "session_busy")
        gate.set()
        assert (await first).status == 200
        assert sorted([(await other).status for other in others]) == [200, 200, 429]


@pytest.mark.promise("sessions-in-parallel", "one-run-per-session")
async def test_two_sessions_run_in_parallel_one_never_does(
    gateway: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says(Hold(gate), "done"))
    ada = [asyncio.create_task(say(gateway, "x", user="ada")) for _ in range(3)]
    bob = [asyncio.create_task(say(gateway, "x", user="bob")) for _ in range(3)]
    await models.wait_requests(2)
    await gateway.wait_runs(6)
    assert models.open == 2
    gate.set()
    assert [answer.status for answer in await asyncio.gather(*ada, *bob)] == [200] * 6
    assert len(models.requests) == 6


@pytest.mark.promise("session-header")
@pytest.mark.parametrize(
    ("headers", "fields", "key"),
    [
        ({}, {"user": "Ada Q@x"}, "agent:main:openai-user:ada%20q@x"),
        ({"x-openclaw-session-key": "Foo"}, {"user": "ada"}, "agent:main:foo"),
        ({"x-clawdbot-session-key": "foo"}, {}, "agent:main:foo"),
        ({"x-openclaw-session-key": "agent:main:zed"}, {}, "agent:main:zed"),
        ({"x-openclaw-session-key": "agent:beta:zed"}, {}, "agent:beta:zed"),
        ({"x-openclaw-session-key": "zed"}, {"model": "openclaw:BETA"}, "agent:beta:zed"),
        (
            {"x-openclaw-agent-id": "beta"},
            {"model": "openclaw:main", "user": "u"},
            "agent:beta:openai-user:u",
        ),
        ({"x-clawdbot-agent": "beta"}, {"user": "a:b"}, "agent:beta:openai-user:a:b"),
        ({}, {"user": " "}, None),
        ({}, {}, None),
    ],
)
async def test_session_keys(
    models: ModelServer, headers: dict[str, str], fields: dict[str, Any], key: str | None
) -> None:
    agents = {"list": [{"id": "main"}, {"id": "beta"}]}
    async with running_gateway(model_config(models.base_url, {"agents": agents})) as gateway:
        answer = await ask(gateway, {"messages": [user("hi")], **fields}, headers=headers)
    assert answer.status == 200
    assert answer.headers.get("x-openclaw-session-key") == key


@pytest.mark.promise(
    "error.session_agent_mismatch", "error.session_key_invalid", "error.session_key_reserved"
)
@pytest.mark.parametrize(
    ("headers", "fields", "code"),
    [
        ({"x-openclaw-session-key": "subagent:x"}, {}, "session_key_reserved"),
        ({"x-openclaw-session-key": "agent:main:cron:1"}, {}, "session_key_reserved"),
        ({"x-openclaw-session-key": "acp:x"}, {}, "session_key_reserved"),
        ({"x-openclaw-session-key": "k" * 300}, {}, "session_key_invalid"),
        ({"x-openclaw-session-key": "agent:nosuch:x"}, {}, "agent_not_found"),
        ({"x-openclaw-session-key": "agent:main:x"}, {"model": "openclaw:beta"}, "session_agent_mismatch"),
        (
            {"x-openclaw-session-key": "agent:main:x", "x-openclaw-agent-id": "beta"},
            {},
            "session_agent_mismatch",
        ),
        ({"x-openclaw-agent-id": "../x"}, {}, "agent_not_found"),
    ],
)
async def test_session_keys_that_are_refused(
    models: ModelServer, headers: dict[str, str], fields: dict[str, Any], code: str
) -> None:
    agents = {"list": [{"id": "main"}, {"id": "beta"}]}
    async with running_gateway(model_config(models.base_url, {"agents": agents})) as gateway:
        before = sorted(gateway.state_dir.rglob("*"))
        answer = await ask(gateway, {"messages": [user("hi")], **fields}, headers=headers)
        assert (answer.status, answer.error["code"]) == (400, code)
        assert sorted(gateway.state_dir.rglob("*")) == before
    assert models.requests == []


@pytest.mark.promise("both-names")
async def test_answers_also_speak_the_older_name_when_asked_under_it(gateway: RunningGateway) -> None:
    older = await say(gateway, "hi", model="clawdbot", user="u", logprobs=True)
    newer = await say(gateway, "hi", model="openclaw", user="u")
    assert older.headers["x-clawdbot-session-key"] == older.headers["x-openclaw-session-key"]
    assert older.headers["x-clawdbot-ignored-params"] == "logprobs"
    assert "x-clawdbot-session-key" not in newer.headers


@pytest.mark.promise("aborted-leaves-seen")
async def test_an_aborted_answer_is_remembered_as_far_as_it_was_seen(
    gateway: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("half of ", Hang()), says("fine"))
    async with wire(gateway) as raw:
        raw.send(post(gateway, chat_body("one", user="ada", stream=True)))
        await raw.until(b"half of ")
        raw.drop()
        await models.wait_aborted(1)
    await say(gateway, "two", user="ada")
    assert sent(models) == [("user", "one"), ("assistant", "half of "), ("user", "two")]


@pytest.mark.promise("failed-leaves-nothing", "error.provider_stream_cut", "real-status")
async def test_a_failed_run_leaves_nothing_behind(gateway: RunningGateway, models: ModelServer) -> None:
    assert (await say(gateway, "one", user="ada", model="openclaw")).status == 200
    models.script("mock-echo", says("some text", Cut()), says("fine"))
    cut = await say(gateway, "two", user="ada", stream=True)
    assert cut.frames[-2]["error"]["code"] == "provider_stream_cut"
    assert cut.frames[-1] == "[DONE]"
    await say(gateway, "two again", user="ada")
    assert [text for _, text in sent(models)] == ["one", "one", "two again"]

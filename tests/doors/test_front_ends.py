"""Front ends that send all of a chat with every request: what they send is what the model is shown."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from openclaw_gateway.gateway.caller import Caller
from openclaw_gateway.sessions.store import SessionRecord
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, Hang, ModelServer, says
from tests.doors.chat import Answer, ask, assistant, http, say, user
from tests.doors.test_sessions import sent

CHAT = {"X-OpenWebUI-Chat-Id": "chat-1", "X-OpenWebUI-User-Id": "ada"}
KEY = "agent:main:open-webui-user:ada:chat-1"


@pytest.fixture
async def house(models: ModelServer) -> AsyncIterator[RunningGateway]:
    clients = ["open-webui", "librechat", "opencode", "metadata"]
    async with running_gateway(
        model_config(models.base_url, {"gateway": {"http": {"clients": clients}}})
    ) as gateway:
        yield gateway


async def chat(gateway: RunningGateway, *texts: str, headers: dict[str, str] = CHAT, **body: Any) -> Answer:
    """The texts in turns of the user and the assistant."""
    messages = [(assistant if n % 2 else user)(text) for n, text in enumerate(texts)]
    answer = await ask(gateway, {"model": "openclaw", "messages": messages, **body}, headers=headers)
    assert answer.status == 200, answer.text
    return answer


def shown(models: ModelServer) -> list[str]:
    return [text for _, text in sent(models)]


async def sessions(gateway: RunningGateway) -> tuple[SessionRecord, ...]:
    principal = gateway.gateway.authenticate(gateway.token, Caller("", ""))
    return (await gateway.gateway.sessions(principal))[0]


async def said_in(gateway: RunningGateway, key: str) -> list[str]:
    principal = gateway.gateway.authenticate(gateway.token, Caller("", ""))
    store = gateway.gateway._store
    return [entry.message.content for entry in await store.transcript(principal.owner, key)]


async def test_a_chat_is_one_session_and_each_message_is_there_once(
    house: RunningGateway, models: ModelServer
) -> None:
    await chat(house, "one")
    answer = await chat(house, "one", "one", "two")
    assert answer.headers["x-openclaw-session-key"] == KEY
    assert shown(models) == ["one", "one", "two"]
    assert [session.key for session in await sessions(house)] == [KEY]
    assert await said_in(house, KEY) == ["one", "one", "two", "two"]


@pytest.mark.promise("edited-history", "branches-listed")
async def test_a_new_answer_is_asked_for_without_the_old_one(
    house: RunningGateway, models: ModelServer
) -> None:
    await chat(house, "one")
    await chat(house, "one", "one", "two")
    models.script("mock-echo", says("another"))
    await chat(house, "one", "one", "two")
    assert shown(models) == ["one", "one", "two"]
    assert await said_in(house, KEY) == ["one", "one", "two", "another"]
    current, branch = sorted(await sessions(house), key=lambda session: session.key)
    assert (current.key, current.parent, current.last_seq) == (KEY, None, 4)
    assert branch.key.startswith(f"{KEY}~fork:")
    assert (branch.parent, branch.label, branch.user) == (KEY, "earlier branch", "ada")
    assert await said_in(house, branch.key) == ["one", "one", "two", "two"]


@pytest.mark.promise("edited-history")
async def test_what_was_taken_out_is_not_sent_again(house: RunningGateway, models: ModelServer) -> None:
    await chat(house, "my password is hunter2")
    await chat(house, "my password is hunter2", "my password is hunter2", "two")
    await chat(house, "my password is ***")
    assert shown(models) == ["my password is ***"]
    await chat(house, "my password is ***", "my password is ***", "two")
    assert "hunter2" not in str(models.requests[-1].messages)


async def test_a_first_answer_made_anew_is_made_without_the_old_one(
    house: RunningGateway, models: ModelServer
) -> None:
    await chat(house, "one")
    await chat(house, "one")
    assert shown(models) == ["one"]


async def test_an_answer_that_was_stopped_is_there_once(house: RunningGateway, models: ModelServer) -> None:
    """The front end keeps what it saw of it, without the space at its end, and sends it again."""
    models.script("mock-echo", says("half ", Hang()))
    body = {"stream": True, "messages": [user("one")]}
    async with http(house) as session:
        answer = await session.post("/v1/chat/completions", json=body, headers=CHAT)
        await answer.content.readuntil(b"half")
        answer.close()
    await house.wait_no_runs()
    models.script("mock-echo", says("whole"))
    await chat(house, "one", "half", "two")
    assert [text.strip() for text in shown(models)] == ["one", "half", "two"]
    assert [text.strip() for text in await said_in(house, KEY)] == ["one", "half", "two", "whole"]
    assert len(await sessions(house)) == 1


async def test_a_run_that_fails_leaves_no_branch(house: RunningGateway, models: ModelServer) -> None:
    await chat(house, "one")
    models.script("mock-echo", says("part", Cut()))
    failed = await ask(house, {"messages": [user("other")]}, headers=CHAT)
    assert failed.status >= 500
    assert await said_in(house, KEY) == ["one", "one"]
    assert len(await sessions(house)) == 1


@pytest.mark.promise("truncated-history")
async def test_a_beginning_that_is_cut_off_is_no_edit(house: RunningGateway, models: ModelServer) -> None:
    for headers in ({"X-Conversation-Id": "c"}, dict[str, str]()):
        await chat(house, "one", headers=headers, user="eve")
        await chat(house, "one", "one", "two", headers=headers, user="eve")
        cut = {"messages": [assistant("two"), user("three")], "user": "eve"}
        await ask(house, cut, headers=headers)
        assert shown(models) == ["one", "one", "two", "two", "three"]
    assert len(await sessions(house)) == 2


@pytest.mark.promise("edited-history")
async def test_a_beginning_that_a_front_end_deleted_is_not_shown(
    house: RunningGateway, models: ModelServer
) -> None:
    await chat(house, "hunter2")
    await chat(house, "hunter2", "hunter2", "two")
    await chat(house, "two", "two", "three")
    assert shown(models) == ["two", "two", "three"]
    assert sorted(session.parent or "" for session in await sessions(house)) == ["", KEY]


async def test_two_chats_and_two_people_do_not_meet(house: RunningGateway, models: ModelServer) -> None:
    await chat(house, "one")
    for headers in ({**CHAT, "X-OpenWebUI-Chat-Id": "chat-2"}, {**CHAT, "X-OpenWebUI-User-Id": "bob"}):
        await chat(house, "else", headers=headers)
        assert shown(models) == ["else"]
    assert len(await sessions(house)) == 3


@pytest.mark.promise("clients-passing")
async def test_titles_and_passing_chats_leave_no_session(house: RunningGateway, models: ModelServer) -> None:
    await chat(house, "a chat", headers={**CHAT, "x-openclaw-task": "title_generation"})
    await chat(house, "one", headers={**CHAT, "X-OpenWebUI-Chat-Id": "temporary:4711"})
    await chat(house, "one", headers={**CHAT, "X-OpenWebUI-Chat-Id": "local:4711"})
    assert await sessions(house) == ()


async def test_librechat_and_opencode_are_known_by_their_own_marks(
    house: RunningGateway, models: ModelServer
) -> None:
    await chat(house, "one", headers={"X-Conversation-Id": "c"}, user="U1")
    await chat(house, "one", headers={"X-Session-Id": "ses_1", "x-session-affinity": "ses_1"})
    named = await chat(house, "one", headers={}, metadata={"chat_id": "m"})
    assert "x-openclaw-ignored-params" not in named.headers
    assert {session.key for session in await sessions(house)} == {
        "agent:main:librechat-user:u1:c",
        "agent:main:opencode:ses_1",
        "agent:main:metadata:m",
    }


async def test_headers_of_front_ends_mean_nothing_unless_they_are_named(
    gateway: RunningGateway, models: ModelServer
) -> None:
    await chat(gateway, "one")
    assert await sessions(gateway) == ()


@pytest.mark.promise("interleaved")
async def test_who_sends_one_message_and_who_sends_all_share_a_session(
    gateway: RunningGateway, models: ModelServer
) -> None:
    await say(gateway, "one", user="Ada")
    await say(gateway, "aside", user="Ada")
    await chat(gateway, "one", "one", "two", headers={}, user="Ada")
    assert shown(models) == ["one", "one", "aside", "aside", "two"]
    await say(gateway, "aside 2", user="Ada")
    await chat(gateway, "one", "one", "two", "two", "three", headers={}, user="Ada")
    assert shown(models)[-4:] == ["two", "aside 2", "aside 2", "three"]
    assert len(await sessions(gateway)) == 1


async def test_every_door_knows_a_chat_by_the_same_marks(models: ModelServer) -> None:
    on = {name: {"enabled": True} for name in ("chatCompletions", "responses", "messages")}
    http_ = {"endpoints": on, "clients": ["session-headers", "zed", "metadata"]}
    bodies: dict[str, dict[str, Any]] = {
        "/v1/chat/completions": {"messages": [user("hi")]},
        "/v1/completions": {"prompt": "hi"},
        "/v1/responses": {"input": "hi"},
        "/v1/messages": {"messages": [user("hi")], "max_tokens": 9},
    }
    marks: tuple[tuple[dict[str, str], dict[str, Any]], ...] = (
        ({"X-Session-Id": "tea"}, {}),
        ({}, {"prompt_cache_key": "tea"}),
        ({}, {"metadata": {"chat_id": "tea"}}),
    )
    async with (
        running_gateway(model_config(models.base_url, {"gateway": {"http": http_}})) as gateway,
        http(gateway) as session,
    ):
        for headers, fields in marks:
            told = {}
            for path, body in bodies.items():
                async with session.post(path, json={**body, **fields}, headers=headers) as response:
                    told[path] = response.headers.get("x-openclaw-session-key")
            if fields:
                # Anthropic's API has no field for it.
                assert told.pop("/v1/messages") is None
            assert len(set(told.values())) == 1
            assert None not in told.values()

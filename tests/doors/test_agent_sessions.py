"""OpenAI's Agents API by the real client: sessions made, gone on with, heard, ended, found by others."""

import asyncio
import operator
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.beta import AgentSession
from pydantic import BaseModel

from openclaw_gateway.doors.agents.request import AgentWish, decode_session
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.principal import ADMIN, OPERATOR, Principal
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import (
    Call,
    Hang,
    Hold,
    ModelServer,
    Reasoning,
    calls,
    fails,
    says,
)
from openclaw_gateway.wire.messages import UserMessage, assistant
from tests.doors.chat import ask, http, sdk, user

ON = {"gateway": {"http": {"endpoints": {"agents": {"enabled": True}}}}}
NONE: Any = {"type": "none"}
DEADLINE_S = 10
TURNS = 150


class Weather(BaseModel):
    city: str


def config(models: ModelServer, more: Any = None) -> dict[str, Any]:
    return {**model_config(models.base_url, ON), **(more or {})}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(config(models)) as gateway:
        yield gateway


def message(text: str) -> Any:
    content = [{"type": "input_text", "text": text}]
    return {"type": "agent.session.input.message", "input": [{"role": "user", "content": content}]}


async def made(client: AsyncOpenAI, text: Any = "hi", **more: Any) -> Any:
    """A session, or with `stream` its events."""
    return await client.beta.agents.sessions.create(
        environment=NONE, input=text, **{"agent": {"model": "openclaw"}, **more}
    )


async def idle(client: AsyncOpenAI, key: str) -> AgentSession:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            session = await client.beta.agents.sessions.retrieve(key)
            if session.status == "idle":
                return session


async def said(client: AsyncOpenAI, key: str) -> list[str]:
    """What users and the agent said, oldest first."""
    items: list[Any] = [
        item async for item in client.beta.agents.sessions.items.list(key, order="asc", limit=2)
    ]
    return ["".join(part.text for part in item.content) for item in items if item.type == "message"]


@pytest.mark.promise("agents-api")
async def test_a_session_is_made_gone_on_with_and_remembers(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("Hello."), says("You said hi."))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        session = await made(client, metadata={"topic": "greeting"})
        assert session.object == "agent.session"
        assert session.id.startswith("agent:main:agents:")
        assert session.agent.id == "main"
        assert session.metadata == {"topic": "greeting"}
        await idle(client, session.id)
        await sessions.events.create(session.id, events=[message("what did I say?")])
        await idle(client, session.id)
        assert await said(client, session.id) == ["hi", "Hello.", "what did I say?", "You said hi."]
        turns = [turn async for turn in sessions.turns.list(session.id, order="asc", limit=1)]
        assert [turn.status for turn in turns] == ["completed", "completed"]
        assert turns[0].usage is not None
        assert turns[0].completed_at is not None
        assert await sessions.turns.retrieve(turns[1].id, session_id=session.id) == turns[1]
        of_second = [
            item async for item in sessions.turns.items.list(turns[1].id, session_id=session.id, order="asc")
        ]
        assert [item.turn_id for item in of_second] == [turns[1].id] * 2
        newest = await sessions.items.list(session.id, limit=1)
        assert newest.data == of_second[-1:]
        assert (await sessions.retrieve(session.id)).usage.total_tokens > 0  # type: ignore[union-attr]
    sent = [each["content"] for each in models.requests[-1].messages if each["role"] != "system"]
    assert sent == ["hi", "Hello.", "what did I say?"]


async def test_a_page_of_items_reads_no_more_of_a_session_than_it_shows(
    there: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted: entries that the store has read."""
    store = there.gateway._store
    read = 0

    async def counted(*args: Any, **more: Any) -> Any:
        nonlocal read
        found = await transcript(*args, **more)
        read += len(found)
        return found

    transcript = store.transcript
    async with sdk(there) as client:
        key = (await made(client)).id
        await idle(client, key)
        for number in range(TURNS):
            begun = await store.begin(NewRun(f"chatcmpl_{uuid4()}", OPERATOR.owner, key, "main"), lease_s=30)
            assert isinstance(begun, Claimed)
            turn = (UserMessage(f"{number}?"), assistant(f"{number}."))
            await store.finish(begun.claim, Ending("completed", turn=turn))
        monkeypatch.setattr(store, "transcript", counted)
        items = client.beta.agents.sessions.items
        orders: tuple[Any, Any] = ("asc", "desc")
        last = ""
        for order in orders:
            page: Any = await items.list(key, limit=10, order=order)
            shown: list[str] = []
            while page.data:
                assert read < TURNS
                read = 0
                shown += [item.content[0].text for item in page.data]
                last = page.data[-1].id
                page = await items.list(key, limit=10, order=order, after=last)
            there_are = [f"{number}{mark}" for number in range(TURNS) for mark in "?."]
            assert (shown[2:] if order == "asc" else shown[-3::-1]) == there_are
        for unknown in ("nothing", f"{last}_9"):
            with pytest.raises(openai.NotFoundError):
                await items.list(key, after=unknown)


async def test_what_goes_on_is_told_as_it_goes_on(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("Hello."), says(Reasoning("hm"), "one ", "two"), says("again"))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        key = (await made(client)).id
        await idle(client, key)
        async with sessions.stream(key, input="and?") as stream:
            events = [event async for event in stream]
        kinds = [event.type.removeprefix("agent.session.") for event in events]
        assert kinds == [
            "turn.created",
            "in_progress",
            "turn.item.added",
            "turn.in_progress",
            "turn.item.added",
            "turn.reasoning_summary_part.added",
            "turn.reasoning_summary_text.delta",
            "turn.reasoning_summary_text.done",
            "turn.reasoning_summary_part.done",
            "turn.item.done",
            "turn.item.added",
            "turn.content_part.added",
            "turn.output_text.delta",
            "turn.output_text.delta",
            "turn.output_text.done",
            "turn.content_part.done",
            "turn.item.done",
            "turn.completed",
            "idle",
        ]
        ids = [event.event_id for event in events]
        assert len(set(ids)) == len(ids)
        listed = [item async for item in sessions.items.list(key, order="asc")]
        done = [event.item for event in events if event.type == "agent.session.turn.item.done"]
        asked: Any = events[2]
        assert [item.to_dict() for item in (asked.item, *done)] == [item.to_dict() for item in listed[-3:]]
        # The helper's own collector.
        async with sessions.stream(key, input="once more") as stream:
            result = await stream.get_final_result()
        assert (result.output_text, result.turn.status) == ("again", "completed")


async def test_a_session_may_be_made_and_listened_to_at_once(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("one ", "two"), says("three"))
    async with sdk(there) as client:
        stream: Any = await made(client, stream=True)
        events = []
        async for event in stream:
            events.append(event)
            if event.type == "agent.session.idle":
                break
        assert events[0].type == "agent.session.created"
        key = events[0].session.id
        assert (
            "".join(event.delta for event in events if event.type.endswith("output_text.delta")) == "one two"
        )
        # It stays open for the turns to come, whoever begins them.
        answer = await ask(
            there,
            {"model": "openclaw", "messages": [user("hi")]},
            headers={"x-openclaw-session-key": key},
        )
        assert answer.content == "three"
        async for event in stream:
            events.append(event)
            if event.type == "agent.session.turn.completed":
                break
        await stream.close()
        assert events[-1].turn.session_id == key


async def test_the_synchronous_client_too(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("Hello."), says("Bye."))

    def talk() -> Any:
        with OpenAI(api_key=there.token, base_url=there.base_url, max_retries=0) as client:
            sessions = client.beta.agents.sessions
            stream = sessions.create(
                agent={"model": "openclaw/main"}, environment=NONE, input="hi", stream=True
            )
            first = stream.get_final_result()
            with sessions.stream(first.session_id, input="bye") as second:
                last = second.get_final_result()
            items = [item.type for item in sessions.items.list(first.session_id, order="asc")]
            return first.output_text, last.output_text, items

    assert await asyncio.to_thread(talk) == ("Hello.", "Bye.", ["message"] * 4)


async def test_who_leaves_ends_nothing_and_who_comes_back_hears_the_turn_from_its_beginning(
    there: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one ", Hold(gate), "two"))
    async with sdk(there) as client:
        stream: Any = await made(client, stream=True)
        seen = []
        async for event in stream:
            seen.append(event)
            if event.type.endswith("output_text.delta"):
                break
        await stream.close()
        key = seen[0].session.id
        assert (await client.beta.agents.sessions.retrieve(key)).status == "in_progress"
        again: Any = await client.beta.agents.sessions.events.stream(key)
        gate.set()
        events = []
        async with asyncio.timeout(DEADLINE_S):
            async for event in again:
                events.append(event)
                if event.type == "agent.session.idle":
                    break
        await again.close()
        assert [event.event_id for event in events][: len(seen) - 1] == [each.event_id for each in seen[1:]]
        assert await said(client, key) == ["hi", "one two"]
    assert (len(models.requests), models.aborted) == (1, 0)


@pytest.mark.promise("agents-api")
async def test_a_cancel_ends_the_turn_and_not_the_session(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("one ", Hang()), says("Hello."))
    cancel: Any = {"type": "agent.session.input.cancel"}
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        stream: Any = await made(client, stream=True)
        events = []
        async with asyncio.timeout(DEADLINE_S):
            async for event in stream:
                events.append(event)
                if event.type.endswith("output_text.delta"):
                    await sessions.events.create(events[0].session.id, events=[cancel])
                if event.type == "agent.session.idle":
                    break
        await stream.close()
        assert events[-2].type == "agent.session.turn.cancelled"
        key = events[0].session.id
        assert [item.status async for item in sessions.items.list(key, order="asc")] == [  # type: ignore[union-attr]
            "completed",
            "incomplete",
        ]
        await models.wait_aborted(1)
        # One that is not at anything is not touched, and what comes behind a cancel is asked.
        await sessions.events.create(key, events=[cancel, message("and?")])
        await idle(client, key)
        statuses = [turn.status async for turn in sessions.turns.list(key)]
        assert statuses == ["completed", "cancelled"]


async def test_messages_to_a_session_at_work_wait_for_their_turn(
    there: RunningGateway, models: ModelServer
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("one", Hold(gate)), says("two"), says("three"))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        key = (await made(client)).id
        await models.wait_requests(1)
        stream: Any = await sessions.events.stream(key)
        # The same words once more are another message.
        for text in ("hi", "hi"):
            await sessions.events.create(key, events=[message(text)])
        statuses = [turn.status async for turn in sessions.turns.list(key, order="asc")]
        assert statuses == ["in_progress", "queued", "queued"]
        gate.set()
        events = []
        async with asyncio.timeout(DEADLINE_S):
            async for event in stream:
                events.append(event)
                if event.type == "agent.session.idle":
                    break
        await stream.close()
        deltas = [event.delta for event in events if event.type.endswith("output_text.delta")]
        assert deltas == ["one", "two", "three"]
        assert await said(client, key) == ["hi", "one", "hi", "two", "hi", "three"]


async def test_all_of_an_input_is_one_message(there: RunningGateway, models: ModelServer) -> None:
    parts = [{"role": "user", "content": [{"type": "input_text", "text": text}]} for text in ("a", "b")]
    async with sdk(there) as client:
        key = (await made(client, parts)).id
        await idle(client, key)
        assert (await said(client, key))[0] == "a\n\nb"


async def test_a_stream_of_a_session_that_is_deleted_ends(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with sdk(there) as client:
        stream: Any = await made(client, stream=True)
        async with asyncio.timeout(DEADLINE_S):
            events = []
            async for event in stream:
                events.append(event)
                if event.type.endswith("output_text.delta"):
                    await client.beta.agents.sessions.delete(events[0].session.id)
        assert "agent.session.turn.cancelled" in [event.type for event in events]


async def test_a_failed_turn_says_why_and_leaves_the_session(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", fails(401, message="no such key"), says("Hello."))
    async with sdk(there) as client:
        stream: Any = await made(client, stream=True)
        with pytest.raises(Exception, match="failed"):
            await stream.get_final_result()
        (session,) = (await client.beta.agents.sessions.list()).data
        assert session.status == "idle"
        (turn,) = (await client.beta.agents.sessions.turns.list(session.id)).data
        assert turn.status == "failed"
        assert turn.error is not None
        assert await said(client, session.id) == []
        async with client.beta.agents.sessions.stream(session.id, input="again") as again:
            assert (await again.get_final_result()).output_text == "Hello."


async def test_a_name_makes_of_repeats_one_turn_and_one_session(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("Hello."), says("Bye."))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        named: Any = {"extra_headers": {"Idempotency-Key": "make-1"}}
        first, second = await made(client, **named), await made(client, **named)
        assert first.id == second.id
        await idle(client, first.id)
        assert (await made(client, **named)).id == first.id
        for _ in range(3):
            await sessions.events.create(first.id, events=[message("bye")], idempotency_key="turn-1")
        await idle(client, first.id)
        await sessions.events.create(first.id, events=[message("bye")], idempotency_key="turn-1")
        assert await said(client, first.id) == ["hi", "Hello.", "bye", "Bye."]
        with pytest.raises(openai.UnprocessableEntityError):
            await sessions.events.create(first.id, events=[message("other")], idempotency_key="turn-1")
        assert len((await sessions.list()).data) == 1
    assert len(models.requests) == 2


async def test_what_the_client_sends_again_by_itself_makes_no_second_session(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("Hello."), says("Hello."))
    body = {"environment": NONE, "input": "hi"}
    async with http(there) as session:
        ids = []
        for attempt in (0, 1, 0):
            headers = {"x-stainless-retry-count": str(attempt)}
            async with session.post("/v1/agents/sessions", json=body, headers=headers) as response:
                ids.append((await response.json())["id"])
    assert ids[0] == ids[1] != ids[2]
    await there.wait_no_runs()
    assert len(models.requests) == 2


async def test_the_sessions_of_every_door_are_the_same(there: RunningGateway, models: ModelServer) -> None:
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
    models.script("mock-echo", says("Hello."), calls(Call("weather", "{}", id="call_1")), says("Rain."))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        key = (await made(client)).id
        await idle(client, key)
        listed, _ = await there.gateway.sessions(OPERATOR)
        assert [record.key for record in listed] == [key]
        body: Any = {"user": "ada", "messages": [user("weather?")], "tools": [tool]}
        answer: Any = (await ask(there, body)).json["choices"][0]["message"]
        body["messages"] += [
            answer,
            {"role": "tool", "tool_call_id": answer["tool_calls"][0]["id"], "content": "rain"},
        ]
        assert (await ask(there, body)).content == "Rain."
        other = "agent:main:openai-user:ada"
        assert {session.id for session in (await sessions.list()).data} == {key, other}
        items = [item async for item in sessions.items.list(other, order="asc")]
        assert [item.type for item in items] == [
            "message",
            "function_call",
            "function_call_output",
            "message",
        ]
        assert len({item.id for item in items}) == len(items)
        async with sessions.stream(other, input="thanks") as stream:
            await stream.until_done()
        assert (await sessions.retrieve(other)).agent.model == "openclaw/main"


async def test_lists_go_by_agent_and_metadata_page_by_page(models: ModelServer) -> None:
    agents = {
        "agents": {"defaults": config(models)["agents"]["defaults"], "list": [{"id": "a"}, {"id": "b"}]}
    }
    async with running_gateway(config(models, agents)) as gateway, sdk(gateway) as client:
        sessions = client.beta.agents.sessions
        keys = []
        for place, agent in enumerate("aabab"):
            made_one = await made(
                client, agent={"model": f"openclaw/{agent}"}, metadata={"even": str(place % 2)}
            )
            keys.append(made_one.id)
            await idle(client, keys[-1])
        assert [each.id async for each in sessions.list(limit=2)] == keys[::-1]
        assert [each.id async for each in sessions.list(limit=2, order="asc")] == keys
        of_a = [key for key in keys if key.startswith("agent:a:")]
        assert [each.id async for each in sessions.list(limit=1, agent_id="a", order="asc")] == of_a
        even = sessions.list(limit=2, metadata={"even": "0"}, order="asc")
        assert [each.id async for each in even] == keys[::2]
        both = sessions.list(metadata={"even": "0"}, agent_id="b", order="asc")
        assert [each.id async for each in both] == [keys[2], keys[4]]
        # In whichever case the agent is named, as everywhere.
        assert [each.id async for each in sessions.list(agent_id="A", order="asc")] == of_a
        both = sessions.list(metadata={"even": "0"}, agent_id="B", order="asc")
        assert [each.id async for each in both] == [keys[2], keys[4]]
        with pytest.raises(openai.BadRequestError, match="agent_id"):
            await sessions.list(agent_id="a b")
        await sessions.update(keys[0], metadata={"even": "1"})
        assert [each.id async for each in sessions.list(metadata={"even": "0"})] == [keys[4], keys[2]]
        with pytest.raises(openai.NotFoundError):
            await sessions.list(after="agent:a:nobody")


async def test_what_is_remembered_of_a_session_goes_with_it(
    there: RunningGateway, models: ModelServer
) -> None:
    """However it went; a list by metadata does not end there, and another of its key is a new one."""
    models.script("mock-echo", *[says("Hello.")] * 7)
    named = {"x-openclaw-session-key": "mine"}
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        keys = [(await made(client, metadata={"topic": "one"})).id for _ in range(4)]
        keys.append((await made(client, metadata={"topic": "one"}, extra_headers=named)).id)
        keys.append((await made(client, metadata={"topic": "one"})).id)
        await there.wait_no_runs()
        store = there.gateway._store
        for key in keys[2:5]:
            assert await store.delete_session(OPERATOR.owner, key)
        listed = sessions.list(limit=2, order="asc", metadata={"topic": "one"})
        assert [each.id async for each in listed] == [*keys[:2], keys[5]]
        anew = await made(client, agent={"model": "openclaw", "instructions": "Anew."}, extra_headers=named)
        assert (anew.id, anew.agent.instructions, anew.metadata) == (keys[4], "Anew.", {})


@pytest.mark.promise("error.agent_session_exists")
async def test_a_session_that_is_there_is_not_made_otherwise(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", *[says("Hello.")] * 3)
    named = {"x-openclaw-session-key": "settled"}
    agent: Any = {"model": "openclaw", "instructions": "ONE"}
    async with sdk(there) as client:
        session = await made(client, agent=agent, metadata={"a": "1"}, extra_headers=named)
        await there.wait_no_runs()
        assert await made(client, agent=agent, metadata={"a": "1"}, extra_headers=named)
        await there.wait_no_runs()
        for other in ({"agent": {**agent, "instructions": "TWO"}}, {"metadata": {"a": "2"}}):
            fields: Any = {"agent": agent, "metadata": {"a": "1"}, **other}
            with pytest.raises(openai.BadRequestError) as refused:
                await made(client, **fields, extra_headers=named)
            assert refused.value.code == "agent_session_exists"
        await client.beta.agents.sessions.events.create(session.id, events=[message("and?")])
        await there.wait_no_runs()
    assert "ONE" in models.requests[-1].messages[0]["content"]


async def test_a_repeat_gets_its_own_session_and_never_anothers(
    there: RunningGateway, models: ModelServer
) -> None:
    """Two who share a key begin with the same words."""
    models.script("mock-echo", *[says("Hello.")] * 4)
    async with sdk(there) as client:
        ids = []
        for attempt in ("0", "1", "0", "1"):
            count = {"x-stainless-retry-count": attempt}
            ids.append((await made(client, "the same words", extra_headers=count)).id)
            await there.wait_no_runs()
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


async def test_what_has_no_effect_is_named_by_each_request(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", *[says("Hello.")] * 2)
    async with http(there) as client:
        new = {"environment": NONE, "input": "hi", "stream_options": {"x": 1}}
        async with client.post("/v1/agents/sessions", json=new) as answer:
            assert answer.headers["x-openclaw-ignored-params"] == "stream_options"
            key = (await answer.json())["id"]
        await there.wait_no_runs()
        path = f"/v1/agents/sessions/{key}"
        for to, sent in ((path, {"metadata": {}}), (f"{path}/events", {"events": [message("x")]})):
            async with client.post(to, json={**sent, "title": "x"}) as answer:
                assert answer.headers["x-openclaw-ignored-params"] == "title"
        await there.wait_no_runs()


@pytest.mark.parametrize("name", ["Idempotency-Key", "x-stainless-retry-count"])
async def test_a_cancel_with_a_message_that_is_sent_again_cancels_neither_the_message_nor_what_came_later(
    there: RunningGateway, models: ModelServer, name: str
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("Hello."), says(Hang()), says(Hold(gate), "New."), says("Later."))
    cancel: Any = {"type": "agent.session.input.cancel"}
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        key = (await made(client)).id
        await idle(client, key)
        for text in ("work", "more work"):
            await sessions.events.create(key, events=[message(text)])
        await models.wait_requests(2)
        for attempt in ("0", "1", "2"):
            named: Any = {"extra_headers": {name: attempt if name.startswith("x-") else "turn-1"}}
            await sessions.events.create(key, events=[cancel, message("new")], **named)
            await models.wait_requests(3)
            if attempt == "1":
                await sessions.events.create(key, events=[message("later")])
        gate.set()
        await idle(client, key)
        statuses = [turn.status async for turn in sessions.turns.list(key, order="asc")]
        assert statuses == ["completed", "cancelled", "cancelled", "completed", "completed"]
        assert (await said(client, key))[-4:] == ["new", "New.", "later", "Later."]


@pytest.mark.parametrize("limit", ["maxQueuedPerSession", "maxRuns"])
@pytest.mark.parametrize("is_last", [False, True])
async def test_a_cancel_takes_effect_where_there_is_no_room_for_the_message_beside_it(
    models: ModelServer, limit: str, is_last: bool
) -> None:
    models.script("mock-echo", says(Hang()), says("New."), says("Newer."))
    cancel: Any = {"type": "agent.session.input.cancel"}
    # Of queued runs, and of all runs together.
    most = {"gateway": {"limits": {limit: 1 if limit == "maxQueuedPerSession" else 2}, **ON["gateway"]}}
    async with running_gateway(model_config(models.base_url, most)) as gateway, sdk(gateway) as client:
        client.max_retries = 0
        sessions = client.beta.agents.sessions
        key = (await made(client)).id
        await models.wait_requests(1)
        await sessions.events.create(key, events=[message("waits")])
        with pytest.raises(openai.APIStatusError):
            await sessions.events.create(key, events=[message("too much")])
        events = [message("new"), cancel] if is_last else [cancel, message("new")]
        await sessions.events.create(key, events=events)
        await idle(client, key)
        statuses = [turn.status async for turn in sessions.turns.list(key, order="asc")]
        assert statuses == ["cancelled", "cancelled", "cancelled" if is_last else "completed"]


async def test_what_was_said_of_the_agent_counts_for_every_turn(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says('{"city":"Oslo"}'), says('{"city":"Rome"}'))
    async with sdk(there) as client:
        agent = {"model": "openclaw", "instructions": "Be brief.", "reasoning": {"effort": "low"}}
        stream: Any = await made(client, agent=agent, output_type=Weather, stream=True)
        result = await stream.get_final_result()
        assert result.output_parsed == Weather(city="Oslo")
        await client.beta.agents.sessions.events.create(result.session_id, events=[message("and?")])
        session = await idle(client, result.session_id)
        assert session.agent.instructions == "Be brief."
        assert session.agent.reasoning.effort == "low"
        assert session.agent.text.format.type == "json_schema"
    for sent in models.requests:
        assert "Be brief." in str(sent.body["messages"][0])
        assert sent.body["response_format"]["json_schema"]["schema"]["required"] == ["city"]


async def test_a_restart_loses_nothing(models: ModelServer, tmp_path: Path) -> None:
    models.script("mock-echo", says("Hello."), says("one", Hang()), says("Still here."))
    async with running_gateway(config(models), state_dir=tmp_path) as gateway, sdk(gateway) as client:
        agent = {"model": "openclaw", "instructions": "Be brief."}
        key = (await made(client, agent=agent, metadata={"topic": "a"})).id
        session = await idle(client, key)
        stream: Any = await client.beta.agents.sessions.events.stream(key)
        await client.beta.agents.sessions.events.create(key, events=[message("go on")])
        await models.wait_requests(2)
        await gateway.gateway.drain(0)
        events = [event async for event in stream]
        assert events[-2].type == "agent.session.turn.failed"
    async with running_gateway(config(models), state_dir=tmp_path) as gateway, sdk(gateway) as client:
        again = await client.beta.agents.sessions.retrieve(key)
        assert (again.metadata, again.agent, again.created_at) == (
            session.metadata,
            session.agent,
            session.created_at,
        )
        statuses = [turn.status async for turn in client.beta.agents.sessions.turns.list(key, order="asc")]
        assert statuses == ["completed", "failed"]
        async with client.beta.agents.sessions.stream(key, input="there?") as stream:
            assert (await stream.get_final_result()).output_text == "Still here."
        assert (await said(client, key))[-2:] == ["there?", "Still here."]
    assert "Be brief." in str(models.requests[-1].body["messages"][0])


@pytest.mark.promise("error.agent_session_not_found", "error.turn_not_found")
async def test_another_owner_s_session_is_not_found(there: RunningGateway, models: ModelServer) -> None:
    stranger = Principal("stranger", frozenset({ADMIN}))
    async with sdk(there) as client:
        key = (await made(client)).id
        await idle(client, key)
        rooms = there.gateway.held
        assert await rooms.find(stranger, key) is None
        assert await rooms.page(stranger, agent=None, after=None, limit=9, newest_first=True) == ()
        assert not await rooms.delete(stranger, key)
        (turn,) = await rooms.turns(OPERATOR, key, after=None, limit=9, newest_first=True) or ()
        assert await rooms.turn(stranger, key, turn.id) is None
        assert await rooms.said_in(OPERATOR, key, turn.id)
        assert await rooms.said_in(stranger, key, turn.id) == ()
        with pytest.raises(openai.NotFoundError) as caught:
            await client.beta.agents.sessions.retrieve("agent:main:agents:nobody")
        assert caught.value.code == "agent_session_not_found"
        other = f"turn_{'0' * 32}"
        for unknown in ("turns.retrieve", "turns.items.list"):
            ask_for: Any = operator.attrgetter(unknown)(client.beta.agents.sessions)
            with pytest.raises(openai.NotFoundError) as caught:
                await ask_for(other, session_id=key)
            assert caught.value.code == "turn_not_found"


async def test_a_deleted_session_is_ended_and_gone(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("one", Hang()))
    async with sdk(there) as client:
        sessions = client.beta.agents.sessions
        key = (await made(client, metadata={"topic": "a"})).id
        await models.wait_requests(1)
        deleted = await sessions.delete(key)
        assert (deleted.id, deleted.deleted) == (key, True)
        await models.wait_aborted(1)
        for gone in (sessions.retrieve(key), sessions.delete(key), sessions.events.create(key, events=[])):
            with pytest.raises((openai.NotFoundError, openai.BadRequestError)):
                await gone
        assert (await sessions.list(metadata={"topic": "a"})).data == []


UNSERVED: list[tuple[dict[str, Any], str]] = [
    ({"environment": {"type": "openai_hosted"}}, "environment"),
    ({"environment": {"type": "self_hosted", "workspace_directory": "/w"}}, "environment"),
    ({"vault_ids": ["v"]}, "vault_ids"),
    ({"spend_control": {"limit": 5}}, "spend_control"),
    ({"review": "auto_review"}, "review"),
    ({"input": None}, "input"),
    ({"input": " "}, "input"),
    ({"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "x"}]}]}, "input[0]"),
    ({"agent": {"model": "openclaw", "multi_agent": {"enabled": True}}}, "agent.multi_agent"),
    ({"agent": {"model": "openclaw", "tools": [{"type": "web_search"}]}}, "agent.tools"),
    ({"agent": {"model": "openclaw", "reasoning": {"effort": "wild"}}}, "agent.reasoning.effort"),
    ({"agent": {"model": 1}}, "agent.model"),
    ({"agent": {"model": "openclaw", "text": {"format": {"type": "xml"}}}}, "agent.text.format"),
    ({"metadata": {"k": "v" * 513}}, "metadata.k"),
]


@pytest.mark.promise("error.not_served_here")
async def test_what_is_not_served_is_refused_and_makes_nothing(there: RunningGateway) -> None:
    plain = {"agent": {"model": "openclaw"}, "environment": NONE, "input": "hi"}
    async with http(there) as session:
        for fields, param in UNSERVED:
            async with session.post("/v1/agents/sessions", json=plain | fields) as response:
                error = (await response.json())["error"]
                assert (response.status, error["param"]) == (400, param)
                if param in ("environment", "vault_ids", "spend_control", "review", "agent.tools"):
                    assert error["code"] == "not_served_here"
    assert (await there.gateway.sessions(OPERATOR))[1] == 0


async def test_what_has_no_effect_is_named(there: RunningGateway) -> None:
    agent = {"model": "openclaw", "service_tier": "flex", "compaction": {}, "tools": []}
    body = {"agent": agent, "environment": NONE, "input": "hi", "prompt_cache_options": {"ttl": "30m"}}
    async with http(there) as session, session.post("/v1/agents/sessions", json=body) as response:
        assert response.status == 200
        ignored = response.headers["x-openclaw-ignored-params"]
        assert set(ignored.split(", ")) == {
            "prompt_cache_options",
            "agent.service_tier",
            "agent.compaction",
        }


UNSERVED_EVENTS: list[Any] = [
    [],
    [{"type": "agent.session.input.tool_result", "turn_id": "t", "call_id": "c", "success": True}],
    [{"type": "agent.session.input.message", "input": "a"}, {"type": "agent.session.input.cancel"}] * 2,
    [{"type": "agent.session.input.message"}],
    [{"type": "new"}],
]


async def test_events_that_are_not_served_are_refused_whole(there: RunningGateway) -> None:
    async with sdk(there) as client:
        key = (await made(client)).id
        await idle(client, key)
        for events in UNSERVED_EVENTS:
            with pytest.raises(openai.BadRequestError):
                await client.beta.agents.sessions.events.create(key, events=events)
        assert len((await client.beta.agents.sessions.turns.list(key)).data) == 1


ABSENT = [
    ("/v1/agents", "agents.list"),
    ("/v1/agents/agent_1", "agents.list"),
    ("/v1/agents/environments", "Environments"),
    ("/v1/agents/sessions/agent:main:main/subagents", "subagents"),
    ("/v1/agents/sessions/agent:main:main/artifacts", "artifacts"),
    ("/v1/vaults", "Vaults"),
]


async def test_the_rest_of_the_api_says_that_it_is_not_here(there: RunningGateway) -> None:
    async with http(there) as session:
        for path, says_so in ABSENT:
            async with session.get(path) as response:
                assert response.status == 404
                assert says_so in (await response.json())["error"]["message"]


async def test_it_is_off_unless_it_is_switched_on(models: ModelServer) -> None:
    async with running_gateway(model_config(models.base_url)) as gateway, sdk(gateway) as client:
        with pytest.raises(openai.NotFoundError, match=r"endpoints\.agents\.enabled"):
            await made(client)


async def test_images_are_sent_and_shown_again(there: RunningGateway, models: ModelServer) -> None:
    pixel = (
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAA"
        "BJRU5ErkJggg=="
    )
    content = [{"type": "input_text", "text": "what?"}, {"type": "input_image", "image_url": pixel}]
    async with sdk(there) as client:
        key = (await made(client, [{"role": "user", "content": content}])).id
        await idle(client, key)
        (first, *_) = [item async for item in client.beta.agents.sessions.items.list(key, order="asc")]
        shown: Any = first
        assert [part.to_dict() for part in shown.content] == content


def test_what_is_null_is_left_out_and_a_schema_is_an_object() -> None:
    asked = {"environment": {"type": "none"}, "input": "hi"}
    nothing = {"multi_agent": {"enabled": None}, "text": {"format": None}, "reasoning": {"effort": None}}
    assert decode_session(msgspec.json.encode({**asked, "agent": nothing}), 64).agent == AgentWish()
    no_schema = {"text": {"format": {"type": "json_schema", "schema": None}}}
    with pytest.raises(InvalidRequest) as refused:
        decode_session(msgspec.json.encode({**asked, "agent": no_schema}), 64)
    assert refused.value.param == "agent.text.format.schema"

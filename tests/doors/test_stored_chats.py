"""Chat completions with `store: true`: through the real `openai` client, and what is refused."""

import base64
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.runs import kept
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Cut, ModelServer, Reasoning, fails, says
from tests.doors.chat import CHAT, Answer, ask, assistant, http, say, sdk, user
from tests.doors.test_responses import ON
from tests.doors.tool_replies import calls

PNG = "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
HI: Any = [{"role": "user", "content": "hi"}]
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        yield gateway


async def call(gateway: RunningGateway, method: str, path: str, **fields: Any) -> Answer:
    async with http(gateway) as session, session.request(method, path, **fields) as response:
        return Answer(response.status, response.headers.copy(), await response.text())


async def ids(gateway: RunningGateway, query: str = "") -> list[str]:
    answer = await call(gateway, "GET", f"{CHAT}{query}")
    assert answer.status == 200, answer.text
    data = [one["id"] for one in answer.json["data"]]
    assert answer.json["object"] == "list"
    assert [answer.json["first_id"], answer.json["last_id"]] == ([data[0], data[-1]] if data else [None] * 2)
    return data


@pytest.mark.promise("chats-kept")
async def test_the_life_of_one(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says(Reasoning("hm"), "Hello ", "there"), says("not kept"))
    async with sdk(there) as client:
        chats = client.chat.completions
        answer = await chats.create(
            model="openclaw", messages=HI, store=True, metadata={"topic": "greeting", "lang": "en"}
        )
        await chats.create(model="openclaw", messages=HI, metadata={"topic": "greeting"})
        assert answer.metadata == {"topic": "greeting", "lang": "en"}
        assert await chats.retrieve(answer.id) == answer
        assert [one async for one in chats.list()] == [answer]
        updated = await chats.update(answer.id, metadata={"topic": "farewell"})
        assert updated.metadata == {"topic": "farewell"}
        assert updated.choices == answer.choices
        assert await chats.retrieve(answer.id) == updated
        assert [one async for one in chats.list(metadata={"topic": "greeting"})] == []
        assert [one async for one in chats.list(metadata={"topic": "farewell"})] == [updated]
        assert (await chats.update(answer.id, metadata=None)).metadata == {}
        messages = await chats.messages.list(answer.id)
        assert [(one.role, one.content, one.id) for one in messages.data] == [
            ("user", "hi", f"{answer.id}-0")
        ]
        deleted = await chats.delete(answer.id)
        assert (deleted.id, deleted.deleted, deleted.object) == (answer.id, True, "chat.completion.deleted")
        with pytest.raises(openai.NotFoundError):
            await chats.retrieve(answer.id)
        assert await ids(there) == []


@pytest.mark.promise("error.chat_completion_not_found")
async def test_what_is_not_there_or_another_s_has_one_wording(
    there: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = (await say(there, "hi", store=True)).json["id"]
    unkept = (await say(there, "hi")).json["id"]

    async def refusals(id_: str) -> set[str]:
        said = set()
        for method, rest in (("GET", ""), ("GET", "/messages"), ("POST", ""), ("DELETE", "")):
            body = {"json": {"metadata": {"a": "b"}}} if method == "POST" else {}
            answer = await call(there, method, f"{CHAT}/{id_}{rest}", **body)
            assert (answer.status, answer.error["code"]) == (404, "chat_completion_not_found")
            said.add(answer.error["message"].replace(id_, "ID"))
        return said

    known = await refusals(unkept)
    assert await refusals("chatcmpl_nothing") == known
    with monkeypatch.context() as patched:
        patched.setattr(there.gateway, "authenticate", lambda *_: Principal("bob", OPERATOR.scopes))
        assert await refusals(mine) == known
        assert await ids(there) == []
        assert (await call(there, "GET", f"{CHAT}?after={mine}")).status == 404
    assert len(known) == 1
    assert await ids(there) == [mine]


async def test_a_chat_completion_is_no_response_and_a_response_no_chat_completion(
    there: RunningGateway,
) -> None:
    chat = (await say(there, "hi", store=True)).json["id"]
    response = (await call(there, "POST", "/v1/responses", json={"model": "openclaw", "input": "hi"})).json[
        "id"
    ]
    as_response = "resp_" + chat.partition("_")[2].replace("-", "")
    mark = response.partition("_")[2]
    as_chat = f"chatcmpl_{mark[:8]}-{mark[8:12]}-{mark[12:16]}-{mark[16:20]}-{mark[20:]}"
    assert (await call(there, "GET", f"/v1/responses/{response}")).status == 200
    for path in (f"/v1/responses/{as_response}", f"{CHAT}/{as_chat}", f"{CHAT}/chat:{chat}"):
        for method in ("GET", "DELETE"):
            assert (await call(there, method, path)).status == 404
    goes_on = {"model": "openclaw", "input": "x", "previous_response_id": as_response}
    assert (await call(there, "POST", "/v1/responses", json=goes_on)).status == 400
    assert await ids(there) == [chat]


async def test_a_streamed_answer_is_kept_and_one_that_failed_is_not(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", says("a", "b"), fails(400), says("cut ", Cut()), says("cut ", Cut()))
    body = {"model": "openclaw", "messages": HI, "store": True, "stream": True}
    frames = (await ask(there, body)).frames
    assert all("metadata" not in frame for frame in frames[:-1])
    for fields in ({}, {"stream": True}):
        await say(there, "hi", store=True, **fields)
    assert await ids(there) == [frames[0]["id"]]
    shown = (await call(there, "GET", f"{CHAT}/{frames[0]['id']}")).json
    assert shown["choices"][0]["message"]["content"] == "ab"
    assert (shown["created"], shown["metadata"]) == (frames[0]["created"], {})


async def test_a_list_is_paged_in_either_order(there: RunningGateway) -> None:
    for number in range(5):
        model = "openclaw/main" if number % 2 else "openclaw"
        await say(there, "hi", store=True, model=model, metadata={"n": str(number), "all": "yes"})
    all_ = await ids(there)
    assert len(all_) == 5
    assert await ids(there, "?order=desc") == all_[::-1]
    assert await ids(there, f"?after={all_[1]}&limit=2") == all_[2:4]
    assert await ids(there, f"?after={all_[3]}&order=desc&limit=100") == all_[2::-1]
    assert await ids(there, "?model=openclaw%2Fmain&metadata%5Ball%5D=yes") == all_[1::2]
    assert await ids(there, "?metadata[n]=3&model=openclaw") == []
    assert await ids(there, "?metadata[n]=3&metadata[all]=yes") == [all_[3]]
    assert await ids(there, "?metadata[n]=3&metadata[all]=no") == []
    async with sdk(there) as client:
        found = [one.id async for one in client.chat.completions.list(limit=2, order="desc")]
        assert found == all_[::-1]
        page = await client.chat.completions.list(limit=2, after=all_[2])
        assert page.has_more is False
    await call(there, "DELETE", f"{CHAT}/{all_[2]}")
    assert await ids(there) == [*all_[:2], *all_[3:]]


async def test_of_a_list_only_so_much_is_read_at_once(
    there: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        await say(there, str(number) * 2_000, store=True)
    monkeypatch.setattr(kept, "MOST_BYTES", 5_000)
    async with sdk(there) as client:
        first = await client.chat.completions.list()
        assert (len(first.data), first.has_more) == (1, True)
        assert len([one async for one in first]) == 3


async def test_a_query_that_cannot_be_is_refused(there: RunningGateway) -> None:
    many = "&".join(f"f{number}=1" for number in range(200))
    for query in ("limit=0", "limit=101", "limit=x", "limit=-1", "order=up", many):
        assert (await call(there, "GET", f"{CHAT}?{query}")).status == 400


async def test_messages_are_what_was_asked(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(says("Fine."))
    call_ = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    picture = {"type": "image_url", "image_url": {"url": PNG}}
    sent: list[Any] = [
        {"role": "system", "content": "Be brief."},
        user("How is it?"),
        {"role": "assistant", "content": None, "tool_calls": [call_]},
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        assistant("Warm."),
        {"role": "user", "content": [{"type": "text", "text": "And here?"}, picture]},
    ]
    answer = await ask(there, {"messages": sent, "store": True, "tools": [WEATHER]})
    assert answer.status == 200, answer.text
    id_ = answer.json["id"]
    path = f"{CHAT}/{id_}/messages"
    listed = (await call(there, "GET", path)).json
    assert listed["has_more"] is False
    said = listed["data"]
    assert [one["role"] for one in said] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert [one["id"] for one in said] == [f"{id_}-{place}" for place in range(6)]
    assert said[2]["tool_calls"] == [call_]
    assert said[3]["tool_call_id"] == "c1"
    assert (said[5]["content"], said[5]["content_parts"]) == ("And here?", sent[5]["content"])
    assert all(one["content_parts"] is None for one in said[:5])
    page = (await call(there, "GET", f"{path}?limit=2&order=desc&after={said[4]['id']}")).json
    assert [one["id"] for one in page["data"]] == [said[3]["id"], said[2]["id"]]
    assert page["has_more"] is True
    assert (await call(there, "GET", f"{path}?after=other")).status == 404


async def test_a_call_of_the_client_s_tools_is_kept(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(calls(("c1", "weather", "{}")))
    async with sdk(there) as client:
        answer = await client.chat.completions.create(
            model="openclaw", messages=HI, tools=[WEATHER], store=True, metadata={}
        )
        assert answer.choices[0].message.tool_calls
        assert await client.chat.completions.retrieve(answer.id) == answer


@pytest.mark.promise("limit.metadata")
@pytest.mark.parametrize("path", [CHAT, "/v1/responses"])
async def test_metadata_have_openai_s_limits(there: RunningGateway, path: str) -> None:
    said = {"model": "openclaw", **({"messages": HI} if path == CHAT else {"input": "hi"})}
    refusals: tuple[Any, ...] = (
        {str(n): "" for n in range(17)},
        {"k" * 65: ""},
        {"k": "v" * 513},
        {"k": 1},
        "text",
    )
    for metadata in refusals:
        refused = await call(there, "POST", path, json={"metadata": metadata, **said})
        assert refused.status == 400
        assert str(refused.error["param"]).startswith("metadata")
    most = {f"{n:064}": "v" * 512 for n in range(16)}
    answer = await call(there, "POST", path, json={"metadata": most, **said})
    assert answer.json["metadata"] == most


async def test_an_update_says_what_it_wants(there: RunningGateway) -> None:
    id_ = (await say(there, "hi", store=True, metadata={"a": "b"})).json["id"]
    for body in (b"", b"{}", b'{"metadata": 1}', b"[", b'{"metadata": {"a": 1}}'):
        refused = await call(there, "POST", f"{CHAT}/{id_}", data=body)
        assert refused.status == 400, body
    assert (await call(there, "GET", f"{CHAT}/{id_}")).json["metadata"] == {"a": "b"}
    assert (await call(there, "PUT", f"{CHAT}/{id_}")).status == 405
    assert (await call(there, "GET", f"{CHAT}/{id_}/other")).status == 404

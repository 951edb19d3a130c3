"""Responses that are kept: with a client's own name for the request, a store that refuses, and odd ids."""

from collections.abc import AsyncIterator
from typing import Any, cast

import msgspec
import pytest

from openclaw_gateway.doors.openai.response_items import items_of
from openclaw_gateway.doors.openai.response_shapes import ResultItem
from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs import kept
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.testing import replies
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, Reasoning, says
from openclaw_gateway.wire.messages import Image, ToolMessage
from tests.doors.chat import Answer, ask, http, user
from tests.doors.test_responses import ON, post, said, streamed
from tests.doors.tool_replies import calls


@pytest.fixture
async def there(models: ModelServer) -> AsyncIterator[RunningGateway]:
    async with running_gateway(model_config(models.base_url, ON)) as gateway:
        yield gateway


async def named(gateway: RunningGateway, key: str, **fields: Any) -> Answer:
    async with (
        http(gateway) as session,
        session.post(
            "/v1/responses", json={"model": "openclaw", **fields}, headers={"Idempotency-Key": key}
        ) as response,
    ):
        return Answer(response.status, response.headers.copy(), await response.text())


async def status(gateway: RunningGateway, method: str, id_: str) -> int:
    async with http(gateway) as session, session.request(method, f"/v1/responses/{id_}") as response:
        return response.status


async def test_a_name_is_of_one_request_with_what_came_before_it(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", *(says(text) for text in "abcdef"))
    first, other = [(await named(there, key, input=key)).json["id"] for key in ("k1", "k2")]
    unkept = {"input": "q", "store": False}
    assert (await named(there, "k3", **unkept, previous_response_id=first)).status == 200
    refused = await named(there, "k3", **unkept, previous_response_id=other)
    assert (refused.status, refused.error["code"]) == (422, "idempotency_key_reused")


async def test_what_was_not_kept_is_no_answer_to_who_wants_it_kept(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", *(says(text) for text in "abcdef"))
    assert (await named(there, "k1", input="q", store=False)).status == 200
    body = {"model": "openclaw", "messages": [user("q")]}
    assert (await ask(there, body, headers={"Idempotency-Key": "k2"})).status == 200
    for key in ("k1", "k2"):
        refused = await named(there, key, input="q")
        assert (refused.status, refused.error["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("extra", [{}, {"user": "ann"}])
async def test_an_answer_that_could_not_be_kept_is_an_error_and_its_repeat_a_new_run(
    there: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch, extra: dict[str, str]
) -> None:
    models.script("mock-echo", says("one"), says("two"))
    store = cast("SqliteStore", there.gateway._store)

    async def full(*_: object) -> None:
        raise StoreError("The disk is full.", code="store_full")

    with monkeypatch.context() as patched:
        patched.setattr(store, "keep", full)
        refused = await named(there, "k1", input="q", **extra)
        assert (refused.status, refused.error["code"]) == (503, "store_full")
    answer = await named(there, "k1", input="q", **extra)
    assert answer.status == 200
    assert await status(there, "GET", answer.json["id"]) == 200
    assert said(models) == ["q"]


async def test_every_item_of_a_stream_may_be_named(there: RunningGateway, models: ModelServer) -> None:
    models.enqueue(
        replies.calls(Reasoning("r1"), "Look.", replies.Call("session_status", "{}", id="c1")),
        says(Reasoning("r2"), "Fine."),
        says("third"),
    )
    last = (await streamed(there, input="hi"))[-1]
    assert last.type == "response.completed"
    assert [item.type for item in last.response.output] == ["reasoning", "message", "reasoning"]
    items = [{"type": "item_reference", "id": item.id} for item in last.response.output]
    asked = [{"role": "user", "content": "hi"}, *items, {"role": "user", "content": "more"}]
    answer = await post(there, {"model": "openclaw", "input": asked})
    assert answer.status == 200, answer.text
    assert said(models) == ["hi", "Look.\n\nFine.", "more"]


async def test_only_a_response_s_own_id_is_one(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", says("one"))
    id_ = (await post(there, {"model": "openclaw", "input": "hi"})).json["id"]
    for other in (f"msg_{id_[5:]}", f"{id_}_1"):
        assert [await status(there, method, other) for method in ("GET", "DELETE")] == [404, 404]
        refused = await post(there, {"model": "openclaw", "input": "x", "previous_response_id": other})
        assert refused.error["code"] == "previous_response_not_found"
    assert await status(there, "GET", id_) == 200


async def test_what_a_developer_message_said_still_counts(there: RunningGateway, models: ModelServer) -> None:
    models.script("mock-echo", *(says(text) for text in "abc"))
    previous: dict[str, Any] = {}
    for number in range(3):
        told = {"role": "developer", "content": f"Rule {number}."}
        asked = {"role": "user", "content": "hi"}
        body = {"model": "openclaw", "instructions": f"Now {number}.", "input": [told, asked], **previous}
        answer = await post(there, body)
        previous = {"previous_response_id": answer.json["id"]}
    system = models.requests[-1].body["messages"][0]["content"]
    assert "Now 2.\n\nRule 0.\n\nRule 1.\n\nRule 2." in system
    assert "Now 1." not in system


async def test_of_a_long_chain_the_newest_is_remembered(
    there: RunningGateway, models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    models.script("mock-echo", *(says(text) for text in "abcde"))
    previous: dict[str, Any] = {}
    for number in range(4):
        answer = await post(there, {"model": "openclaw", "input": str(number) * 2_000, **previous})
        previous = {"previous_response_id": answer.json["id"]}
    monkeypatch.setattr(kept, "MOST_BYTES", 6_500)
    await post(there, {"model": "openclaw", "input": "so", **previous})
    assert [text[:2] for text in said(models)] == ["22", "c", "33", "d", "so"]


async def test_another_agent_or_user_goes_on_from_what_the_client_was_shown(models: ModelServer) -> None:
    two = {"agents": {"list": [{"id": "main", "default": True}, {"id": "other"}]}}
    async with running_gateway(model_config(models.base_url, {**ON, **two})) as gateway:
        for model, who, roles in (
            ("openclaw/main", "ann", ["user", "assistant", "tool", "assistant", "user"]),
            ("openclaw/main", "bob", ["user", "assistant", "user"]),
            ("openclaw/other", "ann", ["user", "assistant", "user"]),
        ):
            models.enqueue(calls(("c1", "session_status", "{}")), says("Fine."), says("Still."))
            asked = {"model": "openclaw/main", "input": "How are you?", "user": "ann"}
            first = await post(gateway, asked, {"x-openclaw-session-key": f"s {model} {who}"})
            body = {
                "model": model,
                "input": "And now?",
                "previous_response_id": first.json["id"],
                "user": who,
            }
            assert (await post(gateway, body)).status == 200
            sent = [one["role"] for one in models.requests[-1].body["messages"]]
            assert sent[1:] == roles


async def test_items_of_more_responses_than_may_be_looked_up_are_refused(there: RunningGateway) -> None:
    named = [{"type": "item_reference", "id": f"msg_{number:032x}"} for number in range(1_001)]
    refused = await post(there, {"model": "openclaw", "input": [{"role": "user", "content": "q"}, *named]})
    assert (refused.status, refused.error["param"]) == (400, "input")
    assert "more than 1000 responses" in refused.error["message"]


async def test_items_that_are_sent_again_with_the_answer_before_stand_once(
    there: RunningGateway, models: ModelServer
) -> None:
    models.script("mock-echo", *(says(text) for text in ("a1", "a2", "a3", "a4", "a5")))
    items: list[dict[str, Any]] = []
    previous: dict[str, Any] = {}
    for number in (1, 2, 3):
        items.append({"role": "user", "content": f"q{number}"})
        answer = await post(there, {"model": "openclaw", "input": items, **previous})
        items += answer.json["output"]
        previous = {"previous_response_id": answer.json["id"]}
        assert said(models) == ["q1", "a1", "q2", "a2", "q3"][: 2 * number - 1]
    # Of an edited whole, too, nothing stands that was taken out, and the last answer alone is known again.
    edited = [items[0], items[1], {"role": "user", "content": "q2!"}]
    await post(there, {"model": "openclaw", "input": edited, **previous})
    assert said(models) == ["q1", "a1", "q2!"]
    await post(there, {"model": "openclaw", "input": [items[-1], items[0]], **previous})
    assert said(models) == ["q1", "a1", "q2", "a2", "q3", "a3", "q1"]


def test_what_a_tool_showed_is_listed_with_its_words() -> None:
    shown = ToolMessage("call_1", "a cat", images=(Image("image/png", "AAAA"),))
    (item,) = items_of((shown,), "1")
    assert item["output"] == [
        {"type": "input_text", "text": "a cat"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,AAAA"},
    ]
    assert msgspec.convert(item, ResultItem).call_id == "call_1"
    (plain,) = items_of((ToolMessage("call_1", "a cat"),), "1")
    assert plain["output"] == "a cat"

"""What a request brings besides text, through the real `openai` client and both endpoints, to a model server
that refuses what the vendor refuses."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from aiohttp import web

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.doors.chat import sdk
from tests.tools.pages import Pages

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DATA_URL = f"data:image/png;base64,{PNG}"


async def files(request: web.Request) -> web.Response:
    if request.path == "/cat.png":
        return web.Response(body=base64.b64decode(PNG), content_type="application/octet-stream")
    raise web.HTTPNotFound


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with Pages(files) as served:
        yield served


@pytest.fixture
async def there(models: ModelServer, pages: Pages) -> AsyncIterator[RunningGateway]:
    """Agents `main`, whose model sees, and `blind`."""
    endpoint = {"enabled": True, "images": {"allowUrl": True}}
    models.strict("sees", "openai")
    models.strict("text-only", "openai")
    config = model_config(
        models.base_url,
        {
            "gateway": {"http": {"endpoints": {"chatCompletions": endpoint, "responses": endpoint}}},
            "models": {
                "providers": {
                    "mock": {
                        "models": [
                            {"id": "sees", "input": ["text", "image"]},
                            {"id": "text-only", "input": ["text"]},
                        ]
                    }
                }
            },
            "agents": {
                "list": [
                    {"id": "main", "default": True, "model": "mock/sees"},
                    {"id": "blind", "model": "mock/text-only"},
                ]
            },
        },
    )
    async with running_gateway(config) as gateway:
        gateway.gateway.attachments.fetcher = pages.fetcher()
        yield gateway


class Asking:
    """One question by either endpoint, streamed or not; `parts` are chat's."""

    def __init__(self, gateway: RunningGateway, endpoint: str, *, stream: bool) -> None:
        self._gateway = gateway
        self._endpoint = endpoint
        self._stream = stream

    async def __call__(self, *messages: dict[str, Any], model: str = "openclaw", **fields: Any) -> str:
        async with sdk(self._gateway) as client:
            if self._endpoint == "chat":
                return await self._chat(client, list(messages), model, fields)
            return await self._responses(client, [responses_message(each) for each in messages], model)

    async def _chat(
        self, client: openai.AsyncOpenAI, messages: Any, model: str, fields: dict[str, Any]
    ) -> str:
        if not self._stream:
            answer = await client.chat.completions.create(model=model, messages=messages, **fields)
            return answer.choices[0].message.content or ""
        chunks = await client.chat.completions.create(model=model, messages=messages, stream=True, **fields)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in chunks if chunk.choices])

    async def _responses(self, client: openai.AsyncOpenAI, items: Any, model: str) -> str:
        if not self._stream:
            return (await client.responses.create(model=model, input=items)).output_text
        events = await client.responses.create(model=model, input=items, stream=True)
        return "".join([event.delta async for event in events if event.type == "response.output_text.delta"])


def responses_message(message: dict[str, Any]) -> dict[str, Any]:
    if isinstance(message["content"], str):
        return message
    return {**message, "content": [responses_part(part) for part in message["content"]]}


def responses_part(part: dict[str, Any]) -> dict[str, Any]:
    match part["type"]:
        case "text":
            return {"type": "input_text", "text": part["text"]}
        case "image_url":
            return {"type": "input_image", "image_url": part["image_url"]["url"], "detail": "auto"}
        case "file":
            return {"type": "input_file", **part["file"]}
        case _:
            return part


@pytest.fixture(params=["chat", "chat-stream", "responses", "responses-stream"])
def asking(request: pytest.FixtureRequest, there: RunningGateway) -> Asking:
    endpoint, _, stream = request.param.partition("-")
    return Asking(there, endpoint, stream=bool(stream))


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def image(url: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url}}


def user(*parts: dict[str, Any] | str) -> dict[str, Any]:
    return {"role": "user", "content": [text(part) if isinstance(part, str) else part for part in parts]}


def sent_to(models: ModelServer) -> Any:
    return models.requests[-1].body["messages"]


@pytest.mark.promise("images-by-url")
async def test_an_image_at_a_url_is_fetched_for_the_model(
    asking: Asking, models: ModelServer, pages: Pages
) -> None:
    models.script("sees", says("A dot."))
    assert await asking(user("what is this?", image(pages.url("/cat.png")))) == "A dot."
    assert sent_to(models)[-1]["content"] == [text("what is this?"), image(DATA_URL)]


async def test_an_image_alone_is_a_question(asking: Asking, models: ModelServer, pages: Pages) -> None:
    models.script("sees", says("A dot."))
    for url in (DATA_URL, pages.url("/cat.png")):
        assert await asking(user(image(url))) == "A dot."
        assert sent_to(models)[-1]["content"] == [image(DATA_URL)]


async def test_what_cannot_be_fetched_is_the_client_s_to_hear(asking: Asking, models: ModelServer) -> None:
    for url in ("http://127.0.0.1:22/", "http://169.254.169.254/latest/meta-data/"):
        with pytest.raises(openai.BadRequestError, match="not on the public internet, or") as caught:
            await asking(user("what is this?", image(url)))
        assert (caught.value.code, str(caught.value.param)[-10:]) == ("invalid_image", "content[1]")
    assert models.requests == []


@pytest.mark.promise("earlier-image")
async def test_an_image_in_an_earlier_message_never_stops_an_agent_that_cannot_see(
    asking: Asking, models: ModelServer, pages: Pages
) -> None:
    models.script("text-only", says("No."))
    answer = {"role": "assistant", "content": "Nice."}
    for url in (DATA_URL, pages.url("/cat.png"), pages.url("/gone.png"), "http://10.0.0.1/a.png"):
        for between in ([answer], []):
            earlier = (user("look", image(url)), *between, user("do you remember?"))
            assert await asking(*earlier, model="openclaw/blind") == "No."
            assert "An image was here" in json.dumps(sent_to(models))
    assert pages.asked == []
    with pytest.raises(openai.BadRequestError) as caught:
        await asking(user("look"), answer, user("and this?", image(DATA_URL)), model="openclaw/blind")
    assert caught.value.code == "images_unsupported"


async def test_an_image_that_is_gone_by_now_does_not_end_a_conversation(
    asking: Asking, models: ModelServer, pages: Pages
) -> None:
    models.script("sees", says("Yes."))
    earlier = user("look", image(pages.url("/gone.png")), image(pages.url("/cat.png")))
    answer = {"role": "assistant", "content": "Nice."}
    assert await asking(earlier, answer, user("and now?")) == "Yes."
    [shown] = [each for each in sent_to(models) if isinstance(each["content"], list)]
    assert shown["content"] == [text("look\n[An image was here. It could not be had.]"), image(DATA_URL)]


async def test_a_session_keeps_the_image_it_was_shown(
    there: RunningGateway, models: ModelServer, pages: Pages
) -> None:
    """Also where the client resends its URL when there is nothing any more."""
    models.script("sees", says("A dot."))
    chat = Asking(there, "chat", stream=False)
    url = pages.url("/cat.png")
    await chat(user("look", image(url)), user="ada")
    there.gateway.attachments.fetcher = Pages(files).fetcher()
    answer = {"role": "assistant", "content": "A dot."}
    await chat(user("look", image(url)), answer, user("and now?"), user="ada")
    shown = [each for each in sent_to(models) if isinstance(each["content"], list)]
    assert shown == [{"role": "user", "content": [text("look"), image(DATA_URL)]}]

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
from tests.tools.test_pdf import made, saying

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
DATA_URL = f"data:image/png;base64,{PNG}"
PAPER = made([saying("Cod"), saying("Hake")])
# The vendor that refuses for it, and its api.
MODELS = {
    "sees": ("openai", "openai-completions"),
    "text-only": ("openai", "openai-completions"),
    "gpt-4.1": ("openai", "openai-completions"),
    "gpt-audio": ("openai", "openai-completions"),
    "gpt-5.1": ("responses", "openai-responses"),
    "claude-sonnet-4-5": ("anthropic", "anthropic-messages"),
    "gemini-3-pro": ("google", "google-generative-ai"),
}


def agent_of(model: str) -> str:
    return model.replace(".", "-")


async def files(request: web.Request) -> web.Response:
    if request.path == "/down/paper one.pdf":
        return web.Response(body=PAPER, content_type="application/octet-stream")
    if request.path == "/cat.png":
        return web.Response(body=base64.b64decode(PNG), content_type="application/octet-stream")
    raise web.HTTPNotFound


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with Pages(files) as served:
        yield served


@pytest.fixture
async def there(models: ModelServer, pages: Pages) -> AsyncIterator[RunningGateway]:
    """Agents `main`, whose model sees, and one for each model."""
    by_url = {"allowUrl": True}
    endpoint = {"enabled": True, "images": by_url, "files": by_url}
    providers: dict[str, Any] = {}
    for model, (vendor, api) in MODELS.items():
        models.strict(model, vendor)
        own = {} if "-" in model and model != "text-only" else {"input": ["text", "image"]}
        if model == "text-only":
            own = {"input": ["text"]}
        provider = "openai" if model.startswith("gpt") else api
        entry = providers.setdefault(provider, {"baseUrl": models.base_url, "apiKey": "k", "models": []})
        entry["models"].append({"id": model, "api": api, **own})
    agents = [
        {"id": agent_of(model), "model": f"{'openai' if model.startswith('gpt') else api}/{model}"}
        for model, (_, api) in MODELS.items()
    ]
    config = model_config(
        models.base_url,
        {
            "gateway": {"http": {"endpoints": {"chatCompletions": endpoint, "responses": endpoint}}},
            "models": {"providers": providers},
            "agents": {
                "list": [{"id": "main", "default": True, "model": "openai-completions/sees"}, *agents]
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


def newest_parts(models: ModelServer) -> Any:
    """Whatever the dialect."""
    body = models.requests[-1].body
    newest = (body.get("messages") or body.get("input") or body.get("contents"))[-1]
    return newest.get("content") or newest["parts"]


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
            assert await asking(*earlier, model="openclaw/text-only") == "No."
            assert "An image was here" in json.dumps(sent_to(models))
    assert pages.asked == []
    with pytest.raises(openai.BadRequestError) as caught:
        await asking(user("look"), answer, user("and this?", image(DATA_URL)), model="openclaw/text-only")
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


# --- files


def file(data: bytes | str, name: str = "", kind: str = "application/octet-stream") -> dict[str, Any]:
    raw = data.encode() if isinstance(data, str) else data
    url = f"data:{kind};base64,{base64.b64encode(raw).decode()}"
    return {"type": "file", "file": {"file_data": url, **({"filename": name} if name else {})}}


def native(part: dict[str, Any]) -> str:
    return str(part["file"]["file_data"])


@pytest.mark.promise("files-text")
async def test_files_of_text_are_read_with_their_name(asking: Asking, models: ModelServer) -> None:
    models.script("sees", says("Two."))
    csv = file("a,b\n1,2\n", "numbers.csv", "text/csv")
    notes = file("caf\xe9 \u20ac".encode("utf-16"), "notes")
    source = file("print('hi')  # \xe4".encode("latin-1"), 'odd"\n<name>.py', "text/x-python")
    assert await asking(user("how many?", csv, notes, source)) == "Two."
    assert sent_to(models)[-1]["content"] == (
        '<file name="numbers.csv">\na,b\n1,2\n\n</file>\n\n<file name="notes">\ncaf\xe9 \u20ac\n</file>\n\n'
        "<file name=\"odd name .py\">\nprint('hi')  # \xe4\n</file>\n\nhow many?"
    )


@pytest.mark.promise("files")
async def test_a_pdf_goes_to_each_model_as_it_takes_it(asking: Asking, models: ModelServer) -> None:
    part = file(PAPER, "paper.pdf", "application/pdf")
    data = native(part)
    bare = data.partition(",")[2]
    seen = {
        "gpt-4.1": {"type": "file", "file": {"filename": "paper.pdf", "file_data": data}},
        "gpt-5.1": {"type": "input_file", "filename": "paper.pdf", "file_data": data},
        "claude-sonnet-4-5": {
            "type": "document",
            "title": "paper.pdf",
            "source": {"type": "base64", "media_type": "application/pdf", "data": bare},
        },
        "gemini-3-pro": {"inlineData": {"mimeType": "application/pdf", "data": bare}},
    }
    for model, expected in seen.items():
        models.script(model, says("Cod."))
        assert await asking(user("what fish?", part), model=f"openclaw/{agent_of(model)}") == "Cod."
        assert newest_parts(models)[0] == expected
        assert len(newest_parts(models)) == 2
    for model in ("sees", "text-only"):
        models.script(model, says("Cod."))
        assert await asking(user("what fish?", part), model=f"openclaw/{agent_of(model)}") == "Cod."
        shown = '<file name="paper.pdf">\n[page 1 of 2]\nCod\n\n[page 2 of 2]\nHake\n</file>\n\nwhat fish?'
        assert sent_to(models)[-1]["content"] == shown


async def test_a_file_without_a_name_is_known_by_what_is_in_it(asking: Asking, models: ModelServer) -> None:
    for model in ("sees", "gpt-4.1"):
        models.script(model, says("Yes."))
    await asking(user(file(base64.b64decode(PNG), "x.pdf", "application/pdf")))
    assert sent_to(models)[-1]["content"] == [image(DATA_URL)]
    await asking(user(file(PAPER, kind="text/plain")), model="openclaw/gpt-4-1")
    assert newest_parts(models)[0]["file"]["filename"] == "document.pdf"
    await asking(user(file(PAPER)))
    assert "[page 1 of 2]\nCod" in sent_to(models)[-1]["content"]


DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


async def test_what_nobody_can_read_is_named(asking: Asking, models: ModelServer) -> None:
    for part, named, code in [
        (file(b"PK\x03\x04abc", "letter.docx", DOCX), DOCX, "unsupported_file"),
        (file(b"PK\x03\x04abc", "letter.docx"), DOCX, "unsupported_file"),
        (file(b"PK\x03\x04abc"), "application/zip", "unsupported_file"),
        (file(b"\0\1\2\3"), "binary data", "unsupported_file"),
        (file(PAPER[:200], "paper.pdf"), "damaged PDF", "invalid_file"),
        (file(b"x" * (5 << 20) + b"x", "long.txt"), "larger than", "invalid_file"),
    ]:
        with pytest.raises(openai.BadRequestError) as caught:
            await asking(user("read this", part))
        assert named in caught.value.message
        assert (caught.value.code, str(caught.value.param)[-10:]) == (code, "content[1]")
        # It was sent in an earlier message: the conversation goes on.
        models.script("sees", says("Well."))
        answer = {"role": "assistant", "content": "Hm."}
        assert await asking(user("read this", part), answer, user("and now?")) == "Well."


@pytest.mark.parametrize("asking", ["responses", "responses-stream"], indirect=True)
async def test_a_file_at_a_url(asking: Asking, models: ModelServer, pages: Pages) -> None:
    models.script("sees", says("Cod."))
    part = {"type": "input_file", "file_url": pages.url("/down/paper%20one.pdf")}
    assert await asking(user("what fish?", part)) == "Cod."
    assert sent_to(models)[-1]["content"].startswith('<file name="paper one.pdf">\n[page 1 of 2]\nCod')
    for url in ("http://10.0.0.1/a.pdf", "http://[fd00::1]/a.pdf"):
        with pytest.raises(openai.BadRequestError, match="not on the public internet, or does not") as caught:
            await asking(user("what fish?", {"type": "input_file", "file_url": url}))
        assert caught.value.code == "invalid_file"


async def test_file_urls_are_off_until_they_are_turned_on(models: ModelServer) -> None:
    on = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}
    async with running_gateway(model_config(models.base_url, on)) as gateway:
        asking = Asking(gateway, "responses", stream=False)
        for part, key in (
            ({"type": "input_file", "file_url": "https://a.example/a.pdf"}, "files"),
            (image("https://a.example/a.png"), "images"),
        ):
            with pytest.raises(openai.BadRequestError, match=rf"responses\.{key}\.allowUrl to true"):
                await asking(user("read", part))
    assert models.requests == []


async def test_a_session_goes_on_with_a_model_that_reads_no_pdfs(
    there: RunningGateway, models: ModelServer
) -> None:
    """And with one that does: what was sent once is there, whole, in a file of its own."""
    chat = Asking(there, "chat", stream=False)
    large = made([saying(f"Cod {n}") for n in range(60)], extra=[b"<</Length 90000>>stream\n" + b"x" * 90000])
    part = file(large, "long.pdf")
    for model in ("sees", "claude-sonnet-4-5"):
        models.script(model, says("Cod."))
    headers = {"x-openclaw-session-key": "agent:{}:papers"}
    for agent, text_of_it in (("main", True), ("claude-sonnet-4-5", False)):
        key = {name: value.format(agent) for name, value in headers.items()}
        await chat(user("which?", part), model=f"openclaw/{agent}", extra_headers=key)
        await chat(user("sure?"), model=f"openclaw/{agent}", extra_headers=key)
        sent = json.dumps(models.requests[-1].body)
        assert sent.count("[page 60 of 60]\\nCod 59") == text_of_it
        assert sent.count(native(part).partition(",")[2]) == (not text_of_it)
    blobs = [path for path in there.state_dir.rglob("blobs/*/*") if path.is_file()]
    assert len(blobs) == 1


# --- sound

WAV = b"RIFF\x24\0\0\0WAVEfmt " + bytes(24)
MP3 = b"ID3\x04" + bytes(40)


def sound(data: bytes, form: str) -> dict[str, Any]:
    held = {"data": base64.b64encode(data).decode(), "format": form}
    return {"type": "input_audio", "input_audio": held}


@pytest.mark.promise("audio", "error.audio_unsupported")
async def test_a_recording_goes_to_models_that_hear_alone(asking: Asking, models: ModelServer) -> None:
    for part, form in ((sound(WAV, "wav"), "wav"), (sound(MP3, "mp3"), "mp3"), (sound(MP3, "wav"), "mp3")):
        data = part["input_audio"]["data"]
        for model, expected in {
            "gpt-audio": {"type": "input_audio", "input_audio": {"data": data, "format": form}},
            "gemini-3-pro": {"inlineData": {"mimeType": f"audio/{form}", "data": data}},
        }.items():
            models.script(model, says("A dog."))
            assert await asking(user("who?", part), model=f"openclaw/{agent_of(model)}") == "A dog."
            assert newest_parts(models)[0] == expected
    before = len(models.requests)
    for model in ("sees", "gpt-4.1", "gpt-5.1", "claude-sonnet-4-5"):
        with pytest.raises(openai.BadRequestError, match=model) as caught:
            await asking(user("who?", sound(WAV, "wav")), model=f"openclaw/{agent_of(model)}")
        assert caught.value.code == "audio_unsupported"
    assert len(models.requests) == before
    models.script("sees", says("No."))
    answer = {"role": "assistant", "content": "A dog."}
    assert await asking(user("who?", sound(WAV, "wav")), answer, user("and now?")) == "No."
    assert "A recording was here" in json.dumps(sent_to(models))


# --- what is kept


async def test_what_was_brought_is_told_again_as_it_came(
    there: RunningGateway, models: ModelServer, pages: Pages
) -> None:
    models.script("sees", says("Yes."))
    paper, csv = file(PAPER, "paper.pdf", "application/pdf"), file("a,b", "a.csv", "text/csv")
    async with sdk(there) as client:
        asked: Any = [responses_message(user("read", paper, csv, image(pages.url("/cat.png"))))]
        answer = await client.responses.create(model="openclaw", input=asked)
        [item] = (await client.responses.input_items.list(answer.id)).data
        kept = item.model_dump()["content"]
        assert [(part["type"], part.get("filename")) for part in kept] == [
            ("input_text", None),
            ("input_file", "paper.pdf"),
            ("input_file", "a.csv"),
            ("input_image", None),
        ]
        assert (kept[1]["file_data"], kept[2]["file_data"]) == (native(paper), native(csv))
        assert kept[3]["image_url"] == DATA_URL
        # And goes on from there, for a model that reads no PDFs.
        await client.responses.create(model="openclaw", input="sure?", previous_response_id=answer.id)
        assert "[page 2 of 2]\\nHake" in json.dumps(sent_to(models))


async def test_what_is_brought_is_taken_in_for_the_model_that_was_chosen(
    models: ModelServer, pages: Pages
) -> None:
    """Not for the agent's own, which may see what the chosen one does not, and the other way about."""
    models.script("sees", says("A dot."))
    models.script("blind", says("Fish."))
    where = {"baseUrl": models.base_url, "apiKey": "k"}
    listed = {
        "gateway": {"http": {"endpoints": {"chatCompletions": {"images": {"allowUrl": True}}}}},
        "models": {
            "providers": {
                "openai": {**where, "models": [{"id": "gpt-4.1"}]},
                "eyes": {
                    **where,
                    "models": [
                        {"id": "sees", "input": ["text", "image"]},
                        {"id": "blind", "input": ["text"]},
                    ],
                },
            }
        },
        "agents": {
            "defaults": {"models": {"eyes/sees": {}, "eyes/blind": {}}},
            "list": [
                {"id": "main", "default": True, "model": "eyes/blind"},
                {"id": "reads", "model": "openai/gpt-4.1"},
            ],
        },
    }
    async with running_gateway(model_config(models.base_url, listed)) as gateway:
        gateway.gateway.attachments.fetcher = pages.fetcher()
        ask = Asking(gateway, "chat", stream=False)
        seeing = {"x-openclaw-model": "eyes/sees"}
        await ask(user("look", image(pages.url("/cat.png"))), extra_headers=seeing)
        assert models.requests[-1].messages[-1]["content"] == [text("look"), image(DATA_URL)]
        reading = {"x-openclaw-model": "eyes/blind"}
        await ask(user("read", file(PAPER, "fish.pdf")), model="openclaw/reads", extra_headers=reading)
        assert "Hake" in json.dumps(models.requests[-1].messages[-1])

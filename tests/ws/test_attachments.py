"""Attachments of `chat.send` and `agent`: images and files reach the model, and what cannot is refused."""

from base64 import b64encode
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from tests.ws.peer import Peer, connected
from tests.ws.test_chat import sent
from tests.ws.test_methods import say

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
IMAGE = b64encode(PNG).decode()
URL = f"data:image/png;base64,{IMAGE}"


def text(content: str, name: str = "notes.md", **more: Any) -> dict[str, Any]:
    return {
        "mimeType": "text/markdown",
        "fileName": name,
        "content": b64encode(content.encode()).decode(),
        **more,
    }


def asked(models: ModelServer) -> Any:
    return models.requests[-1].body["messages"][-1]["content"]


@pytest.mark.parametrize(
    "attachment",
    [
        {"type": "image", "mimeType": "image/png", "fileName": "a.png", "content": IMAGE, "width": 3},
        {"mimeType": "image/jpeg", "content": IMAGE},
        {"content": URL},
        {"content": IMAGE},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}},
    ],
)
async def test_an_image_reaches_the_model_however_it_is_written(
    models: ModelServer, peer: Peer, attachment: dict[str, Any]
) -> None:
    models.enqueue(says("A picture."), says("The same."))
    await peer.result("chat.send", sent("one", "look", attachments=[attachment]))
    await peer.event("chat", runId="one", state="final")
    seen = {"type": "image_url", "image_url": {"url": URL}}
    assert seen in asked(models)
    history = await peer.result("chat.history", {"sessionKey": "talk"})
    shown = {"type": "image", "mimeType": "image/png", "omitted": True}
    assert shown in history["messages"][0]["content"]
    await say(peer, "again", sessionKey="talk")
    assert seen in models.requests[-1].body["messages"][-3]["content"], "it stands in the transcript"


async def test_files_reach_the_model_with_and_without_a_word(models: ModelServer, peer: Peer) -> None:
    models.enqueue(says("Read."), says("Read both."))
    await say(peer, "read", attachments=[text("Осло in June")])
    assert "Осло in June" in str(asked(models))
    assert "notes.md" in str(asked(models))
    both = [text("first", "a.md"), text("second", "b.md")]
    await peer.result("chat.send", sent("two", "", attachments=both))
    await peer.event("chat", runId="two", state="final")
    assert "first" in str(asked(models))
    assert "second" in str(asked(models))
    assert (await peer.result("chat.send", sent("two", "", attachments=both)))["status"] == "ok"
    error = await peer.error("chat.send", sent("two", "", attachments=both[:1]))
    assert error["details"]["code"] == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("attachment", "code", "said"),
    [
        ({}, "invalid_file", "must be base64"),
        ({"content": None}, "invalid_file", "must be base64"),
        ({"content": {"path": "/etc/passwd"}}, "invalid_file", "paths and URLs are not read"),
        ({"content": 5}, "invalid_file", "must be base64"),
        ({"content": "file:///etc/passwd"}, "invalid_file", "not valid base64"),
        ({"content": "https://example.com/a.png"}, "invalid_file", "not valid base64"),
        ({"content": "data:image/png,abc"}, "invalid_file", "data:<type>;base64"),
        ({"content": "AAAA", "mimeType": "image/png"}, "invalid_image", "no PNG, JPEG"),
        ({"content": IMAGE, "mimeType": "image/svg+xml"}, None, ""),
        ({"content": "PHN2Zz4=", "mimeType": "image/svg+xml"}, "invalid_image", "image type"),
        ({"content": "UEsDBAoAAAAAAA==", "fileName": "a.zip"}, "unsupported_file", "zip"),
        ({"content": "\U0001f600"}, "invalid_file", "not valid base64"),
    ],
)
async def test_what_cannot_be_taken_is_refused_by_its_place(
    models: ModelServer, peer: Peer, attachment: dict[str, Any], code: str | None, said: str
) -> None:
    params = sent("k", "look", attachments=[text("fine"), attachment])
    if code is None:
        assert (await peer.result("chat.send", params))["status"] == "started"
        await peer.event("chat", runId="k", state="final")
        return
    error = await peer.error("chat.send", params)
    assert (error["code"], error["details"]["code"]) == ("INVALID_REQUEST", code)
    assert error["details"]["param"] == "attachments[1].content"
    assert said in error["message"]
    assert (await peer.result("sessions.list"))["totalCount"] == 0
    assert models.requests == []


async def test_the_limits_are_those_of_requests_over_http(models: ModelServer) -> None:
    limits = {"images": {"maxBytes": 100}, "files": {"maxBytes": 10}}
    more = {"gateway": {"http": {"endpoints": {"chatCompletions": limits}}}}
    async with running_gateway(model_config(models.base_url, more)) as gateway, connected(gateway) as peer:
        for attachment, said in (
            ({"content": IMAGE}, "an image is larger than"),
            (text("more than ten"), "chatCompletions.files.maxBytes"),
        ):
            error = await peer.error("chat.send", sent("k", "look", attachments=[attachment]))
            assert said in error["message"]
    assert models.requests == []


async def test_so_many_images_as_over_http(gateway: RunningGateway, peer: Peer) -> None:
    error = await peer.error("chat.send", sent("k", "look", attachments=[{"content": IMAGE}] * 100))
    assert error["details"]["code"] == "too_many_images"


async def test_so_many_files_as_over_http(models: ModelServer, peer: Peer) -> None:
    """Behind the ninth nothing is looked at: a frame has room for a million of them."""
    eight = [text("fine")] * 8
    for nine in ([*eight, text("fine")], [*eight, text("fine"), {"content": 1}]):
        error = await peer.error("chat.send", sent("k", "look", attachments=nine))
        assert error["details"]["code"] == "too_many_files"
    error = await peer.error("chat.send", sent("k", "look", attachments=[{"content": IMAGE}] * 9 + [{}]))
    assert error["details"]["code"] == "too_many_images"
    assert models.requests == []

"""`chat.image`: an image of a history, for whoever may read that session, by its place; nothing else."""

import zlib
from base64 import b64encode
from struct import pack
from typing import Any

import pytest

from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Call, ModelServer, calls, says
from openclaw_gateway.wire.messages import AssistantMessage, Image, Message, UserMessage
from tests.ws.peer import Peer, connected
from tests.ws.test_attachments import IMAGE
from tests.ws.test_chat import sent

# Large enough to be kept beside the conversation, where the history has only its digest.
LARGE = b64encode(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 1200).decode()
NONE = {"ok": False, "unavailableReason": "not_found"}


def png(width: int, height: int) -> bytes:
    """A grey one."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x99" * width for _ in range(height)))
    head = pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def messages(peer: Peer) -> list[dict[str, Any]]:
    history: list[dict[str, Any]] = (await peer.result("chat.history", {"sessionKey": "talk"}))["messages"]
    return history


async def image(peer: Peer, place: str, index: int = 0, session: str = "talk") -> Any:
    return await peer.result("chat.image", {"sessionKey": session, "messageId": place, "index": index})


async def kept(gateway: RunningGateway, turn: tuple[Message, ...], owner: str = OPERATOR.owner) -> str:
    """A turn of the session `talk` that has been; the id of its first message."""
    store = gateway.gateway._store
    begun = await store.begin(NewRun("run", owner, "agent:main:talk", "main"), lease_s=15)
    assert isinstance(begun, Claimed)
    await store.finish(begun.claim, Ending("completed", turn=turn))
    return "run:1"


async def test_each_image_of_a_message_is_had_by_its_number(models: ModelServer, peer: Peer) -> None:
    models.enqueue(says("Two."))
    brought = [{"content": IMAGE}, {"content": LARGE}]
    await peer.result("chat.send", sent("one", "look", attachments=brought))
    await peer.event("chat", runId="one", state="final")
    asked, answer = await messages(peer)
    assert LARGE not in str(asked)
    place = asked["__openclaw"]["id"]
    assert await image(peer, place) == {"ok": True, "mimeType": "image/png", "data": IMAGE}
    assert (await image(peer, place, 1))["data"] == LARGE
    assert await image(peer, place, 2) == NONE
    assert await image(peer, answer["__openclaw"]["id"]) == NONE


async def test_what_a_tool_gave_back_is_an_image_too(
    models: ModelServer, gateway: RunningGateway, peer: Peer
) -> None:
    folder = gateway.state_dir / "workspace"
    folder.mkdir(exist_ok=True)
    (folder / "plan.png").write_bytes(png(3, 2))
    models.enqueue(calls(Call("read", '{"path": "plan.png"}')), says("A plan."))
    await peer.result("chat.send", sent("one", "look"))
    await peer.event("chat", runId="one", state="final")
    told = (await messages(peer))[2]
    assert told["role"] == "toolResult"
    assert told["content"][1:] == [{"type": "image", "mimeType": "image/png", "omitted": True}]
    assert (await image(peer, told["__openclaw"]["id"]))["data"] == b64encode(png(3, 2)).decode()


async def test_nobody_sees_an_image_of_another(gateway: RunningGateway, peer: Peer) -> None:
    turn = (UserMessage("a secret", images=(Image("image/png", IMAGE),)), AssistantMessage(()))
    place = await kept(gateway, turn, "another")
    assert await image(peer, place) == NONE


async def test_one_from_before_a_reset_is_gone(gateway: RunningGateway, peer: Peer) -> None:
    turn = (UserMessage("look", images=(Image("image/png", IMAGE),)), AssistantMessage(()))
    place = await kept(gateway, turn)
    assert (await image(peer, place))["ok"] is True
    assert await image(peer, place, session="other") == NONE
    await peer.result("sessions.reset", {"key": "talk"})
    assert await image(peer, place) == NONE


@pytest.mark.parametrize("kind", ["image/svg+xml", "image/png", "text/html"])
async def test_what_is_no_image_is_never_given_as_one(gateway: RunningGateway, peer: Peer, kind: str) -> None:
    """Whatever it is called, and however it came into the store."""
    svg = b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>").decode()
    turn = (UserMessage("look", images=(Image(kind, svg), Image(kind, IMAGE))), AssistantMessage(()))
    place = await kept(gateway, turn)
    assert await image(peer, place) == NONE
    assert (await image(peer, place, 1))["mimeType"] == "image/png"


async def test_one_that_no_frame_should_hold_is_said_to_be_too_large(
    gateway: RunningGateway, peer: Peer
) -> None:
    huge = IMAGE + "A" * (8 << 20)
    turn = (UserMessage("look", images=(Image("image/png", huge),)), AssistantMessage(()))
    place = await kept(gateway, turn)
    assert await image(peer, place) == {"ok": False, "unavailableReason": "oversized"}


@pytest.mark.parametrize("place", ["x", "run:0", "run:-1", "run:99", ":1", "run:1\x00"])
async def test_what_is_no_place_has_no_image(gateway: RunningGateway, peer: Peer, place: str) -> None:
    turn = (UserMessage("look", images=(Image("image/png", IMAGE),)), AssistantMessage(()))
    await kept(gateway, turn)
    assert await image(peer, place) == NONE


async def test_to_read_is_enough(gateway: RunningGateway) -> None:
    turn = (UserMessage("look", images=(Image("image/png", IMAGE),)), AssistantMessage(()))
    place = await kept(gateway, turn)
    async with connected(gateway, scopes=["operator.read"]) as peer:
        assert (await image(peer, place))["ok"] is True

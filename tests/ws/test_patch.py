"""`sessions.patch`: a session is given a name, and nothing else is pretended to be kept."""

import pytest
from msgspec.structs import fields

from openclaw_gateway.doors.ws.methods.patch import PatchParams
from openclaw_gateway.sessions.store import NewRun
from openclaw_gateway.testing.gateway import RunningGateway
from tests.npm_packages import NotInstalled
from tests.ws import published
from tests.ws.peer import Peer
from tests.ws.test_methods import say


async def test_a_session_is_renamed(peer: Peer) -> None:
    await say(peer, "hello", sessionKey="talk")
    named = await peer.result("sessions.patch", {"key": "talk", "label": " Trip to Oslo "})
    assert (named["key"], named["entry"]["label"]) == ("agent:main:talk", "Trip to Oslo")
    (row,) = (await peer.result("sessions.list"))["sessions"]
    assert (row["label"], row["displayName"]) == ("Trip to Oslo", "Trip to Oslo")
    assert (await peer.result("sessions.resolve", {"label": "Trip to Oslo"}))["key"] == "agent:main:talk"
    await peer.result("sessions.patch", {"key": "agent:main:talk", "label": None})
    (row,) = (await peer.result("sessions.list"))["sessions"]
    assert (row.get("label"), row["displayName"]) == (None, "talk")


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"key": "talk", "label": "x", "thinkingLevel": "high"}, "thinkingLevel cannot be set: chat.send"),
        ({"key": "talk", "model": None}, "model cannot be set"),
        ({"key": "talk", "archived": True}, "archived cannot be set: it is not kept"),
        ({"key": "talk"}, "'label'"),
        ({"key": "talk", "label": "  "}, "printable"),
        ({"key": "talk", "label": "a\nb"}, "printable"),
        ({"key": "talk", "label": "x", "expectedSessionId": "agent:main:main"}, "another session's"),
        ({"key": "nowhere", "label": "x"}, "no such session"),
    ],
)
async def test_what_it_cannot_do_it_says(peer: Peer, params: dict[str, object], said: str) -> None:
    await say(peer, "hello", sessionKey="talk")
    assert said in (await peer.error("sessions.patch", params))["message"]
    (row,) = (await peer.result("sessions.list"))["sessions"]
    assert "label" not in row


def test_whatever_is_published_is_served_or_refused() -> None:
    try:
        properties = published.document()["definitions"]["SessionsPatchParams"]["properties"]
    except NotInstalled as error:
        pytest.skip(f"what is published cannot be had: {error}")
    assert {field.encode_name for field in fields(PatchParams)} >= properties.keys()


async def test_what_another_has_is_not_renamed(gateway: RunningGateway, peer: Peer) -> None:
    store = gateway.gateway._store
    await store.begin(NewRun("run", "another", "agent:main:talk", "main"), lease_s=30)
    await peer.error("sessions.patch", {"key": "talk", "label": "mine"})
    record = await store.get_session("another", "agent:main:talk")
    assert record is not None
    assert record.label is None

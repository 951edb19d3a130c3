"""Of runs that nobody elsewhere listens to no other process is told."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, get_args

import msgspec
import pytest

from openclaw_gateway.logs.asked import NOBODY
from openclaw_gateway.runs.elsewhere.neighbours import Neighbours
from openclaw_gateway.runs.elsewhere.news import NewsChannel, OwnersListen, RunOpened
from openclaw_gateway.runs.hub import ChangeReason, Hub, Listener, SessionChange
from openclaw_gateway.runs.work import read
from openclaw_gateway.sessions.store import Recorded
from openclaw_gateway.wire.messages import Message, UserMessage
from openclaw_gateway.wire.run import Origin, RunRequest
from tests.runs.test_asked_elsewhere import Air

Messages = tuple[Message, ...]
Here = tuple[Air, Hub, Neighbours, list[str]]
# What the store does not find open.
OVER = ("over", "older")


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    """A process: what it hears and tells, its hub, and the runs of others that it has followed."""
    air, hub, followed = Air(), Hub(), list[str]()

    async def found(_: str, run_id: str) -> str | None:
        return None if run_id in OVER else run_id

    async def past(opened: RunOpened) -> str | None:
        return opened.run_id if opened.work else None

    following: Any = SimpleNamespace(found=found, past=past, follow=followed.append)
    neighbours = Neighbours(NewsChannel(air), hub, following)
    neighbours.open()
    await asyncio.sleep(0)
    yield air, hub, neighbours, followed
    await neighbours.close()


def began(
    hub: Hub,
    run_id: str,
    owner: str = "ann",
    said: Messages = (),
    begun: object = None,
    *,
    session: str | None = "agent:main:s",
    parent: Any = None,
) -> Any:
    """A run that has been accepted."""
    accepted = asyncio.get_running_loop().create_future()
    request = RunRequest(Origin(owner, "websocket", "operator"), "main", said, session_key=session)
    run: Any = SimpleNamespace(
        id=run_id, is_followed=False, begun=begun, parent=parent, started_by=parent and parent.id,
        result=None, request=request, accepted=accepted, asked=NOBODY, created_ms=1,
    )  # fmt: skip
    hub.started(run)
    accepted.set_result(None)
    return run


def told(air: Air) -> list[str]:
    every = [msgspec.msgpack.decode(news) for news in air.announced]
    return [f"{news['type']} {news['run_id']}" for news in every if "run_id" in news]


async def test_a_run_is_told_of_where_somebody_listens(here: Here) -> None:
    air, hub, _, _ = here
    unheard = began(hub, "unheard")
    await asyncio.sleep(0)
    hub.ended(unheard)
    assert told(air) == []
    earlier, others = began(hub, "earlier"), began(hub, "other", "bob")
    await asyncio.sleep(0)
    for _ in range(2):
        air.said(OwnersListen("b", ("ann",)))
    later = began(hub, "later")
    await asyncio.sleep(0)
    for run in (earlier, others, later):
        hub.ended(run)
    assert told(air) == ["started earlier", "started later", "ended earlier", "ended later"]
    air.announced.clear()
    air.said(OwnersListen("b", ()))
    began(hub, "last")
    await asyncio.sleep(0)
    assert told(air) == []


async def test_what_becomes_of_a_session_is_told_where_somebody_listens_and_its_end_everywhere(
    here: Here,
) -> None:
    air, hub, _, _ = here
    reasons = get_args(ChangeReason)

    def told_of() -> list[str]:
        air.announced.clear()
        for reason in reasons:
            hub.changed(SessionChange("ann", "agent:main:s", "main", reason))
        every = [msgspec.msgpack.decode(news) for news in air.announced]
        return [news["change"]["reason"] for news in every]

    air.said(OwnersListen("b", ("bob",)))
    assert told_of() == ["reset", "delete"]
    air.said(OwnersListen("b", ("ann",)))
    assert told_of() == list(reasons)


async def test_of_what_a_run_starts_others_are_told_what_they_find_and_by_what(here: Here) -> None:
    air, hub, _, _ = here
    air.said(OwnersListen("b", ("ann",)))
    top = began(hub, "top", session=None)
    beside = began(hub, "beside", session=None, parent=top)
    sent = began(hub, "sent", parent=top)
    below = began(hub, "below", session=None, parent=sent)
    await asyncio.sleep(0)
    children = [msgspec.msgpack.decode(news) for news in air.announced]
    assert [(news["run_id"], news["top"]) for news in children if news["type"] == "child"] == [
        ("sent", "sent"),
        ("below", "sent"),
    ]
    for run in (below, sent, beside, top):
        hub.ended(run)
    assert told(air) == ["child sent", "child below", "ended below", "ended sent"]


async def test_who_begins_to_listen_says_so_once_and_follows_what_it_hears(here: Here) -> None:
    air, hub, neighbours, followed = here
    air.said(RunOpened("before", "ann", "agent:main:s"))
    for _ in range(2):
        hub.listen(Listener(), owner="ann")
        neighbours.joined("ann", None)
    air.said(RunOpened("after", "ann", None))
    await asyncio.sleep(0)
    listening = [msgspec.msgpack.decode(news) for news in air.announced]
    assert [news["owners"] for news in listening if news["type"] == "listening"] == [[], ["ann"]]
    assert followed == ["before", "before", "after"]


async def test_one_that_is_over_by_then_is_heard_by_who_was_there_and_once(here: Here) -> None:
    air, hub, neighbours, followed = here
    air.said(RunOpened("older", "ann", "agent:main:s", b"its request"))
    await asyncio.sleep(0)
    hub.listen(Listener(), owner="ann")
    neighbours.joined("ann", None)
    air.said(RunOpened("over", "ann", "agent:main:s"))
    began(hub, "executed here", begun=Recorded())
    air.said(RunOpened("executed here", "ann", "agent:main:s", b"its request"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert followed == [], "nor one of an older release, which says too little"
    air.said(RunOpened("over", "ann", "agent:main:s", b"its request"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert followed == ["over"]
    assert all(isinstance(known, RunOpened) and not known.work for known in neighbours._open.values())


async def test_what_is_said_is_told_where_it_is_little(here: Here) -> None:
    air, hub, _, _ = here
    air.said(OwnersListen("b", ("ann",)))
    for said in ("hi", "much " * 10_000):
        began(hub, "r", said=(UserMessage(said),))
        await asyncio.sleep(0)
    first, second = [
        read(msgspec.msgpack.decode(told, type=RunOpened).work).request for told in air.announced[-2:]
    ]
    assert first.messages == (UserMessage("hi"),)
    assert second.messages == () and second.session_key == first.session_key == "agent:main:s"

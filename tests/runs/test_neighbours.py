"""Of runs that nobody elsewhere listens to no other process is told."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openclaw_gateway.runs.elsewhere.neighbours import Neighbours
from openclaw_gateway.runs.elsewhere.news import NewsChannel, OwnersListen, RunOpened
from openclaw_gateway.runs.hub import Hub, Listener
from tests.runs.test_asked_elsewhere import Air

Here = tuple[Air, Hub, Neighbours, list[str]]


@pytest.fixture
async def here() -> AsyncIterator[Here]:
    """A process: what it hears and tells, its hub, and the runs of others that it has followed."""
    air, hub, followed = Air(), Hub(), list[str]()

    async def follow(_: str, run_id: str) -> None:
        followed.append(run_id)

    following: Any = SimpleNamespace(run=follow)
    neighbours = Neighbours(NewsChannel(air), hub, following)
    neighbours.open()
    await asyncio.sleep(0)
    yield air, hub, neighbours, followed
    await neighbours.close()


def begun(hub: Hub, run_id: str, owner: str = "ann") -> Any:
    """A run that has been accepted."""
    accepted = asyncio.get_running_loop().create_future()
    request = SimpleNamespace(
        origin=SimpleNamespace(owner=owner), session_key="agent:main:s", idempotency=None
    )
    run: Any = SimpleNamespace(
        id=run_id, is_followed=False, begun=None, parent=None, started_by=None, result=None, request=request,
        accepted=accepted,
    )  # fmt: skip
    hub.started(run)
    accepted.set_result(None)
    return run


def told(air: Air) -> list[str]:
    every = [msgspec.msgpack.decode(news) for news in air.announced]
    return [f"{news['type']} {news['run_id']}" for news in every if "run_id" in news]


async def test_a_run_is_told_of_where_somebody_listens(here: Here) -> None:
    air, hub, _, _ = here
    unheard = begun(hub, "unheard")
    await asyncio.sleep(0)
    hub.ended(unheard)
    assert told(air) == []
    earlier, others = begun(hub, "earlier"), begun(hub, "other", "bob")
    await asyncio.sleep(0)
    for _ in range(2):
        air.said(OwnersListen("b", ("ann",)))
    later = begun(hub, "later")
    await asyncio.sleep(0)
    for run in (earlier, others, later):
        hub.ended(run)
    assert told(air) == ["started earlier", "started later", "ended earlier", "ended later"]
    air.announced.clear()
    air.said(OwnersListen("b", ()))
    begun(hub, "last")
    await asyncio.sleep(0)
    assert told(air) == []


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

"""Who follows a run that is executed here is known for as long as it goes on."""

import asyncio
from functools import partial
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from openclaw_gateway.runs.elsewhere import followers as followers_module
from openclaw_gateway.runs.elsewhere.followers import Followers
from openclaw_gateway.runs.elsewhere.news import NewsChannel, RunFollowed, RunLeft
from openclaw_gateway.runs.hub import Hub
from tests.runs.test_asked_elsewhere import Air


@pytest.mark.parametrize("is_taken_over", [False, True])
def test_nobody_is_remembered_of_a_run_that_has_ended(is_taken_over: bool) -> None:
    run = _run()
    air, hub = Air(), Hub()
    followers = Followers(NewsChannel(air), hub, lambda _: run)
    air.said(RunFollowed("r", "another"))
    assert followers.of("r") == {"another"}
    run.is_mirrored = is_taken_over
    hub.ended(run)
    assert not followers._there


def test_who_leaves_with_clients_takes_them_along_and_says_what_they_have() -> None:
    run, clients = _run(), list[str]()
    run.join = lambda: clients.append("+")
    run.leave = lambda reason, *, returns: clients.append("-")
    air = Air()
    followers = Followers(NewsChannel(air), Hub(), lambda _: run)
    for has_clients in (False, True, True):
        air.said(RunFollowed("r", "b", has_clients))
    air.said(RunFollowed("r", "c", has_clients=True))
    air.said(RunLeft("r", "b", shown=7))
    assert clients == ["+", "+", "-"]
    assert followers.of("r") == {"c"}
    assert followers.shown_before("r") == 7


def test_clients_are_counted_at_one_of_two_runs_of_a_name() -> None:
    """This process gave a run away and takes it up itself: whoever follows it was counted at what was given
    away, and would have been so for good."""
    given, executed = _run(), _run()
    clients = list[str]()
    for name, run in (("given", given), ("executed", executed)):
        run.join = partial(clients.append, f"{name} +")
        run.leave = lambda reason, *, returns, name=name: clients.append(f"{name} -")
    known = [given]
    air = Air()
    followers = Followers(NewsChannel(air), Hub(), lambda _: known[-1])
    air.said(RunFollowed("r", "b", has_clients=True))
    known.append(executed)
    followers.count(executed)
    followers.count(executed)
    assert clients == ["given +", "executed +", "given -"]
    air.said(RunLeft("r", "b", shown=0))
    assert clients[3:] == ["executed -"]


async def test_whoever_follows_says_so_once_and_says_nothing_more_when_it_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(followers_module, "HANDED_ON_S", 0.0)
    run = _run(is_followed=True)
    air, hub = Air(), Hub()
    channel = NewsChannel(air)
    followers = Followers(channel, hub, lambda _: run)
    hub.started(run)
    # In the last place but one a client is handed on.
    for run.clients, is_long in ((1, False), (2, False), (0, True), (1, True), (0, False), (1, False)):
        run.when_attended(run)
        if is_long:
            async with asyncio.timeout(5):
                while (run.id in followers._here) != bool(run.clients):  # noqa: ASYNC110 - nobody tells of it
                    await asyncio.sleep(0.001)
    run.result = "an end"
    hub.ended(run)
    run.when_attended(run)
    told = [msgspec.msgpack.decode(news) for news in air.announced]
    assert [news.get("has_clients", news["type"]) for news in told] == [False, True, False, True, "left"]
    assert {news["by"] for news in told} == {channel.me}


def _run(*, is_followed: bool = False) -> Any:
    request = SimpleNamespace(detached=None, origin=SimpleNamespace(owner="o"), session_key=None)
    readers = SimpleNamespace(shown=0)
    return SimpleNamespace(
        id="r", is_followed=is_followed, is_mirrored=is_followed, result=None, begun=None, request=request,
        clients=0, readers=readers, when_attended=None, waits_elsewhere=False,
    )  # fmt: skip

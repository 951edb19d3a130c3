"""`sessions.search`: what was said is found by its owner, and a search never looks for long."""

import asyncio
from collections.abc import Sequence

import pytest

from openclaw_gateway.gateway.principal import OPERATOR, Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.sessions import search_walk
from openclaw_gateway.sessions.places import place_of
from openclaw_gateway.sessions.search_walk import Slice, walk
from openclaw_gateway.sessions.searched import Hit, Searched, SearchWanted
from openclaw_gateway.sessions.searching import folded, holds, words_of
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.wire.messages import UserMessage
from tests.ws.peer import Peer, connected
from tests.ws.test_methods import say

HIT = Hit("s", "r:1", "user", 0, "", 1)


async def test_what_was_said_is_found_and_can_be_forked_from(models: ModelServer, peer: Peer) -> None:
    models.enqueue(says("Поезд идёт в 9:15."), says("Nothing."))
    await say(peer, "When does the train to Осло leave?", sessionKey="trip")
    await say(peer, "hello", sessionKey="other")
    found = await peer.result("sessions.search", {"query": "ПОЕЗД"})
    (hit,) = found["results"]
    assert (hit["sessionKey"], hit["role"], hit["snippet"], found["truncated"]) == (
        "agent:main:trip",
        "assistant",
        "Поезд идёт в 9:15.",
        False,
    )
    history = await peer.result("chat.history", {"sessionKey": "trip"})
    answer = history["messages"][1]
    assert (hit["messageId"], hit["timestamp"]) == (answer["__openclaw"]["id"], answer["timestamp"])
    (hit,) = (await peer.result("sessions.search", {"query": "осло train", "sessionKeys": ["trip"]}))[
        "results"
    ]
    forked = await peer.result("sessions.fork", {"sessionKey": "trip", "entryId": hit["messageId"]})
    assert forked["editorText"] == "When does the train to Осло leave?"
    nothing = await peer.result("sessions.search", {"query": "train", "sessionKeys": ["other"]})
    assert nothing == {"results": [], "truncated": False}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"query": " \n"}, "blank"),
        ({"query": " ".join(map(str, range(17)))}, "more than 16 words"),
        ({"query": "x", "agentId": "../"}, "agentId"),
        ({"query": "x" * 4097}, "query"),
        ({"query": "x", "sessionKeys": []}, "sessionKeys"),
        ({"query": "x", "limit": 0}, "limit"),
        ({}, "'query'"),
    ],
)
async def test_what_cannot_be_searched_for_is_refused(
    peer: Peer, params: dict[str, object], said: str
) -> None:
    error = await peer.error("sessions.search", params)
    assert error["message"].startswith("invalid sessions.search params")
    assert said in error["message"]


async def test_two_owners_never_find_what_is_the_others(
    gateway: RunningGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    another = Principal("another", OPERATOR.scopes)
    async with connected(gateway) as mine:
        await say(mine, "my secret", sessionKey="talk")
        with monkeypatch.context() as patch:
            patch.setattr(Gateway, "authenticate", lambda *_: another)
            async with connected(gateway) as theirs:
                await say(theirs, "their secret", sessionKey="talk", idempotencyKey="theirs")
                for peer, word in ((mine, "my"), (theirs, "their")):
                    for params in ({}, {"sessionKeys": ["talk", "agent:main:talk"]}, {"agentId": "main"}):
                        found = await peer.result("sessions.search", {"query": "secret", **params})
                        assert {hit["snippet"].split()[-2] for hit in found["results"]} == {word}


async def test_what_is_found_is_bounded_and_the_newest(gateway: RunningGateway, peer: Peer) -> None:
    store = gateway.gateway._store
    turn = tuple(UserMessage(f"needle {number} " + "x" * 40_000) for number in range(40))
    for session in ("old", "new"):
        begun = await store.begin(NewRun(session, "operator", f"agent:main:{session}", "main"), lease_s=15)
        assert isinstance(begun, Claimed)
        await store.finish(begun.claim, Ending("completed", turn=turn))
    found = await peer.result("sessions.search", {"query": "needle", "limit": 1000})
    assert (len(found["results"]), found["truncated"]) == (25, True)
    assert found["results"][0]["snippet"].startswith("needle 39 xxx")
    assert all(len(hit["snippet"]) <= 202 for hit in found["results"])
    (only,) = (await peer.result("sessions.search", {"query": "needle 7"}))["results"][:1]
    assert only["sessionKey"] == "agent:main:new"


async def test_a_search_ends_at_each_of_its_bounds() -> None:
    looked: list[tuple[str, int | None]] = []
    now = [0.0]

    async def look(key: str, before: int | None) -> Slice:
        looked.append((key, before))
        now[0] += 1
        return Slice((HIT,), (before or 9) - 1, 1 << 20)

    async def went(keys: Sequence[str], limit: int, clock: float) -> tuple[int, int, bool]:
        looked.clear()
        now[0] = 0.0
        found = await walk(keys, look, limit, lambda: now[0] * clock)
        return len(looked), len(found.hits), found.is_all

    assert await went(["a", "b"], 5, 0.0) == (6, 5, False)
    assert await went(["a", "b"], 1_000, 1.0) == (4, 4, False), "3 seconds"
    assert await went(["a", "b"], 1_000, 0.0) == (64, 64, False), "64 MB"
    assert looked[0] == ("a", None)
    assert looked[1] == ("a", 8)


async def test_more_sessions_than_a_search_looks_at_are_said_to_be_left() -> None:
    async def look(key: str, before: int | None) -> Slice:
        return Slice((), None, 0, is_whole=key != "damaged")

    most = search_walk.MOST_SESSIONS
    assert (await walk(["s"] * most, look, 5)).is_all
    assert not (await walk(["s"] * (most + 1), look, 5)).is_all
    assert not (await walk(["damaged"], look, 5)).is_all


async def test_only_so_many_search_at_once(
    gateway: RunningGateway, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = gateway.gateway.session_search
    going, most = [0], [0]
    gate = asyncio.Event()
    search = gateway.gateway._store.search

    async def slow(wanted: SearchWanted) -> Searched:
        going[0] += 1
        most[0] = max(*most, *going)
        await gate.wait()
        going[0] -= 1
        return await search(wanted)

    with monkeypatch.context() as patch:
        patch.setattr(room._store, "search", slow)
        asked = [asyncio.create_task(room.search(OPERATOR, ("x",), limit=1)) for _ in range(5)]
        await peer.result("health")
        gate.set()
        assert all(found.is_all for found in await asyncio.gather(*asked))
    assert (most, going) == ([2], [0])


def test_words_are_compared_without_case_in_pieces() -> None:
    assert words_of(" Straße  strasse ") == ("strasse",)
    text = "İ" * 70_000 + "ß"
    assert folded(text) == text.casefold()
    assert holds(text, words_of("SS"))
    assert place_of("a:b:7") == ("a:b", 7)

"""What was said in a session is read from either end, and behind a place only from there on. Reads are
counted."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from openclaw_gateway.gateway.held import said_turns
from openclaw_gateway.gateway.held.said_turns import AT_ONCE, SaidTurns
from openclaw_gateway.sessions.store import Claimed, Ending, Entry, NewRun
from openclaw_gateway.testing.memory_store import MemoryStore
from openclaw_gateway.wire.messages import Message, UserMessage, assistant

ME, KEY = "operator", "agent:main:x"
TURNS = 200
PAGE = 10


class Counting(MemoryStore):
    count = 0

    async def transcript(self, *args: Any, **more: Any) -> tuple[Entry, ...]:
        found = await super().transcript(*args, **more)
        self.count += len(found)
        return found


async def turn(store: MemoryStore, name: str, *, size: int = 2, keeps: int | None = None) -> None:
    begun = await store.begin(NewRun(name, ME, KEY, "main"), lease_s=30)
    assert isinstance(begun, Claimed)
    said: tuple[Message, ...] = (
        UserMessage("hi"),
        *[assistant(f"{name} {number}") for number in range(size - 1)],
    )
    await store.finish(begun.claim, Ending("completed", turn=said, keeps=keeps))


@pytest.fixture
async def store() -> AsyncIterator[Counting]:
    store = Counting()
    await store.open()
    for number in range(TURNS):
        await turn(store, f"r{number}")
    yield store
    await store.close()


async def page(said: SaidTurns, first: str | None, *, newest_first: bool) -> list[Sequence[Entry]]:
    found: list[Sequence[Entry]] = []
    async for entries in said.turns(ME, KEY, first=first, newest_first=newest_first):
        found.append(entries)
        if len(found) == PAGE:
            break
    return found


@pytest.mark.parametrize("newest_first", [True, False])
async def test_all_pages_together_read_a_session_a_few_times_and_each_only_itself(
    store: Counting, newest_first: bool
) -> None:
    said = SaidTurns(store)
    names: list[str] = []
    while True:
        store.count = 0
        found = await page(said, names[-1] if names else None, newest_first=newest_first)
        assert store.count <= 2 * AT_ONCE + 3
        names += [entries[0].run_id for entries in found[bool(names) :]]
        if len(found) < PAGE:
            break
    there = [f"r{number}" for number in range(TURNS)]
    assert names == (there[::-1] if newest_first else there)


async def test_a_turn_longer_than_a_read_is_whole_from_both_ends(store: Counting) -> None:
    await turn(store, "long", size=3 * AT_ONCE)
    await turn(store, "last")
    said = SaidTurns(store)
    assert len(await said.turn(ME, KEY, "long")) == 3 * AT_ONCE
    _, long, *_ = await page(said, None, newest_first=True)
    assert [entry.seq for entry in long] == list(range(2 * TURNS + 1, 2 * TURNS + 1 + 3 * AT_ONCE))
    forward = await page(said, "long", newest_first=False)
    assert [len(entries) for entries in forward] == [3 * AT_ONCE, 2]


@pytest.mark.parametrize("newest_first", [True, False])
async def test_where_a_turn_was_is_not_believed(store: Counting, newest_first: bool) -> None:
    """The session was left in the middle of one, and others stand where those behind it stood."""
    said = SaidTurns(store)
    assert len(await said.turn(ME, KEY, "r150")) == 2
    assert await said.turn(ME, KEY, "r160")
    await turn(store, "anew", keeps=2 * 150 + 1)
    (cut, *_) = await page(said, "r150", newest_first=newest_first)
    assert [entry.seq for entry in cut] == [2 * 150 + 1]
    assert await page(said, "r160", newest_first=newest_first) == []


async def test_what_nobody_has_been_shown_is_found_and_what_is_not_there_is_not(
    store: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said_turns, "MOST_PLACES", 3)
    said = SaidTurns(store)
    for newest_first in (True, False):
        found = await page(said, "r100", newest_first=newest_first)
        assert found[0][0].run_id == "r100"
        assert await page(said, "nobody", newest_first=newest_first) == []
    assert len(said._places) == 3
    assert await said.turn(ME, "agent:main:none", "r1") == ()

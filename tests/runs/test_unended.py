"""Ends that the store has not taken are told again, but not where another process ends the run."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from openclaw_gateway.errors import Fenced, StoreError
from openclaw_gateway.runs.unended import Unended
from openclaw_gateway.sessions.store import Ending

FAILED = Ending("failed")


class Refusing:
    def __init__(self, refusal: StoreError) -> None:
        self.refusal: StoreError | None = refusal
        self.concluded: list[tuple[str, int]] = []

    async def conclude(self, run_id: str, _: Ending, *, token: int) -> None:
        self.concluded.append((run_id, token))
        if self.refusal is not None:
            raise self.refusal


@pytest.mark.parametrize(("refusal", "told"), [(Fenced("taken up"), 1), (StoreError("away"), 2)])
async def test_the_end_of_a_run_that_another_has_is_not_told_again(refusal: StoreError, told: int) -> None:
    """That one may give it up, or this process take it up again: then it ended what was begun anew."""
    store: Any = Refusing(refusal)
    unended = Unended(store, lambda _: None)
    with suppress(Fenced):
        assert not await unended.conclude("r1", 7, FAILED)
    store.refusal = None
    for _ in range(2):
        await unended.catch_up()
    assert store.concluded == [("r1", 7)] * told


class Faltering:
    """It takes no end, and says so of the first one once another one has been told `meanwhile`."""

    def __init__(self) -> None:
        self.meanwhile: Callable[[], Awaitable[bool]] | None = None
        self.concluded: list[tuple[str, int]] = []

    async def conclude(self, run_id: str, _: Ending, *, token: int) -> None:
        self.concluded.append((run_id, token))
        if token == 7 and self.meanwhile is not None:
            await self.meanwhile()
            raise Fenced("taken up")
        raise StoreError("away")


async def test_an_older_end_of_a_run_takes_nothing_from_a_newer_one() -> None:
    """A process that has had a run twice tells both ends. One that nobody tells leaves it open for good."""
    store = Faltering()
    anything: Any = store
    unended = Unended(anything, lambda _: None)
    assert not await unended.conclude("r1", 7, FAILED)
    store.meanwhile = lambda: unended.conclude("r1", 9, FAILED)
    await unended.catch_up()
    store.concluded.clear()
    await unended.catch_up()
    assert store.concluded == [("r1", 9)]

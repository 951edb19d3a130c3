"""Documents that several processes go by: what they change at once is not lost, and each hears of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import asyncpg
import pytest

from openclaw_gateway.errors import InvalidRequest, StoreError
from openclaw_gateway.sessions import documents
from openclaw_gateway.sessions.documents import Documents, changed
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.sessions.shared import CONFIG_DOCUMENT, Document
from tests.engines.valkey import Valkey
from tests.sessions.test_postgres_store import PATIENT_S


class Process:
    """One of several, with what it has heard of the document `book`."""

    def __init__(self, url: str, bus: LocalBus | RedisBus) -> None:
        self.store = PostgresStore(url, begin_s=PATIENT_S)
        self.bus = bus
        self.documents = Documents(self.store, bus)
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def heard_of(self, text: str) -> None:
        async with asyncio.timeout(20):
            while await self.heard.get() != text:
                pass

    async def add(self, line: str) -> None:
        await self.documents.change("book", lambda text: (f"{text}{line}\n", None))


async def _begun(stack: AsyncExitStack, url: str, bus: LocalBus | RedisBus) -> Process:
    process = Process(url, bus)
    await process.store.open()
    stack.push_async_callback(process.store.close)
    await bus.open()
    stack.push_async_callback(bus.close)
    stack.push_async_callback(process.documents.close)
    await process.documents.follow("book", process.heard.put_nowait)
    return process


@pytest.fixture
async def two(store_url: str, valkey: Valkey) -> AsyncIterator[Sequence[Process]]:
    async with AsyncExitStack() as stack:
        yield [await _begun(stack, store_url, RedisBus(parsed(valkey.url))) for _ in range(2)]


async def test_a_change_at_one_is_heard_at_the_other(
    two: Sequence[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LOOK_EVERY_S", 300.0)
    one, other = two
    assert (one.heard.get_nowait(), other.heard.get_nowait()) == ("", "")
    await other.documents._look()
    await one.add("a")
    assert one.heard.get_nowait() == "a\n", "its own follower knows it once it is made"
    await other.heard_of("a\n")


async def test_without_a_bell_it_is_looked_for(store_url: str) -> None:
    async with AsyncExitStack() as stack:
        one, other = [await _begun(stack, store_url, LocalBus()) for _ in range(2)]
        await one.add("a")
        await other.heard_of("a\n")


@pytest.mark.parametrize("fault", [RuntimeError, asyncio.CancelledError])
async def test_it_is_looked_for_also_after_a_fault(
    store_url: str, monkeypatch: pytest.MonkeyPatch, fault: type[BaseException]
) -> None:
    async with AsyncExitStack() as stack:
        one, other = [await _begun(stack, store_url, LocalBus()) for _ in range(2)]
        failed = asyncio.Event()

        async def fail() -> None:
            monkeypatch.undo()
            failed.set()
            raise fault

        monkeypatch.setattr(other.documents, "_look", fail)
        async with asyncio.timeout(20):
            await failed.wait()
        await one.add("a")
        await other.heard_of("a\n")


async def test_who_change_it_at_once_lose_nothing(two: Sequence[Process]) -> None:
    await asyncio.gather(*(two[n % 2].add(str(n)) for n in range(12)))
    document = await two[0].store.document("book")
    assert sorted(document.text.split(), key=int) == [str(n) for n in range(12)]
    assert document.version == 12
    for process in two:
        await process.heard_of(document.text)


async def test_what_says_no_changes_nothing(two: Sequence[Process]) -> None:
    one, _ = two

    def refuse(text: str) -> tuple[str, None]:
        raise InvalidRequest("no")

    with pytest.raises(InvalidRequest):
        await one.documents.change("book", refuse)
    assert await one.documents.change("book", lambda text: (None, text)) == ""
    assert await one.store.document("book") == Document(0, "")


async def test_what_was_found_is_told_of_before_it_is_changed(two: Sequence[Process]) -> None:
    """So that who decides knows what the others have done meanwhile."""
    one, other = two
    await changed(other.store, "book", lambda _: ("theirs", None))
    known: list[str] = []

    def look(text: str) -> tuple[None, None]:
        while not one.heard.empty():
            known.append(one.heard.get_nowait())
        return None, None

    await one.documents.change("book", look)
    assert known[-1] == "theirs"


async def test_while_the_store_is_away_what_is_known_goes_on(
    two: Sequence[Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    await one.add("a")
    await other.heard_of("a\n")
    looked, reads = asyncio.Event(), 0

    async def away() -> dict[str, int]:
        nonlocal reads
        reads += 1
        if reads > 1:
            looked.set()
        raise StoreError("away")

    with monkeypatch.context() as patch:
        patch.setattr(other.store, "document_versions", away)
        await one.add("b")
        async with asyncio.timeout(20):
            await looked.wait()
        assert other.heard.empty()
    await other.heard_of("a\nb\n")


async def test_releases_of_before_go_on_with_the_one_document_they_know(store_url: str) -> None:
    """Word for word what they send."""
    store = PostgresStore(store_url, begin_s=PATIENT_S)
    await store.open()
    db = await asyncpg.connect(store_url)
    read = "SELECT version, text FROM documents"
    first = (
        "INSERT INTO documents (version, text) VALUES (1, $1) ON CONFLICT (one) DO NOTHING RETURNING version"
    )
    write = "UPDATE documents SET version = version + 1, text = $1 WHERE version = $2 RETURNING version"
    try:
        await store.write_document("devices", "d", replaces=0)
        assert await db.fetch(read) == []
        assert await db.fetchval(first, "one") == 1
        assert await db.fetchval(first, "two") is None
        assert await store.document(CONFIG_DOCUMENT) == Document(1, "one")
        assert await store.write_document(CONFIG_DOCUMENT, "two", replaces=1) == 2
        assert await db.fetchval(write, "three", 1) is None
        assert await db.fetchval(write, "three", 2) == 3
        assert [tuple(row) for row in await db.fetch(read)] == [(3, "three")]
        assert await store.document("devices") == Document(1, "d")
    finally:
        await db.close()
        await store.close()

"""A search in PostgreSQL finds what one in SQLite finds, in the same order, from the same entries."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from asyncpg import Connection

from openclaw_gateway.sessions.postgres import search as of_postgres
from openclaw_gateway.sessions.search_walk import Slice, walk
from openclaw_gateway.sessions.searched import Searched, SearchWanted
from openclaw_gateway.sessions.searching import words_of
from openclaw_gateway.sessions.sqlite import search as of_sqlite
from openclaw_gateway.sessions.sqlite.schema import connect as connect_sqlite
from openclaw_gateway.sessions.sqlite.schema import entry_id
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.sessions.stored import encode
from openclaw_gateway.wire.messages import SystemMessage, ToolMessage, UserMessage, assistant
from tests.sessions.postgres_database import connect, db

__all__ = ["connect", "db"]

SAID = (
    "Grüße aus der STRASSE, Straße",
    "İstanbul ISTANBUL istanbul",
    "Привет, мир",
    "今天天气很好 天气",
    'a "quoted" back\\slash and \0 nothing',
    "line one\nline two\ttabbed",
    "😀 emoji ﬁ ligature",
    "x" * 3_000 + " needle " + "y" * 3_000,
)
QUERIES = (
    "strasse",
    "straße",
    "istanbul",
    "МИР",
    "天气",
    '"quoted" back\\slash',
    "line two",
    "fi",
    "😀",
    "needle",
    "of 4",
    "nowhere",
    "said needle",
)


async def fill(db: Connection, lite: sqlite3.Connection, keys: tuple[str, ...]) -> None:
    """The same in both: sessions of many messages, one begun anew in its middle, one with a damaged entry."""
    for number, key in enumerate(keys, 1):
        entries = []
        for seq in range(1, 61):
            text = SAID[(seq + number) % len(SAID)] + f" said of {number}"
            kinds = (UserMessage(text), assistant(text), ToolMessage("1", text), SystemMessage(text))
            entries.append((seq, encode(Entry(seq, f"r{seq}", kinds[seq % 4]))))
        if number == 2:
            entries[40] = (41, b'{"needle said of 2')
        row = ("o", key, "main", 1000 + number, 1000 + number, 60)
        await db.execute(
            "INSERT INTO sessions (number, owner, key, agent, created_ms, updated_ms, last_seq) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            number,
            *row,
        )
        lite.execute(
            "INSERT INTO sessions (number, owner, key, agent, created_ms, updated_ms, last_seq) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, *row),
        )
        for seq, body in entries:
            await db.execute(
                "INSERT INTO entries (session, seq, run, body) VALUES ($1, $2, '', $3)",
                number,
                seq,
                bytes(body),
            )
            lite.execute("INSERT INTO entries VALUES (?, ?)", (entry_id(number, seq), bytes(body)))
        run = (number, f"r{number}", "o", "main", "completed", 5000 + number, 6000 + number)
        await db.execute(
            "INSERT INTO runs (number, id, owner, agent, status, created_ms, ended_ms) "
            "VALUES ($1, $2, $3, $4, $5, $6, $7)",
            *run,
        )
        lite.execute(
            "INSERT INTO runs (number, id, owner, agent, status, created_ms, ended_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            run,
        )
    await db.execute("INSERT INTO summaries VALUES (1, 20, '', 1), (3, 30, 'not empty', 1)")
    lite.execute(
        "INSERT INTO summaries VALUES (?, '', 1), (?, 'not empty', 1)", (entry_id(1, 20), entry_id(3, 30))
    )


@pytest.mark.parametrize("slice_bytes", [1, 5_000, 256 << 10])
async def test_both_stores_find_the_same(
    db: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slice_bytes: int
) -> None:
    for module in (of_postgres, of_sqlite):
        monkeypatch.setattr(module, "_SLICE_BYTES", slice_bytes)
    keys = tuple(f"agent:main:{number}" for number in range(4))
    with closing(connect_sqlite(tmp_path / "s" / "sessions.sqlite", tmp_path / "s" / "blobs")) as lite:
        await fill(db, lite, keys)
        cursor = lite.cursor()
        for query in QUERIES:
            wanted = SearchWanted("o", words_of(query), 1_000)

            async def in_postgres(key: str, before: int | None, wanted: SearchWanted = wanted) -> Slice:
                return await of_postgres.slice_of(db, wanted, key, before)

            async def in_sqlite(key: str, before: int | None, wanted: SearchWanted = wanted) -> Slice:
                return of_sqlite.slice_of(cursor, wanted, key, before)

            one: Searched = await walk((*keys, "none"), in_postgres, wanted.limit)
            other = await walk((*keys, "none"), in_sqlite, wanted.limit)
            assert one == other, query
            assert await of_postgres.dated(db, "o", one.hits) == of_sqlite.dated(cursor, "o", other.hits)
            assert bool(one.hits) is (query != "nowhere"), query
        others = SearchWanted("p", words_of("said"), 9)
        assert await of_postgres.slice_of(db, others, keys[0], None) == Slice((), None, 0)
        assert await of_postgres.dated(db, "o", ()) == ()

"""A PostgreSQL store as the end of a copy, on one connection.

No replica may be at work with it. A database into which a copy is begun has a mark that keeps gateways away
until it is whole. All coroutines raise StoreError.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from asyncpg import Connection

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.copying import postgres_rows
from openclaw_gateway.sessions.copying.ends import Begun
from openclaw_gateway.sessions.copying.tables import Key, Numbers, Row, Table
from openclaw_gateway.sessions.postgres.address import shown
from openclaw_gateway.sessions.postgres.errors import translated
from openclaw_gateway.sessions.postgres.migration import migrate
from openclaw_gateway.sessions.postgres.sessions import clear_away
from openclaw_gateway.sessions.postgres.standing import patient
from openclaw_gateway.sessions.shared import CONFIG_DOCUMENT

_CLOSE_S = 5.0
# Of two that go on with the same copy one comes first. No lock of a connection: a pool may stand between.
_BEGIN = "INSERT INTO begun_copies (place) VALUES ($1) ON CONFLICT DO NOTHING RETURNING 1"
_GO_ON = "UPDATE begun_copies SET place = $2 WHERE place = $1 RETURNING 1"
_REPLICAS = "SELECT count(*) FROM replicas WHERE lease_until_ms > now_ms(NULL)"
_DOCUMENTS = f"named_documents WHERE name <> '{CONFIG_DOCUMENT}'"
_HOLDS_SOMETHING = "SELECT " + " OR ".join(  # noqa: S608
    f"EXISTS (SELECT 1 FROM {name})"  # noqa: S608
    for name in ("sessions", "runs", "ledger", "kept", "blob_contents", "graves", _DOCUMENTS)
)
_DROP = (
    "TRUNCATE sessions, runs, results, entries, summaries, kept, kept_labels, ledger, blobs, blob_contents, "
    "graves, begun_copies RESTART IDENTITY"
)
_decode_begun = msgspec.json.Decoder(Begun).decode


class PostgresEnd:
    """Either end. `url` may hold a password: it is shown to nobody."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.name = shown(url)
        self._connection: Connection | None = None
        self._place: bytes | None = None

    async def open(self) -> None:
        with _our_words():
            db = self._connection = await patient(self._url)
            await migrate(db)
            if replicas := await db.fetchval(_REPLICAS):
                raise StoreError(
                    f"{replicas} of the gateway's processes work with {self.name}: stop them first (one that "
                    "was killed counts for 15 more seconds).",
                    code="store_in_use",
                )
            while await clear_away(db):
                pass

    async def close(self) -> None:
        if self._connection is not None:
            with _our_words():
                await self._connection.close(timeout=_CLOSE_S)
            self._connection = None

    async def count(self, table: Table) -> int:
        with _our_words():
            return await postgres_rows.count(self._db, table)

    async def rows(self, table: Table, after: Key) -> Sequence[Row]:
        with _our_words():
            return await postgres_rows.rows(self._db, table, after)

    async def numbers(self) -> Numbers:
        with _our_words():
            return await postgres_rows.numbers(self._db)

    async def begun(self) -> Begun | None:
        with _our_words():
            self._place = await self._db.fetchval("SELECT place FROM begun_copies")
        return None if self._place is None else _decode_begun(self._place)

    async def is_empty(self) -> bool:
        with _our_words():
            return not await self._db.fetchval(_HOLDS_SOMETHING)

    async def begin(self, first: Begun) -> None:
        self._place = msgspec.json.encode(first)
        with _our_words():
            if not await self._db.fetchval(_BEGIN, self._place):
                raise self._other()

    async def write(self, table: Table, rows: Sequence[Row], begun: Begun) -> None:
        with _our_words():
            place = msgspec.json.encode(begun)
            async with self._db.transaction():
                if not await self._db.fetchval(_GO_ON, self._place, place):
                    raise self._other()
                await postgres_rows.write(self._db, table, rows)
            self._place = place

    async def drop(self) -> None:
        with _our_words():
            async with self._db.transaction():
                await self._db.execute(_DROP)
                await self._db.execute(f"DELETE FROM {_DOCUMENTS}")  # noqa: S608

    async def finish(self, numbers: Numbers) -> None:
        with _our_words():
            async with self._db.transaction():
                await postgres_rows.set_numbers(self._db, numbers)
                await self._db.execute("DELETE FROM begun_copies")
            await self._db.execute("ANALYZE")

    def _other(self) -> StoreError:
        return StoreError(
            f"Another copy into {self.name} is under way: wait for its end.", code="store_in_use"
        )

    @property
    def _db(self) -> Connection:
        if self._connection is None:
            raise StoreError("The store is closed.")
        return self._connection


@contextmanager
def _our_words() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        ours = translated(error)
        if ours is error:
            raise
        raise ours from error

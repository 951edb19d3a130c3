"""The rows of a PostgreSQL store, read and written as rows of any store, on a connection of the caller's.

What only this kind of store knows of sessions, runs and entries is filled in. Raises what the driver raises.
"""

from collections.abc import Sequence

import msgspec
from asyncpg import Connection
from msgspec import Struct

from openclaw_gateway.sessions.copying.ends import PART_BYTES, PART_ROWS
from openclaw_gateway.sessions.copying.tables import (
    CONTENTS,
    DOCUMENTS,
    ENTRIES,
    KEPT,
    RUNS,
    SESSIONS,
    Key,
    Numbers,
    Row,
    Table,
)
from openclaw_gateway.sessions.large import digest_of
from openclaw_gateway.sessions.shared import CONFIG_DOCUMENT

_DOCUMENTS = f"named_documents AS t WHERE name <> '{CONFIG_DOCUMENT}'"
_FROM = {
    CONTENTS.name: "blob_contents AS t WHERE EXISTS (SELECT 1 FROM blobs WHERE blobs.digest = t.digest) AND",
    DOCUMENTS.name: f"{_DOCUMENTS} AND",
}
# The next rows, as far as their bodies fit; a body that is not handed out is not read.
_ROWS = """
    SELECT {columns} FROM (
        SELECT t.*, sum({weight}) OVER (ORDER BY {key} ROWS UNBOUNDED PRECEDING) - {weight} AS before FROM (
            SELECT * FROM {table} ({key}) > ({places}) ORDER BY {key} LIMIT {most}
        ) AS t
    ) AS t WHERE before < {bytes} ORDER BY {key}
"""
_LABELS = "SELECT number, label FROM kept_labels WHERE number BETWEEN $1 AND $2"
_NUMBERS = """
    SELECT (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('sessions', 'number')), 0)),
        coalesce(pg_sequence_last_value('arrivals'), 0),
        (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('kept', 'number')), 0)),
        (SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('ledger', 'number')), 0))
"""


_AT_LEAST = "SELECT setval({sequence}, greatest($1, coalesce(pg_sequence_last_value({sequence}), 0)))"


class _OfRun(Struct):
    run_id: str = ""


_decode_run = msgspec.json.Decoder(_OfRun).decode


async def count(db: Connection, table: Table) -> int:
    match table.name:
        case CONTENTS.name:
            query = "SELECT count(DISTINCT digest) FROM blobs"
        case DOCUMENTS.name:
            query = f"SELECT count(*) FROM {_DOCUMENTS}"  # noqa: S608
        case _:
            query = f"SELECT count(*) FROM {table.name}"  # noqa: S608
    found: int = await db.fetchval(query)
    return found


async def rows(db: Connection, table: Table, after: Key) -> list[Row]:
    """The next ones behind a key, at most about PART_BYTES of them, and at least one where there is one."""
    query = _ROWS.format(
        columns=", ".join(f't."{column}"' for column in table.columns if column != "labels"),
        weight="0" if table.body is None else f"octet_length(t.{table.body})",
        key=", ".join(table.key),
        table=_FROM.get(table.name, f"{table.name} AS t WHERE"),
        places=", ".join(f"${place}" for place in range(1, len(after) + 1)),
        most=PART_ROWS,
        bytes=PART_BYTES,
    )
    found = [tuple(row) for row in await db.fetch(query, *after)]
    if table is RUNS:
        place = table.columns.index("abort_requested")
        return [(*row[:place], int(row[place]), *row[place + 1 :]) for row in found]
    if table is KEPT:
        return await _labelled(db, found)
    if table is CONTENTS:
        return [(digest, size, _whole(digest, body)) for digest, size, body in found]
    return found


def _whole(digest: str, body: bytes) -> bytes | None:
    return body if digest_of(body) == digest else None


async def _labelled(db: Connection, part: list[Row]) -> list[Row]:
    if not part:
        return []
    labels: dict[int, list[str]] = {}
    for number, label in await db.fetch(_LABELS, part[0][0], part[-1][0]):
        labels.setdefault(number, []).append(label)
    return [(*row, tuple(sorted(labels.get(row[0], ())))) for row in part]


async def write(db: Connection, table: Table, part: Sequence[Row]) -> None:
    """Inside a transaction that the caller commits."""
    if table is KEPT:
        await _insert(db, "kept", table.columns[:-1], [row[:-1] for row in part])
        labelled = [(row[1], label, row[0]) for row in part for label in row[-1]]
        await _insert(db, "kept_labels", ("owner", "label", "number"), labelled)
    elif table is CONTENTS:
        filled = [(digest, size, 0, body or b"") for digest, size, body in part]
        await _insert(db, "blob_contents", ("digest", "size", "touched_ms", "body"), filled)
    elif table is SESSIONS:
        token = table.columns.index("token")
        held = [(*row, row[token] or None) for row in part]
        await _insert(db, table.name, (*table.columns, "holder"), held)
    elif table is RUNS:
        place = table.columns.index("abort_requested")
        told = [(*row[:place], bool(row[place]), *row[place + 1 :], row[0]) for row in part]
        await _insert(db, table.name, (*table.columns, "token"), told)
    elif table is DOCUMENTS:
        await _insert(db, "named_documents", (*table.columns, "version"), [(*row, 1) for row in part])
    elif table is ENTRIES:
        await _insert(db, table.name, (*table.columns, "run"), [(*row, _run_of(row[2])) for row in part])
    else:
        await _insert(db, table.name, table.columns, part)


def _run_of(body: bytes) -> str:
    try:
        return _decode_run(body).run_id
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""  # a damaged one stays as it is


async def _insert(db: Connection, name: str, columns: Sequence[str], part: Sequence[Row]) -> None:
    await db.copy_records_to_table(name, records=part, columns=columns)


async def numbers(db: Connection) -> Numbers:
    return Numbers(*await db.fetchrow(_NUMBERS))


async def set_numbers(db: Connection, given: Numbers) -> None:
    """So that none is given again."""
    sequences = (
        ("pg_get_serial_sequence('sessions', 'number')", given.sessions),
        ("'arrivals'", given.runs),
        ("pg_get_serial_sequence('kept', 'number')", given.kept),
        ("pg_get_serial_sequence('ledger', 'number')", given.ledger),
    )
    for sequence, number in sequences:
        if number > 0:
            await db.execute(_AT_LEAST.format(sequence=sequence), number)

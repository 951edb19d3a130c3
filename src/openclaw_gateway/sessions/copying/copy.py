"""Copies all that one store holds into another, goes on where an earlier start ended, and checks what came.

Knows nothing of SQLite, PostgreSQL or terminals.
"""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.copying.ends import Begun, Source, Target
from openclaw_gateway.sessions.copying.tables import TABLES, Digest, Table

Step = Literal["copying", "checking"]
Tell = Callable[[Step, str, int, int], None]
"""Told of how many rows of a table a step has done, and of how many there are."""


class Copied(Struct, frozen=True):
    """From which end to which. `rows` and `digests` by table; `went_on`: a part was there from an earlier
    start."""

    source: str
    target: str
    rows: dict[str, int]
    digests: dict[str, str]
    went_on: bool


async def copy(source: Source, target: Target, tell: Tell, *, anew: bool = False) -> Copied:
    """Both are open. `anew`: what an earlier start wrote is dropped first. Raises StoreError (code
    "store_not_empty" | "copy_of_another" | "copy_differs")."""
    begun = await _begun(source, target, anew=anew)
    went_on = begun is not None
    if begun is None:
        begun = Begun(source.name, TABLES[0].name, TABLES[0].first)
        await target.begin(begun)
    names = [table.name for table in TABLES]
    for table in TABLES[names.index(begun.table) :]:
        if table.name != begun.table:
            begun = Begun(source.name, table.name, table.first)
        await _copy_table(source, target, table, begun, tell)
    rows, digests = {}, {}
    for table in TABLES:
        rows[table.name], digests[table.name] = await _checked(source, target, table, tell)
    await target.finish(await source.numbers())
    return Copied(source.name, target.name, rows, digests, went_on)


async def _begun(source: Source, target: Target, *, anew: bool) -> Begun | None:
    begun = await target.begun()
    if begun is None:
        if not await target.is_empty():
            raise StoreError(
                f"{target.name} is not empty, and nothing in it is overwritten: name an empty store.",
                code="store_not_empty",
            )
        return None
    if anew:
        await target.drop()
        return None
    if begun.source != source.name:
        raise StoreError(
            f"{target.name} is a begun copy of {begun.source}: go on with that one (--from), or say --anew.",
            code="copy_of_another",
        )
    return begun


async def _copy_table(source: Source, target: Target, table: Table, begun: Begun, tell: Tell) -> None:
    of, done, after = await source.count(table), begun.done, begun.after
    tell("copying", table.name, done, of)
    while rows := await source.rows(table, after):
        after = table.key_of(rows[-1])
        done += len(rows)
        await target.write(table, rows, Begun(source.name, table.name, after, done))
        tell("copying", table.name, done, of)


async def _checked(source: Source, target: Target, table: Table, tell: Tell) -> tuple[int, str]:
    """How many rows there are, and their digest, the same at both ends. Raises StoreError."""
    of = await source.count(table)
    count, there = await _digest(source, table, lambda done: tell("checking", table.name, done // 2, of))
    come, here = await _digest(
        target, table, lambda done: tell("checking", table.name, (count + done) // 2, of)
    )
    tell("checking", table.name, of, of)
    if (count, there) != (come, here):
        raise StoreError(
            f"{table.name} did not come as they are: {count:,} rows in {source.name}, {come:,} in "
            f"{target.name}, or others. If somebody wrote to {source.name} between two starts, copy it again "
            "from the beginning (--anew).",
            code="copy_differs",
        )
    return count, here


async def _digest(end: Source, table: Table, tell: Callable[[int], None]) -> tuple[int, str]:
    digest, count, after = Digest(), 0, table.first
    while rows := await end.rows(table, after):
        digest.add(rows)
        count += len(rows)
        after = table.key_of(rows[-1])
        tell(count)
    return count, str(digest)

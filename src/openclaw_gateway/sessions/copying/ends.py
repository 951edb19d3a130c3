"""The two ends of a copy, as protocols: where rows come from, and where they go.

All coroutines raise StoreError.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from openclaw_gateway.sessions.copying.tables import Key, Numbers, Row, Table

PART_BYTES = 4 << 20
PART_ROWS = 2_000


class Begun(Struct, frozen=True):
    """How far a copy has come: all of the tables before `table`, and of that `done` rows, up to `after`.
    `source` tells the end it comes from, without its secrets."""

    source: str
    table: str
    after: tuple[int | str, ...]
    done: int = 0


class Source(Protocol):
    name: str
    """What it is, to be shown to people and to be known again: no secret."""

    async def open(self) -> None:
        """Bring it to this release's schema, close what a dead process left open, clear away what is deleted;
        nobody else writes from now on. Raises StoreError where a gateway is at work with it."""

    async def close(self) -> None: ...

    async def count(self, table: Table) -> int: ...

    async def rows(self, table: Table, after: Key) -> Sequence[Row]:
        """The next rows behind this key, so many that they fit into memory; none = that was all."""

    async def numbers(self) -> Numbers: ...


class Target(Source, Protocol):
    async def begun(self) -> Begun | None:
        """What an earlier start has written into it; None = nothing."""

    async def is_empty(self) -> bool: ...

    async def begin(self, first: Begun) -> None:
        """From now on it is a begun copy, which no gateway takes for a store."""

    async def write(self, table: Table, rows: Sequence[Row], begun: Begun) -> None:
        """These rows and how far it has come, both or none."""

    async def drop(self) -> None:
        """All that a begun copy has written."""

    async def finish(self, numbers: Numbers) -> None:
        """From now on it is a store."""

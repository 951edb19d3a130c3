"""What a store holds, as rows that do not depend on which kind of store it is.

Pure. A row is a tuple of the columns in their order; the first of them are its key, by which a table is read,
in order. Texts are str, encoded things bytes, times and sizes int. What only one kind of store knows (leases,
who executes a run) is not among them: nothing is held or executed while a store is copied.
"""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

# int | float | str | bytes | None | tuple of str, as the column wants it.
Row = tuple[Any, ...]
Key = tuple[int | str, ...]

_encode = msgspec.msgpack.Encoder().encode


class Table(NamedTuple):
    """`first` is a key before all others. `body` is the column that may be large."""

    name: str
    columns: tuple[str, ...]
    first: Key
    body: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return self.columns[: len(self.first)]

    def key_of(self, row: Row) -> Key:
        return row[: len(self.first)]


SESSIONS = Table(
    "sessions",
    (
        "number",
        "owner",
        "key",
        "agent",
        "user",
        "parent",
        "label",
        "created_ms",
        "updated_ms",
        "last_seq",
        "covered_seq",
        "size",
        "tail",
        "token",
        "waiting",
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
    ),
    (-1,),
)
RUNS = Table(
    "runs",
    (
        "number",
        "id",
        "owner",
        "session",
        "agent",
        "parent",
        "idempotency_key",
        "digest",
        "status",
        "abort_requested",
        "created_ms",
        "ended_ms",
        "usage",
        "error",
        "final_seq",
        "next_run",
    ),
    (-1,),
)
RESULTS = Table("results", ("number", "kept_ms", "body"), (-1,), "body")
ENTRIES = Table("entries", ("session", "seq", "body"), (-1, -1), "body")
SUMMARIES = Table("summaries", ("session", "seq", "text", "created_ms"), (-1, -1), "text")
# `labels` in their order.
KEPT = Table("kept", ("number", "owner", "name", "kept_ms", "body", "labels"), (-1,), "body")
LEDGER = Table(
    "ledger",
    (
        "number",
        "run",
        "owner",
        "agent",
        "session",
        "model",
        "door",
        "status",
        "started_ms",
        "duration_ms",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "error_code",
        "parent",
        "cached_tokens",
        "cache_write_tokens",
        "called",
    ),
    (-1,),
)
# What is large beside the entries; `body` None = it is lost.
CONTENTS = Table("contents", ("digest", "size", "body"), ("",), "body")
BLOBS = Table("blobs", ("session", "digest", "size"), (-1, ""))

# What the operator has decided, for all processes; the configuration is not among them.
DOCUMENTS = Table("documents", ("name", "text"), ("",), "text")

# In the order in which they are copied: what is named comes before what names it, and what may be refused
# comes first.
TABLES = (DOCUMENTS, SESSIONS, RUNS, RESULTS, ENTRIES, SUMMARIES, KEPT, LEDGER, CONTENTS, BLOBS)


class Numbers(NamedTuple):
    """The highest numbers that a store has given so far: none is given a second time."""

    sessions: int
    runs: int
    kept: int
    ledger: int


class Digest:
    """Of all rows of a table, one after another, whichever store they come from."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def add(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._sum.update(_encode(row))

    def __str__(self) -> str:
        return self._sum.hexdigest()

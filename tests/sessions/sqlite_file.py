"""What is in a file of the SQLite store, read beside it: for what no caller of the store asks."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any


def rows(path: Path, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(query, parameters).fetchall()


def runs(path: Path) -> Mapping[str, str]:
    """The status of every run that is recorded, by its id."""
    return dict(rows(path, "SELECT id, status FROM runs"))


def files(path: Path) -> list[Path]:
    """The files beside the entries."""
    return sorted(path.with_name("blobs").glob("??/*"))


def check(path: Path) -> None:
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]

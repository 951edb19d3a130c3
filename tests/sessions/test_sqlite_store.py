"""SqliteStore: the contract over a file."""

import sqlite3
from pathlib import Path

import pytest

from openclaw_gateway.sessions.sqlite import kept
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.wanted import Given, WantedNames
from tests.sessions.key_contract import KeyContract
from tests.sessions.retention_contract import RetentionContract
from tests.sessions.spending_contract import SpendingContract
from tests.sessions.store_contract import MAX_QUEUED, Clock, NewStore, StoreContract


def test_a_list_of_what_is_kept_reads_no_more_than_a_page() -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    cursor = db.cursor()
    cursor.execute("CREATE TABLE sessions (owner TEXT, key TEXT)")
    for statement in kept.TABLES:
        cursor.execute(statement)
    cursor.execute("BEGIN")
    for number in range(10_000):
        labels = ("all", "odd" if number % 2 else "even")
        kept.keep(cursor, Given("o", str(number), b"", labels), number)
    cursor.execute("COMMIT")
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    db.set_progress_handler(count, 100)
    wanted = WantedNames("o", ("odd", "all"), "5001", 3, newest_first=True)
    assert kept.names(cursor, wanted) == ("4999", "4997", "4995")
    db.close()
    assert steps < 10


class TestSqliteStore(StoreContract, KeyContract, RetentionContract, SpendingContract):
    @pytest.fixture
    def new_store(self, tmp_path: Path) -> NewStore:
        def new_store(clock: Clock) -> SqliteStore:
            return SqliteStore(
                tmp_path / "gateway" / "sessions.sqlite",
                max_queued=MAX_QUEUED,
                clock=clock,
                lease_clock=clock,
            )

        return new_store

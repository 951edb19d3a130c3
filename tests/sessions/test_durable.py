"""What a commit is worth: the file is written as it must be to outlive a power cut."""

from pathlib import Path

import pytest

from openclaw_gateway.sessions.sqlite.schema import connect

# SQLite's own number for FULL: in a write-ahead log, an fsync at every commit.
FULL = 2


@pytest.mark.promise("accepted-is-on-disk", "turn-before-end")
def test_every_commit_is_an_fsync(tmp_path: Path) -> None:
    db = connect(tmp_path / "sessions.sqlite", tmp_path / "blobs")
    try:
        assert db.execute("PRAGMA synchronous").fetchone() == (FULL,)
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    finally:
        db.close()

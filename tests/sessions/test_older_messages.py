"""Conversations of the release before, whose messages had no order: they are read as they are, and go on.

`data/schema_2.sqlite` was written by commit 5457e3c:

    claimed = await store.begin(NewRun("r1", "operator", "agent:main:main", "main"), lease_s=30)
    await store.finish(claimed.claim, Ending("completed", Usage(1, 1, 2), (
        U("Look.", images=(Image("image/png", "iVBORw0KGgo="),)),
        A("Let me.", (ToolCall("c1", "read", '{"path": "a"}'),), reasoning="hm",
          blocks=(ReasoningBlock("anthropic-messages", "hm", "sig"),)),
        T("c1", "text", "read", own=True), A("It says text.", name="bot"))))
    claimed = await store.begin(NewRun("r2", "operator", "agent:main:main", "main"), lease_s=30)
    await store.finish(claimed.claim, Ending("aborted", Usage(1, 1, 2), (U("And?"), A("So", aborted=True))))
"""

import shutil
import sqlite3
from pathlib import Path

import pytest

from openclaw_gateway.sessions.sqlite.schema import SCHEMA_VERSION
from openclaw_gateway.sessions.sqlite.store import SqliteStore
from openclaw_gateway.sessions.store import Claimed, Ending, NewRun
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Image,
    MadeBy,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    assistant,
)
from openclaw_gateway.wire.run import Usage

OLD = Path(__file__).with_name("data") / "schema_2.sqlite"
MAIN = "agent:main:main"
WAS_SAID = (
    UserMessage("Look.", images=(Image("image/png", "iVBORw0KGgo="),)),
    assistant("Let me.", (ToolCall("c1", "read", '{"path": "a"}'),), "hm"),
    ToolMessage("c1", "text", "read", own=True),
    assistant("It says text.", name="bot"),
    UserMessage("And?"),
    assistant("So", aborted=True),
)
# In today's shape, with all that there was no place for.
NEW = AssistantMessage(
    (Text("Well."), Reasoning("hm"), Text("Yes.")), made_by=MadeBy("acme", "openai-completions", "m")
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return Path(shutil.copy(OLD, tmp_path / "sessions.sqlite"))


async def test_nothing_is_lost_and_the_conversation_goes_on(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    try:
        claimed = await store.begin(NewRun("r3", "operator", MAIN, "main"), lease_s=30)
        assert isinstance(claimed, Claimed)
        assert claimed.transcript is not None
        assert tuple(entry.message for entry in claimed.transcript.entries) == WAS_SAID
        said = (UserMessage("So?"), NEW)
        await store.finish(claimed.claim, Ending("completed", Usage(1, 1, 2), said))
        entries = await store.transcript("operator", MAIN)
        assert tuple(entry.message for entry in entries) == (*WAS_SAID, *said)
    finally:
        await store.close()


async def test_a_damaged_one_costs_itself(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE entries SET body = x'7b' WHERE id = (SELECT min(id) + 1 FROM entries)")
    db.close()
    store = SqliteStore(path)
    await store.open()
    try:
        entries = await store.transcript("operator", MAIN)
    finally:
        await store.close()
    assert "damaged" in entries[1].message.content
    assert [entry.message for entry in entries[2:]] == list(WAS_SAID[2:])


async def test_the_release_before_cannot_read_it_and_has_its_own_until_the_first_clean_stop(
    path: Path,
) -> None:
    kept = path.with_name("sessions.sqlite.bak")
    store = SqliteStore(path)
    await store.open()
    with sqlite3.connect(kept) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)
    db.close()
    await store.close()
    assert not kept.exists()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
    db.close()

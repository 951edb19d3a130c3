"""Any text of Unicode comes back from PostgreSQL as it was, and is the same text there only if it is here."""

import pytest
from asyncpg import Connection, DataError
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.sessions.postgres import kept
from openclaw_gateway.sessions.postgres.texts import read, written
from openclaw_gateway.sessions.wanted import Given, WantedNames
from tests.sessions.postgres_database import connect, db

__all__ = ["connect", "db"]

TEXTS = (
    "",
    "a",
    "\0",
    "\\",
    "\\0",
    "\\\\0",
    "\0\\0\\\0",
    "Привет",
    "天气 \U0001f600",
    "e\u0301",
    "\u2028\x7f",
    "'\"$1",
)


@given(st.text(st.sampled_from("\0\\0a")), st.text(st.sampled_from("\0\\0a")))
def test_no_two_texts_are_written_alike(one: str, other: str) -> None:
    assert read(written(one)) == one
    assert "\0" not in written(one)
    assert (written(one) == written(other)) is (one == other)
    assert written(one + other) == written(one) + written(other), "as the database puts texts together"


async def test_names_and_labels_of_any_characters_are_told_apart(db: Connection) -> None:
    for text in TEXTS:
        await kept.keep(db, Given(text, text, text.encode(), ("all", text)), 1)
    for text in TEXTS:
        assert await kept.kept(db, text, text) == text.encode()
        assert await kept.names(db, WantedNames(text, (text, "all"), None, 9, newest_first=False)) == (text,)
        assert await kept.forget(db, text, text)
    assert await db.fetchval("SELECT count(*) FROM kept_labels") == 0


async def test_what_is_no_unicode_is_refused(db: Connection) -> None:
    for given_ in (Given("o", "\ud800", b"", ()), Given("o", "a", b"", ("\udfff",))):
        with pytest.raises(DataError) as caught:
            await kept.keep(db, given_, 1)
        assert isinstance(caught.value.__cause__, UnicodeEncodeError)
    assert await kept.kept(db, "o", "a") is None, "nothing of it is kept"

"""How texts stand in PostgreSQL, which knows no character U+0000: as they are, but for two characters.

A backslash is written twice, and U+0000 as a backslash and a zero. So every text comes back as it was, two
texts are equal in the database exactly where they are equal here, and almost all of them can be read in psql.
A lone surrogate is no Unicode text and is refused, as SQLite's store does (code "store_rejected").

Every connection of the store does this by itself (`use_texts`). It holds for parameters and columns of the
type `text`; a constant in a statement must not have a backslash in it, and a list of texts goes as `text[]`
through `written_list`.
"""

import re
from collections.abc import Iterable
from typing import Any

import asyncpg

_ESCAPED = re.compile(r"\\[\\0]")
_MEANT = {"\\\\": "\\", "\\0": "\0"}


def written(text: str) -> str:
    """As it stands in the database."""
    if "\\" not in text and "\0" not in text:
        return text
    return text.replace("\\", "\\\\").replace("\0", "\\0")


def read(text: str) -> str:
    """What `written` was given."""
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda found: _MEANT[found[0]], text)


def written_list(texts: Iterable[str]) -> list[str]:
    """For a parameter of the type text[]: the driver writes its elements by itself."""
    return [written(text) for text in texts]


def written_gaps(texts: Iterable[str | None]) -> list[str | None]:
    """The same, where some are missing."""
    return [None if text is None else written(text) for text in texts]


async def use_texts(connection: "asyncpg.Connection[Any]") -> None:
    """To be called once for each new connection."""
    await connection.set_type_codec(
        "text", schema="pg_catalog", encoder=_encoded, decoder=_decoded, format="binary"
    )


def _encoded(text: str) -> bytes:
    """Raises UnicodeEncodeError for a lone surrogate; the driver makes a DataError of it."""
    return written(text).encode()


def _decoded(data: bytes) -> str:
    return read(bytes(data).decode("utf-8", "replace"))

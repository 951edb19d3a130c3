"""What is looked for in transcripts, and what is found. Pure data."""

from msgspec import Struct


class SearchWanted(Struct, frozen=True):
    """`words` are folded (`words_of`); `agent` None = any, `sessions` None = all of the owner's."""

    owner: str
    words: tuple[str, ...]
    limit: int
    agent: str | None = None
    sessions: tuple[str, ...] | None = None


class Hit(Struct, frozen=True):
    """A message that holds the words; `at_ms` is when it was said, Unix milliseconds."""

    session: str
    place: str
    role: str
    at_ms: int
    snippet: str
    score: int


class Searched(Struct, frozen=True):
    """`is_all`: there is nothing that was not looked at."""

    hits: tuple[Hit, ...]
    is_all: bool

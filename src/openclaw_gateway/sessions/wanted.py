"""What every kind of store hands in one piece to those who know its database: which rows are wanted, what is
to be kept. Pure data.
"""

from typing import NamedTuple


class WantedSessions(NamedTuple):
    """Which sessions to list. `agent` None = any; `after` is the key of the one that they stand behind."""

    owner: str
    agent: str | None
    limit: int
    offset: int
    after: str | None = None
    oldest_first: bool = False
    branches: bool = True


class WantedRuns(NamedTuple):
    """Which runs of a session to list; `after` is the id of the one that they stand behind."""

    owner: str
    session: str
    after: str | None
    limit: int
    newest_first: bool


class WantedNames(NamedTuple):
    """Which names to list: of what has all these labels, of which there is at least one; behind the name
    `after`."""

    owner: str
    labels: tuple[str, ...]
    after: str | None
    limit: int
    newest_first: bool


class Given(NamedTuple):
    """What is to be kept."""

    owner: str
    name: str
    body: bytes
    labels: tuple[str, ...]

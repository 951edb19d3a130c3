"""How a store stands, for the people who run it. Pure data."""

from msgspec import Struct

from openclaw_gateway.sessions.shared import Replica


class Standing(Struct, frozen=True):
    """`schema` is what it has, 0 = it is not made yet; `newest` what this release would bring it to. `size`
    is in bytes, of all that it takes. `documents` are the names of what all
    processes go by. `trouble` is why it takes no writes, "" = it does."""

    kind: str
    place: str
    schema: int
    newest: int
    size: int = 0
    sessions: int = 0
    open_runs: int = 0
    replicas: tuple[Replica, ...] = ()
    trouble: str = ""
    documents: tuple[str, ...] = ()

"""What a gateway knows of its other processes: their runs, and how those are told of here."""

from msgspec import Struct

from openclaw_gateway.runs.elsewhere.following import Following
from openclaw_gateway.runs.elsewhere.neighbours import Neighbours
from openclaw_gateway.sessions.shared import SharedStore


class Peers(Struct, frozen=True):
    store: SharedStore
    following: Following
    neighbours: Neighbours

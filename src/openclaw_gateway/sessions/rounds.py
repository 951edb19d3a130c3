"""The KeptRounds protocol: what runs without a session have said that their clients never saw.

A run that ends with calls of its client's tools goes on with the client's next request, wherever that is
executed. Live: it may be lost, and then the conversation goes on without it. Rules every implementation keeps
(tests/sessions/rounds_contract.py):
- when `keep` has returned, any process finds it, as far as the engine takes it: nothing raises;
- it is found by who began it and the ids of its calls, which are random, and by nobody else;
- it is kept for KEEP_S, and of one process so much at most: then the oldest go first.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from openclaw_gateway.wire.messages import Message

KEEP_S = 600.0
MOST_KEPT = 1_000
MOST_CHARS = 32_000_000

Calls = frozenset[str]
Messages = tuple[Message, ...]


class Asker(Struct, frozen=True):
    """Whose conversation it is, as the request itself says that goes on with it. `instructions` is their
    digest."""

    owner: str
    user: str | None
    agent: str
    instructions: bytes


class KeptRounds(Protocol):
    def known(self, asker: Asker, calls: Calls) -> Messages | None:
        """What this process has kept itself; the run ended with these `calls`."""

    async def found(self, asker: Asker, several: Sequence[Calls]) -> Mapping[Calls, Messages]:
        """What other processes have kept, all asked for at once; within a deadline."""

    async def keep(self, asker: Asker, calls: Calls, said: Messages) -> None:
        """Within a deadline."""

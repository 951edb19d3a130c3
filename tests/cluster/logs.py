"""The logs of runs as they lie in a Valkey, read beside the bus itself."""

from collections.abc import Iterable
from itertools import chain

from redis.asyncio import Redis

from openclaw_gateway.sessions.redis.entries import entries_of, log_key
from openclaw_gateway.wire.events import RunEnded, TextDelta
from tests.cluster.history import Event


async def logs(port: int, run_ids: Iterable[str]) -> tuple[Event, ...]:
    """What there is of these."""
    found: list[Event] = []
    async with Redis(port=port) as server:
        for run_id in run_ids:
            lies = await server.xrange(log_key(run_id))
            for entry in entries_of(
                [(place, list(chain(*(fields or {}).items()))) for place, fields in lies or ()]
            ):
                if entry.seq is None:
                    continue
                for seq, event in enumerate(entry.decoded(), entry.seq):
                    text = event.text if isinstance(event, TextDelta) else ""
                    ends = isinstance(event, RunEnded)
                    found.append(Event(run_id, entry.token, seq, text, ends))
    return tuple(found)

"""The log of a run of another process, as far as it is here, without a server."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.local.log import EventLog
from openclaw_gateway.sessions.redis.entries import Entry
from openclaw_gateway.sessions.redis.mirror import BusReader, Mirror
from openclaw_gateway.wire.events import Event
from tests.sessions.bus_contract import SOON, STARTED, texts


def entry(seq: int, *events: Event) -> Entry:
    return Entry(1, seq, len(events), msgspec.msgpack.encode(events))


GIVEN_UP = Entry(1, None, 0, b"")
UNREADABLE = Entry(1, 2, 1, b"of a newer release")


@pytest.mark.parametrize("last", [GIVEN_UP, UNREADABLE], ids=["given up", "unreadable"])
async def test_who_takes_what_comes_where_it_comes_hears_that_nothing_follows_it(last: Entry) -> None:
    """Both came with one answer of the server, and who had taken the one waited on for the other."""
    mirror = Mirror("r", lambda: None)
    reader = BusReader(mirror.log, 0, _left, _gone, _pages)
    reader.mirror = mirror
    mirror.readers.add(reader)
    taken: list[Event] = []

    def take(events: Sequence[Event]) -> bool:
        taken.extend(events)
        return True

    reader.offer(take)
    waiting = asyncio.create_task(reader.batch(SOON))
    await asyncio.sleep(0)
    mirror.feed([entry(0, STARTED)])
    await asyncio.sleep(0)
    mirror.feed([entry(1, *texts("a")), last])
    with pytest.raises(EventsGone):
        await waiting
    assert taken == [STARTED, *texts("a")]
    reader.close()


def _left(_: EventLog) -> None: ...


def _gone(_: BusReader) -> None: ...


async def _pages(_: str, __: int, ___: int) -> Sequence[Event]:
    return ()

"""What of a log lies at the server, how long, and that reading slowly costs no memory."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.mirror import AHEAD_BYTES, WINDOW_BYTES
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.wire.events import Event
from tests.engines.valkey import Valkey, running_watched
from tests.sessions.bus_contract import ENDED, SOON, STARTED, kept, read_all, some, texts
from tests.sessions.test_redis_outage import Teller, ends, until

LONG = "x" * 10_000


@pytest.fixture
async def pair(valkey: Valkey) -> AsyncIterator[list[RedisBus]]:
    async with ends(valkey.url, valkey.url) as both:
        yield both


def life_ms(valkey: Valkey, run_id: str) -> int:
    return int(valkey.say("PTTL", entries.log_key(run_id).decode()).strip(b":\r\n"))


async def test_a_log_lives_ten_minutes_after_its_end(valkey: Valkey, pair: list[RedisBus]) -> None:
    bus, far = pair
    bus.emit("r", 1, 0, [STARTED])
    assert await kept(far, "r", wait_s=SOON) == [STARTED]
    await until(lambda: 23 * 3_600_000 < life_ms(valkey, "r") <= 24 * 3_600_000)
    bus.emit("r", 1, 1, [ENDED])
    await until(lambda: 590_000 < life_ms(valkey, "r") <= 600_000)
    bus.forget("r")
    await until(lambda: 0 < life_ms(valkey, "r") <= 60_000)
    # A little later than it was given up, by the server's clock.
    await until(lambda: life_ms(valkey, "r") < 59_990)
    reader = far.subscribe("r")
    with pytest.raises(EventsGone):
        await reader.batch(SOON)
    reader.close()
    assert await read_all(far.subscribe("r", late=True)) == [STARTED, ENDED]


async def test_the_server_keeps_no_more_than_memory_does(
    valkey: Valkey, pair: list[RedisBus], monkeypatch: pytest.MonkeyPatch
) -> None:
    bus, far = pair
    monkeypatch.setattr(bus._local, "_max_bytes", 100_000)
    monkeypatch.setattr(bus._local, "_weigh_every", 1)
    ahead = far.subscribe("r")
    for n in range(400):
        bus.emit("r", 1, n, texts(f"{n} {LONG}"))
        assert await some(ahead, 1) == texts(f"{n} {LONG}")
    stored = int(valkey.say("XLEN", entries.log_key("r").decode()).strip(b":\r\n"))
    assert stored < 200
    with pytest.raises(EventsGone):
        await kept(far, "r", wait_s=SOON)
    ahead.close()


async def test_a_slow_reader_costs_no_memory_and_misses_nothing(pair: list[RedisBus]) -> None:
    bus, far = pair
    slow, fast = far.subscribe("r"), far.subscribe("r")
    teller = Teller(bus)
    mirror = far._reading.mirrors["r"]
    following = asyncio.create_task(read_all(fast))
    largest = 0
    for n in range(1_000):
        teller.say(*texts(f"{n} {LONG}"))
        await asyncio.sleep(0)
        mirror.log.weigh()
        largest = max(largest, mirror.log.size)
    teller.say(ENDED)
    assert await following == teller.said
    assert largest < 3 * (AHEAD_BYTES + WINDOW_BYTES)
    assert await read_all(slow) == teller.said


async def test_what_nobody_reads_is_not_fetched(pair: list[RedisBus]) -> None:
    """10 MB of a run, and one reader who does not come."""
    bus, far = pair
    slow = far.subscribe("r")
    mirror = far._reading.mirrors["r"]
    teller = Teller(bus)
    for n in range(1_000):
        teller.say(*texts(f"{n} {LONG}"))
        await asyncio.sleep(0)
    await until(mirror.is_full)
    teller.say(ENDED)
    for _ in range(20):
        bus.ring("door")
        await asyncio.sleep(0)
    mirror.log.weigh()
    assert mirror.log.size < 8 * AHEAD_BYTES
    assert await read_all(slow) == teller.said


async def test_who_comes_late_reads_a_long_log_from_where_he_wants(pair: list[RedisBus]) -> None:
    bus, far = pair
    teller = Teller(bus)
    for n in range(300):
        teller.say(*texts(f"{n} {LONG}", str(n)))
        await asyncio.sleep(0)
    teller.say(ENDED)
    for after in (0, 1, 299, 599, 600):
        assert await read_all(far.subscribe("r", after)) == teller.said[after:]


async def test_readers_of_different_places_share_what_is_fetched(pair: list[RedisBus]) -> None:
    bus, far = pair
    teller = Teller(bus)
    teller.say(STARTED, *texts("a", "b", "c"))
    late = far.subscribe("r", 3)
    assert list(await late.batch(SOON)) == texts("c")
    early = far.subscribe("r")
    assert await some(early, 4) == teller.said
    teller.say(ENDED)
    assert await read_all(early) == await read_all(late) == [ENDED]


async def test_readers_leave_nothing_behind(pair: list[RedisBus]) -> None:
    bus, far = pair
    for n in range(20):
        bus.emit(f"r{n}", 1, 0, [STARTED, ENDED])
        reader, other = far.subscribe(f"r{n}"), bus.subscribe(f"r{n}")
        assert await read_all(reader) == await read_all(other) == [STARTED, ENDED]
        bus.forget(f"r{n}")
    await until(lambda: not bus._outgoing)
    assert (
        not far._reading.mirrors
        and not far._reading.readers
        and not bus._reading.readers
        and not bus._finished
    )


async def test_an_offer_is_taken_elsewhere_too(pair: list[RedisBus]) -> None:
    bus, far = pair
    taken: list[Event] = []

    def take(events: Sequence[Event]) -> bool:
        taken.extend(events)
        return True

    reader = far.subscribe("r")
    reader.offer(take)
    waiting = asyncio.create_task(reader.batch(SOON))
    teller = Teller(bus)
    teller.say(STARTED, *texts("a"))
    await until(lambda: taken == teller.said)
    assert not waiting.done()
    reader.rouse()
    assert list(await waiting) == []
    reader.close()


async def test_an_event_of_a_newer_version_is_no_unseen_gap(valkey: Valkey, pair: list[RedisBus]) -> None:
    bus, far = pair
    reader = far.subscribe("r")
    bus.emit("r", 1, 0, [STARTED])
    assert await some(reader, 1) == [STARTED]
    valkey.say("XADD", entries.log_key("r").decode(), "1-2", "n", "1", "e", "\x01")
    with pytest.raises(EventsGone):
        await reader.batch(SOON)
    reader.close()


async def test_a_server_that_is_wiped_makes_no_unseen_gap(valkey: Valkey, pair: list[RedisBus]) -> None:
    bus, far = pair
    teller = Teller(bus)
    teller.say(STARTED, *texts("a"))
    present = far.subscribe("r")
    seen = await some(present, 2)
    valkey.say("FLUSHALL")
    teller.say(*texts("b"))
    seen += await some(present, 1)
    teller.say(ENDED)
    assert seen + await read_all(present) == teller.said
    # What is there now begins in the middle.
    with pytest.raises(EventsGone):
        await kept(far, "r", wait_s=SOON)


async def test_another_server_takes_over(tmp_path: Path) -> None:
    with running_watched(tmp_path, "the-bus") as (master, replica, sentinel):
        url = f"redis+sentinel://127.0.0.1:1,127.0.0.1:{sentinel.port}/the-bus"
        async with ends(url, url) as (bus, far):
            teller = Teller(bus)
            there = far.subscribe("r")
            teller.say(STARTED)
            seen = await some(there, 1)
            master.kill()
            teller.say(*texts("meanwhile"))
            seen += await some(there, 1)
            assert b"role:master" in replica.say("INFO", "replication")
            teller.say(ENDED)
            assert seen + await read_all(there) == teller.said


async def test_a_server_of_a_cluster_goes_and_comes(valkeys: list[Valkey]) -> None:
    url = f"redis+cluster://127.0.0.1:{valkeys[0].port},127.0.0.1:{valkeys[1].port}"
    assert parsed(url).kind == "cluster"
    async with ends(url, url) as (bus, far):
        tellers = [Teller(bus, f"r{n}") for n in range(8)]
        reading = [asyncio.create_task(read_all(far.subscribe(f"r{n}"))) for n in range(8)]
        for teller in tellers:
            teller.say(STARTED)
        for server in valkeys:
            server.say("CLIENT", "KILL", "TYPE", "normal")
            for teller in tellers:
                teller.say(*texts("a"))
            await asyncio.sleep(0)
        for teller in tellers:
            teller.say(ENDED)
        for teller, seen in zip(tellers, await asyncio.gather(*reading), strict=True):
            assert seen == teller.said

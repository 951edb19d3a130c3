"""RedisBus while its server is away, hangs, lies, or has lost everything: nothing here waits for it, and who
reads elsewhere goes on without a gap when it is back."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import pytest
import structlog
from structlog.testing import LogCapture

from openclaw_gateway.errors import EventsGone
from openclaw_gateway.sessions.redis import held, limits, outage, scripts
from openclaw_gateway.sessions.redis.bells import Listener
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.link import Command, Link, Pace, Reply
from openclaw_gateway.sessions.redis.outgoing import Outgoing, Parcel
from openclaw_gateway.sessions.redis.publisher import Publisher
from openclaw_gateway.sessions.redis.puller import Puller
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.wire.events import Event
from tests.doors.logged import logged
from tests.engines import certificate
from tests.engines.faulty_link import faulty_link
from tests.engines.valkey import Valkey, free_port, running
from tests.sessions.bus_contract import ENDED, SOON, STARTED, kept, read_all, some, texts
from tests.sessions.rounds_contract import CALLS, ME, SAID

QUICK = Pace(connect_s=0.5, answer_s=0.5, quiet_s=0.2)


@contextlib.asynccontextmanager
async def ends(*urls: str, pace: Pace = QUICK) -> AsyncIterator[list[RedisBus]]:
    buses = [RedisBus(parsed(url), pace=pace) for url in urls]
    for bus in buses:
        await bus.open()
    try:
        yield buses
    finally:
        for bus in reversed(buses):
            await bus.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not true():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)


class Teller:
    """Emits words of one run, one by one."""

    def __init__(self, bus: RedisBus, run_id: str = "r", token: int = 1) -> None:
        self._bus, self._run_id, self._token = bus, run_id, token
        self.said: list[Event] = []

    def say(self, *events: Event) -> None:
        assert self._bus.emit(self._run_id, self._token, len(self.said), events)
        self.said += events


async def test_a_start_without_the_server_is_a_start(tmp_path: Path) -> None:
    port = free_port()
    url = f"redis://127.0.0.1:{port}"
    async with ends(url, url) as (bus, far):
        assert not bus.health().connected
        teller = Teller(bus)
        here, there = bus.subscribe("r", here=True), far.subscribe("r")
        teller.say(STARTED, *texts("a"))
        assert list(await here.batch(0)) == teller.said
        assert list(await there.batch(0.01)) == []
        bus.ring("door")
        bus.signal("r", "abort")
        bus.announce(b"news")
        with running(tmp_path, port=port):
            assert await some(there, 2) == teller.said
            teller.say(*texts("b"), ENDED)
            assert await read_all(there) == [*texts("b"), ENDED]
            await until(lambda: bus.health().connected and far.health().connected)
        here.close()


async def test_a_server_that_is_killed_loses_nothing_for_those_who_read(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        teller, ended = Teller(bus), Teller(bus, "ended")
        there, other = far.subscribe("r"), far.subscribe("ended")
        teller.say(STARTED, *texts("a", "b"))
        ended.say(STARTED)
        seen = await some(there, 3)
        own_valkey.kill()
        await until(lambda: not bus.health().connected)
        for n in range(100):
            teller.say(*texts(str(n)))
        ended.say(*texts("all of it"), ENDED)
        bus.forget("ended")
        own_valkey.start()
        teller.say(*texts("after"), ENDED)
        seen += await read_all(there)
        assert seen == teller.said
        assert await read_all(other) == ended.said
        assert await read_all(far.subscribe("r")) == teller.said


async def test_a_run_that_says_nothing_is_there_again_for_new_readers(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        teller = Teller(bus)
        teller.say(STARTED, *texts("a"))
        assert await kept(far, "r", wait_s=SOON) == teller.said
        own_valkey.kill()
        await until(lambda: not bus.health().connected)
        own_valkey.start()
        assert await kept(far, "r", wait_s=SOON) == teller.said


async def test_a_server_that_is_started_anew_at_once_is_noticed(own_valkey: Valkey) -> None:
    """Nobody has used the link since; the first who does finds out, and loses nothing."""
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        teller = Teller(bus)
        there = far.subscribe("r")
        for n in range(5):
            teller.say(*texts(str(n)))
            await some(there, 1)
            own_valkey.kill()
            own_valkey.start()
        teller.say(ENDED)
        assert await read_all(there) == [ENDED]


async def test_a_server_that_hangs_holds_nobody(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        teller = Teller(bus)
        here, there = bus.subscribe("r", here=True), far.subscribe("r")
        teller.say(STARTED)
        seen = await some(there, 1)
        assert list(await here.batch(0)) == [STARTED]
        own_valkey.pause()
        try:
            for n in range(200):
                teller.say(*texts(str(n)))
                bus.ring("door")
                assert list(await here.batch(0)) == texts(str(n))
            await until(lambda: not bus.health().connected and not far.health().connected)
            late, unknown = far.subscribe("r"), far.subscribe("unknown")
            assert list(await late.batch(0)) == [STARTED]
            assert list(await unknown.batch(0.01)) == []
            unknown.close()
        finally:
            own_valkey.resume()
        teller.say(ENDED)
        seen += await read_all(there)
        assert seen == teller.said
        assert await read_all(late) == teller.said[1:]
        await until(lambda: bus.health().connected)
        here.close()


@pytest.mark.parametrize("fault", ["cut", "hold", "refuse"])
async def test_a_broken_network_between_the_holder_and_the_server(valkey: Valkey, fault: str) -> None:
    async with faulty_link(valkey.port) as link, ends(link.url, valkey.url) as (bus, far):
        teller = Teller(bus)
        there = far.subscribe("r")
        teller.say(STARTED)
        seen = await some(there, 1)
        for n in range(10):
            getattr(link, fault)()
            for m in range(20):
                teller.say(*texts(f"{n} {m}"))
                await asyncio.sleep(0)
            if fault != "cut" and n % 3 == 0:
                await until(lambda: not bus.health().connected)
            link.heal()
        teller.say(ENDED)
        seen += await read_all(there)
        assert seen == teller.said


@pytest.mark.parametrize("fault", ["cut", "hold", "refuse"])
async def test_a_broken_network_between_a_reader_and_the_server(valkey: Valkey, fault: str) -> None:
    async with faulty_link(valkey.port) as link, ends(valkey.url, link.url) as (bus, far):
        teller = Teller(bus)
        readers = [far.subscribe("r") for _ in range(3)]
        reading = [asyncio.create_task(read_all(reader)) for reader in readers]
        teller.say(STARTED)
        for n in range(10):
            getattr(link, fault)()
            for m in range(20):
                teller.say(*texts(f"{n} {m}"))
                await asyncio.sleep(0)
            if fault != "cut" and n % 3 == 0:
                await until(lambda: not far.health().connected)
            link.heal()
        teller.say(ENDED)
        assert await asyncio.gather(*reading) == [teller.said] * 3


async def test_who_waits_at_a_door_looks_again_when_the_server_is_back(own_valkey: Valkey) -> None:
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        door = far.watch("door")
        own_valkey.kill()
        await until(lambda: not far.health().connected)
        bus.ring("door")
        own_valkey.start()
        assert await door.ring(SOON)
        door.close()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> LogCapture:
    """What the log says of outages."""
    lines = LogCapture()
    logger = structlog.wrap_logger(None, processors=[lines], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(outage, "log", logger)
    return lines


async def test_an_outage_is_said_once(own_valkey: Valkey, lines: LogCapture) -> None:
    async with ends(own_valkey.url) as (bus,):
        for _ in range(3):
            own_valkey.kill()
            await until(lambda: not bus.health().connected)
            assert bus.health().reason
            own_valkey.start()
            await until(lambda: bus.health().connected)
    assert [line["event"] for line in lines.entries] == ["bus.away", "bus.back"]


def test_an_outage_ends_when_all_that_was_away_needs_no_connection_any_more(lines: LogCapture) -> None:
    """Its only reader had left: nothing was said of the end, and it was connected since its beginning."""
    now = 1.0
    known = outage.Outage("there", lambda: now)
    known.well("bells")
    now = 2.0
    known.failed("reading 0", "it went")
    assert (known.health().connected, known.health().since_ms) == (False, 2_000)
    now = 3.0
    known.gone("reading 0")
    assert (known.health().connected, known.health().since_ms) == (True, 3_000)
    assert [line["event"] for line in lines.entries] == ["bus.away", "bus.back"]


@pytest.mark.parametrize(
    ("refuses", "takes", "reason"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0"), "maxmemory"),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE"), "read only replica"),
        (("ACL", "SETUSER", "default", "-@write"), ("ACL", "SETUSER", "default", "+@all"), "permissions"),
    ],
    ids=["full", "replica", "forbidden"],
)
@pytest.mark.parametrize("is_at_work", [True, False])
async def test_a_server_that_takes_nothing_is_away(
    own_valkey: Valkey,
    lines: LogCapture,
    refuses: tuple[str, ...],
    takes: tuple[str, ...],
    reason: str,
    *,
    is_at_work: bool,
) -> None:
    """It answers, so it was said to be there, and asked a hundred times a second."""
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        teller = Teller(bus)
        there = far.subscribe("r")
        teller.say(STARTED)
        assert await some(there, 1) == [STARTED]
        assert own_valkey.say(*refuses) == b"+OK\r\n"
        if is_at_work:
            teller.say(*texts("a"))
        else:
            await bus.rounds.keep(ME, CALLS, SAID)
        await until(lambda: reason in (bus.health().reason or ""))
        assert not bus.health().connected
        before = connections(own_valkey)
        await until(lambda: len(lines.entries) >= 1)
        assert own_valkey.say(*takes) == b"+OK\r\n"
        await until(lambda: bus.health().connected and far.health().connected)
        assert connections(own_valkey) - before < 20
        teller.say(ENDED)
        assert [STARTED, *await read_all(there)] == teller.said
    # Once by each of the two that noticed.
    said = sorted(line["event"] for line in lines.entries)
    assert said in (["bus.away", "bus.back"], ["bus.away"] * 2 + ["bus.back"] * 2)


def connections(server: Valkey) -> int:
    """How many it has been given so far."""
    found = re.search(rb"total_connections_received:(\d+)", server.say("INFO", "stats"))
    assert found
    return int(found[1])


async def test_what_ended_during_an_outage_is_bounded(
    own_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "MOST_HELD_BYTES", 50_000)
    monkeypatch.setattr(held, "MOST_HELD", 5)
    async with ends(own_valkey.url, own_valkey.url) as (bus, far):
        own_valkey.kill()
        bus.emit("live", 1, 0, texts("x" * 100_000))
        await until(lambda: not bus.health().connected)
        for n in range(10):
            bus.emit(f"r{n}", 1, 0, [*texts("x" * 20_000), ENDED])
            bus.forget(f"r{n}")
        await until(lambda: set(bus._outgoing) == {"live", *(f"r{n}" for n in range(5, 10))})
        own_valkey.start()
        # The newest are there, the older ones are known to be gone, and of the oldest nothing is known.
        assert await kept(far, "live", wait_s=SOON) == texts("x" * 100_000)
        for n in range(8, 10):
            with pytest.raises(EventsGone):
                while await kept(far, f"r{n}", wait_s=SOON):
                    pass
        for n in range(5, 8):
            with pytest.raises(EventsGone):
                await kept(far, f"r{n}", wait_s=SOON)
        assert await kept(far, "r0", wait_s=0.05) == []


@pytest.mark.parametrize(
    "lie",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"+OK\r\n",
        b":1\r\n" * 1000,
        b"-ERR no\r\n",
        b"-LOADING still\r\n" * 5,
        b"*-1\r\n" * 50,
        b"*2\r\n*1\r\n*0\r\n$1\r\nx\r\n" * 20,
        b"*1000000\r\n",
        b"$999999999999\r\nxx",
        b"$xx\r\n",
        b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n:1\r\n" * 20,
        b"*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n$3\r\n1-1\r\n*1\r\n:1\r\n" * 20,
        b"*3\r\n$9\r\nsubscribe\r\n$10\r\nocgw:bell:\r\n:1\r\n" * 20,
        b"*" * 100_000,
        b"*1\r\n" * 100_000,
    ],
    ids=range(16),
)
async def test_a_server_that_lies_harms_nobody(lie: bytes) -> None:
    links: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        links.add(task)
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                writer.write(lie)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with ends(url, url) as (bus, far):
            teller = Teller(bus)
            here, there = bus.subscribe("r", here=True), far.subscribe("r")
            for n in range(20):
                teller.say(*texts(str(n)))
                bus.ring("door")
                assert list(await here.batch(0)) == texts(str(n))
                assert list(await there.batch(0.02)) == []
            await until(lambda: bus.health().reason is not None)
            assert not [task for task in (*bus._tasks, *far._tasks) if task.done()]
            here.close()
            there.close()
    finally:
        server.close()
        if links:
            await asyncio.wait(links, timeout=SOON)


async def test_secrets_of_a_url_are_told_nobody(tmp_path: Path, lines: LogCapture) -> None:
    with running(tmp_path, "--requirepass", "the right one") as server:
        url = f"redis://:{{}}@127.0.0.1:{server.port}/0"
        async with ends(url.format("a-wrong-one")) as (bus,):
            await until(lambda: bus.health().reason is not None)
            told = f"{bus.health()} {lines.entries} {parsed(url.format('a-wrong-one'))!r}"
            assert "a-wrong-one" not in told
            assert "password" in told
        async with ends(url.format("the%20right%20one"), url.format("the%20right%20one")) as (bus, far):
            assert bus.health().connected
            bus.emit("r", 1, 0, [STARTED])
            assert await kept(far, "r", wait_s=SOON) == [STARTED]


async def test_over_tls(valkey: Valkey, tmp_path: Path) -> None:
    context, trusted = certificate.made(tmp_path)
    async with faulty_link(valkey.port, context) as link:
        there = f"rediss://127.0.0.1:{link.port}"
        known = f"{there}?ssl_ca_certs={trusted}"
        async with ends(known, known) as (bus, far):
            teller = Teller(bus)
            reader = far.subscribe("r")
            teller.say(STARTED)
            assert await some(reader, 1) == [STARTED]
            link.cut()
            teller.say(ENDED)
            assert await read_all(reader) == [ENDED]
        async with ends(there) as (bus,):
            await until(lambda: bus.health().reason is not None)
            assert "certificate" in (bus.health().reason or "").lower()


@pytest.mark.parametrize(("part", "act"), [(Puller, "_feed"), (Publisher, "_judge"), (Listener, "_read")])
async def test_a_part_that_fails_on_what_it_is_told_goes_on(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch, part: type, act: str
) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        whole, failed = getattr(part, act), asyncio.Event()

        def once(*args: object) -> object:
            if not failed.is_set():
                failed.set()
                raise RuntimeError("a fault")
            return whole(*args)

        monkeypatch.setattr(part, act, once)
        teller, watch = Teller(bus), far.watch("door")
        reader = far.subscribe("r")
        with logged() as log:
            teller.say(STARTED, *texts("a"))
            bus.ring("door")
            async with asyncio.timeout(SOON):
                await failed.wait()
            teller.say(*texts("b"))
            assert await some(reader, 3) == teller.said
            while not await watch.ring(0.05):
                bus.ring("door")
            assert len(log.lines("bus.crashed")) == 1
        reader.close()
        watch.close()


async def test_a_fault_that_looks_like_a_cancellation_ends_no_part(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        whole, failed = Listener._read, asyncio.Event()

        def once(self: Listener, payload: bytes) -> None:
            if not failed.is_set():
                failed.set()
                raise asyncio.CancelledError
            whole(self, payload)

        monkeypatch.setattr(Listener, "_read", once)
        watch = far.watch("door")
        bus.ring("door")
        async with asyncio.timeout(SOON):
            await failed.wait()
            while not await watch.ring(0.05):
                bus.ring("door")
        watch.close()


async def test_who_did_not_hear_because_of_a_fault_rings_for_what_it_may_have_missed(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):

        def fail(*_: object) -> None:
            monkeypatch.undo()
            raise RuntimeError("a fault")

        watch = far.watch("door")
        monkeypatch.setattr(Listener, "_read", fail)
        bus.ring("door")
        assert await watch.ring(SOON)
        await until(lambda: far.health().connected)
        watch.close()


@pytest.mark.parametrize(("part", "act"), [(Puller, "_feed"), (Publisher, "_judge"), (Listener, "_read")])
async def test_a_part_that_has_failed_is_away_until_it_is_well(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch, part: type, act: str
) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        teller, reader = Teller(bus), far.subscribe("r")
        teller.say(STARTED)
        assert await some(reader, 1) == [STARTED]
        await until(lambda: bus.health().connected and far.health().connected)

        def fail(*_: object) -> None:
            raise RuntimeError("a fault")

        monkeypatch.setattr(part, act, fail)
        teller.say(*texts("a"))
        bus.ring("door")
        await until(lambda: not (bus.health().connected and far.health().connected))
        assert "fault" in f"{bus.health().reason} {far.health().reason}"
        monkeypatch.undo()
        # Nobody says a word more.
        assert await some(reader, 1) == texts("a")
        await until(lambda: bus.health().connected and far.health().connected)
        reader.close()


async def test_what_was_to_be_sent_with_what_could_not_be_is_sent_nevertheless(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        whole = Outgoing.parcel

        def fail(self: Outgoing, now: float, most_bytes: int) -> Parcel:
            if self.run_id == "r":
                monkeypatch.undo()
                raise RuntimeError("a fault")
            return whole(self, now, most_bytes)

        monkeypatch.setattr(Outgoing, "parcel", fail)
        with logged() as log:
            bus.emit("q", 1, 0, [STARTED, ENDED])
            bus.emit("r", 1, 0, [STARTED, ENDED])
            for run_id in ("q", "r"):
                assert await kept(far, run_id, wait_s=SOON) == [STARTED, ENDED]
            assert len(log.lines("bus.crashed")) == 1


async def test_what_does_not_hurry_goes_out_after_a_fault_as_before(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.MonkeyPatch.context() as alone:
        # Nothing that hurries takes it along.
        alone.setattr(limits, "RENEW_S", 3600.0)
        await _announced_after_a_fault(valkey, monkeypatch)


async def _announced_after_a_fault(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        heard = asyncio.Event()
        far.hear(lambda _: heard.set())

        def fail(*_: object) -> None:
            monkeypatch.undo()
            bus.announce(b"one")
            raise RuntimeError("a fault")

        await until(lambda: bus.health().connected)
        with logged() as log:
            monkeypatch.setattr(bus._publishers[0], "_heed", fail)
            bus.ring("door")
            await until(lambda: bool(log.lines("bus.crashed")))
            await until(lambda: bus.health().connected)
            bus.announce(b"two")
            async with asyncio.timeout(SOON):
                await heard.wait()


async def test_a_part_that_fails_while_it_ends_has_ended(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ends(valkey.url) as (bus,):
        whole = Link.close

        def fail(self: Link) -> None:
            whole(self)
            raise RuntimeError("a fault")

        async with asyncio.timeout(SOON):
            monkeypatch.setattr(Link, "close", fail)
            await bus.close()
        monkeypatch.undo()


async def test_who_reads_is_woken_also_where_the_link_breaks_that_was_to_do_it(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else what comes to be read is not fetched before the one who waits at the server has to ask again."""
    whole = Link.call

    async def cut(self: Link, commands: Sequence[Command], *, within: float = 0.0) -> list[Reply]:
        if any(word.startswith(b"ocgw:wake:") for command in commands for word in command[:2]):
            monkeypatch.undo()
            self.close()
        return await whole(self, commands, within=within)

    async with ends(valkey.url, valkey.url, pace=Pace(quiet_s=3600.0)) as (bus, far):
        bus.emit("one", 1, 0, [STARTED])
        bus.emit("two", 1, 0, [STARTED])
        reader = far.subscribe("one")
        assert await some(reader, 1) == [STARTED]
        await until(lambda: far._pullers[0]._is_reading)
        monkeypatch.setattr(Link, "call", cut)
        late = far.subscribe("two")
        assert await some(late, 1) == [STARTED]
        for each in (reader, late):
            each.close()


async def test_what_the_room_was_about_to_say_is_said_after_a_fault(
    valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with ends(valkey.url) as (bus,):
        whole, asked = scripts.hold, asyncio.Queue[bool]()

        def fail(name: str, me: str, held: scripts.Held, *, renews: bool) -> Command:
            asked.put_nowait(renews)
            return whole(name, me, held, renews=renews)

        def once(*_: object) -> tuple[int, ...]:
            monkeypatch.setattr(scripts, "numbers", numbers)
            raise RuntimeError("a fault")

        numbers = scripts.numbers
        monkeypatch.setattr(scripts, "hold", fail)
        monkeypatch.setattr(scripts, "numbers", once)
        with logged() as log:
            bus.limits.runs.beat(10, 15.0)
            async with asyncio.timeout(SOON):
                # Nobody says anything more.
                assert [await asked.get() for _ in "12"] == [True, True]
            assert len(log.lines("bus.crashed")) == 1

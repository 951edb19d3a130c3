"""A connection to the bus, with a server at its other end that says what each test has it say."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import uvloop

from openclaw_gateway.sessions.redis.link import MOST_UNHEARD, Away, ErrorReply, Link, Pace
from openclaw_gateway.sessions.redis.opener import Opener
from openclaw_gateway.sessions.redis.urls import Address, Credentials
from tests.sessions.bus_contract import SOON
from tests.sessions.test_redis_outage import until

SECRET = "hunter2-and-more"
PING = [b"PING"]
Said = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """`ends` is set when a connection to it has ended."""

    def __init__(self, say: Said) -> None:
        self._say = say
        self.ends = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await self._say(reader, writer)
            while await reader.read(1 << 16):
                pass
        writer.close()
        self.ends.set()


@contextlib.asynccontextmanager
async def linked(
    say: Said, *, pace: Pace | None = None, credentials: Credentials | None = None, database: int = 0
) -> AsyncIterator[tuple[Link, Server]]:
    server = Server(say)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    try:
        async with asyncio.timeout(SOON):
            address = Address("127.0.0.1", listening.sockets[0].getsockname()[1])
            opener = Opener(credentials or Credentials(), None, pace or Pace(), database)
            link = await opener.open(address)
            try:
                yield link, server
            finally:
                link.close()
                await server.ends.wait()
    finally:
        listening.close()


def saying(*answers: bytes) -> Said:
    """One for each time that something comes."""

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.read(1 << 16)
            writer.write(answer)

    return say


async def test_answers_come_in_order_however_they_are_cut() -> None:
    whole = b"+OK\r\n:7\r\n*2\r\n$3\r\na\r\n\r\n$-1\r\n-ERR no such\r\n"

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        for at in range(len(whole)):
            writer.write(whole[at : at + 1])
            await writer.drain()

    async with linked(say) as (link, _):
        *others, error = await link.call([PING] * 4)
    assert others == [b"OK", 7, [b"a\r\n", None]]
    assert isinstance(error, ErrorReply)
    assert str(error) == "ERR no such"


async def test_who_we_are_and_which_database_are_said_before_anything() -> None:
    heard = bytearray()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while heard.count(b"*") < 3:
            heard.extend(await reader.read(1 << 16))
            writer.write(b"+OK\r\n" * 2 if b"PING" not in heard else b"+PONG\r\n")

    async with linked(say, credentials=Credentials("me", SECRET), database=3) as (link, _):
        assert await link.ask(*PING) == b"PONG"
    words = [line for line in heard.split(b"\r\n")[:-1] if line[:1] not in b"*$"]
    assert words == [b"AUTH", b"me", SECRET.encode(), b"SELECT", b"3", b"PING"]


@pytest.mark.parametrize(
    "no",
    [
        b"-WRONGPASS that " + SECRET.encode() + b" is wrong\r\n+OK\r\n",
        b"+OK\r\n-ERR DB index is out of range " + SECRET.encode() + b"\r\n",
    ],
)
async def test_who_is_not_let_in_has_no_link_and_no_secret_is_told(no: bytes) -> None:
    with pytest.raises(Away, match=r"WRONGPASS|out of range") as refused:
        async with linked(saying(no), credentials=Credentials(None, SECRET), database=3):
            pass
    assert SECRET not in str(refused.value)


async def test_a_link_whose_making_is_cancelled_is_closed() -> None:
    asked = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(100)
        asked.set()

    server = Server(say_nothing)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    address = Address("127.0.0.1", listening.sockets[0].getsockname()[1])
    opening = asyncio.create_task(Opener(Credentials(None, SECRET), None, Pace()).open(address))
    async with asyncio.timeout(SOON):
        await asked.wait()
        opening.cancel()
        await asyncio.wait([opening])
        await server.ends.wait()
    listening.close()
    assert opening.cancelled()


@pytest.mark.parametrize(
    "address",
    [Address("127.0.0.1", 99_999), Address("127.0.0.1", -1), Address("a" * 70, 1), Address("a\0b", 1)],
    ids=lambda address: repr(address.host[:10]),
)
async def test_what_a_sentinel_may_say_that_is_no_place_is_away(address: Address) -> None:
    """Whoever writes or listens goes on after this one error, and would have ended with any other."""
    with pytest.raises(Away):
        await Opener(Credentials(), None, Pace()).open(address)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "cannot be read"),
        (b"*9223372036854775807\r\n", "cannot be read"),
        (b"-LOADING Valkey is loading the dataset in memory\r\n", "LOADING"),
        (b"-NOAUTH Authentication required.\r\n", "NOAUTH"),
        (b"-ERR max number of clients reached\r\n", "max number of clients"),
    ],
)
async def test_a_server_of_which_nothing_can_be_asked_is_away_for_good(answer: bytes, why: str) -> None:
    async with linked(saying(answer)) as (link, server):
        for _ in range(2):
            with pytest.raises(Away, match=why):
                await link.call([PING])
        await server.ends.wait()


async def test_a_server_that_goes_away_is_away_at_once() -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        writer.close()

    async with linked(say) as (link, _):
        for _ in range(2):
            with pytest.raises(Away, match="the server closed the connection"):
                await link.call([PING])


async def test_what_a_server_says_unasked_is_not_taken_for_an_answer() -> None:
    async with linked(saying(b"+PONG\r\n+PONG\r\n")) as (link, _):
        assert await link.ask(*PING) == b"PONG"
        with pytest.raises(Away, match="nobody asked for"):
            await link.ask(*PING)


async def test_a_server_that_has_no_place_for_us_tells_why() -> None:
    async def say(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"-ERR max number of clients reached\r\n")
        writer.close()

    async with linked(say) as (link, _):
        await until(lambda: bool(link._broken))
        for _ in range(2):
            with pytest.raises(Away, match="max number of clients"):
                await link.call([PING])


async def test_who_may_not_listen_is_told_why() -> None:
    async with linked(saying(b"-NOPERM No permissions to access a channel\r\n")) as (link, _):
        link.send(b"SUBSCRIBE", b"here")
        with pytest.raises(Away, match="NOPERM No permissions"):
            await link.heard(SOON)


async def test_the_answer_that_somebody_stopped_waiting_for_is_nobody_elses() -> None:
    async with linked(saying(b"+first\r\n", b"+second\r\n")) as (link, _):
        asking = asyncio.create_task(link.ask(b"ECHO", b"first"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        with pytest.raises(Away):
            await link.ask(b"ECHO", b"second")


def test_a_wait_that_ends_within_the_millisecond_is_followed_by_another() -> None:
    """uvloop counts whole ones: a timer of less is none, and goes off before its time."""

    async def hear() -> None:
        link = Link((), Pace())

        async def both(first: asyncio.Event) -> None:
            assert await link.heard(0.0004) == b"a"
            first.set()
            assert await link.heard(SOON) == b"b"

        for _ in range(20):
            first = asyncio.Event()
            hearing = asyncio.create_task(both(first))
            await asyncio.sleep(0)
            link.data_received(b"+a\r\n")
            await first.wait()
            link.data_received(b"+b\r\n")
            await hearing
        link.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(hear())


async def test_a_server_that_says_nothing_is_away_when_its_time_is_up_and_not_before() -> None:
    answers = asyncio.Event()

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1 << 16)
        await answers.wait()
        writer.write(b"+late\r\n+message\r\n")

    async with linked(say, pace=Pace(answer_s=0.05)) as (link, _):
        link.send(*PING)
        # Who only listens may wait for longer, on the same link.
        assert await link.heard(0.02) is None
        answers.set()
        assert await link.heard(SOON) == b"late"
        assert await link.heard(SOON) == b"message"
        with pytest.raises(Away, match=r"no answer within 0.05 s"):
            await link.call([PING])
        with pytest.raises(Away, match=r"no answer within 0.05 s"):
            link.send(*PING)


async def test_of_a_server_that_never_stops_no_more_is_read_than_is_heard() -> None:
    line = b"+" + b"x" * 1000 + b"\r\n"
    written = 0

    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        await reader.read(1 << 16)
        writer.transport.set_write_buffer_limits(high=0)
        while written < 200_000:
            writer.write(line)
            written += 1
            try:
                async with asyncio.timeout(0.2):
                    await writer.drain()
            except TimeoutError:
                stuck.set()
                await writer.drain()

    stuck = asyncio.Event()
    async with linked(say) as (link, _):
        link.send(*PING)
        await stuck.wait()
        assert MOST_UNHEARD < sum(map(len, link._heard)) + 3 * len(link._heard) < 2 * MOST_UNHEARD
        before = written
        for _ in range(before):
            assert await link.heard(SOON) == line[1:-2]

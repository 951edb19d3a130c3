"""What a Redis server may answer to RedisBus that it should not: wrong types, secrets, too much at once."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from openclaw_gateway.sessions.limits import LockOutRule
from openclaw_gateway.sessions.local.log import weight
from openclaw_gateway.sessions.redis import entries, publisher, puller
from openclaw_gateway.sessions.redis.bells import Listener, News, Rung, channel, letter
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.link import Away, Command, ErrorReply, Pace, Reply
from openclaw_gateway.sessions.redis.mirror import AHEAD_BYTES
from openclaw_gateway.sessions.redis.outage import Outage
from openclaw_gateway.sessions.redis.places import Watched
from openclaw_gateway.sessions.redis.urls import Address, parsed
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import SOON, some, texts
from tests.sessions.test_redis_outage import Teller, ends, until

SECRET = "hunter2-and-more"


@pytest.mark.parametrize(
    "fields",
    [
        [b"n", b"1", b"e", 5],
        [b"n", b"1", b"e", None],
        [b"n", b"1", b"e", [b"x"]],
        [b"n", 10**12, b"e", b"x"],
        [b"n", b"1"],
        [b"n", b"1", b"e"],
        [[b"n"], b"1", b"e", b"x"],
        b"text",
        5,
        None,
    ],
    ids=repr,
)
def test_an_entry_of_wrong_types_is_none(fields: Any) -> None:
    with pytest.raises(ValueError, match=r"no|zip"):
        entries.entries_of([[b"1-1", [b"n", b"1", b"e", b"\x90"]], [b"1-2", fields]])


@pytest.mark.parametrize(
    "reply",
    [
        [[10**15, [[b"1-1", []]]]],
        [[b"key", [[10**15, []]]]],
        [[ErrorReply("no"), [[b"1-1", []]]]],
        [[b"key", []]],
        [[b"key"]],
        5,
    ],
    ids=repr,
)
def test_a_number_is_not_taken_for_so_many_bytes(reply: Any) -> None:
    with pytest.raises(ValueError, match="no answer of XREAD"):
        puller._streams(reply)


async def test_what_a_server_refuses_with_is_told_short_and_without_what_opens_it() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while sent := await reader.read(1 << 20):
            for name in re.findall(rb"\*\d+\r\n\$\d+\r\n([A-Z]+)\r\n", sent):
                no = b"-ERR " + SECRET.encode() + b" is wrong" + b"!" * 5_000 + b"\r\n"
                writer.write(b"+OK\r\n" if name in (b"AUTH", b"SELECT", b"CLIENT") else no)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"redis://:{SECRET}@127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    try:
        async with ends(url) as (bus,):
            writes = bus._publishers[0]
            Teller(bus).say(*texts("a"))
            reader = bus.subscribe("other")
            await until(lambda: len(bus._outage._away) == 3)
            with pytest.raises(Away) as refused:
                await writes.ask([b"GET", b"x"])
            reader.close()
            told = [*bus._outage._away.values(), str(refused.value), bus.health().reason or ""]
    finally:
        server.close()
    assert "is wrong" in "".join(told)
    assert not [one for one in told if SECRET in one or len(one) > 200]


DEEP = b"\x91" * 5_000 + b"\x01"


def test_an_entry_that_is_nested_too_deeply_is_none() -> None:
    deep = b"\x91\x83\xa4kind\xa4text\xa4text\xa1a\xa4more" + DEEP
    with pytest.raises(ValueError, match="nested"):
        entries.Entry(1, 0, 1, deep).decoded()


@pytest.mark.parametrize("payload", [b"\x93\xa1a\x92\xa1r\xa1t" + DEEP, b"\x92\xa1a\x92\xa1r\xa1\xff", b""])
def test_news_that_nobody_can_read_are_none(payload: bytes) -> None:
    heard: list[News] = []
    there: Any = None
    listener = Listener(channel(""), "me", there, Outage(""), Pace(), heard=heard.append, back=heard.clear)
    listener._read(payload)
    listener._read(letter(channel(""), "other", Rung("topic"))[2])
    assert heard == [Rung("topic")]


async def test_half_a_character_costs_itself_and_no_other_run(valkey: Valkey) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        broken, other = Teller(bus, "broken"), Teller(bus)
        halves, whole = far.subscribe("broken"), far.subscribe("r")
        broken.say(*texts("a", "b\ud800", "\ude00c"))
        other.say(*texts("漢\0\\"))
        assert await some(whole, 1) == texts("漢\0\\")
        assert await some(halves, 3) == texts("a", "b\ufffd", "\ufffdc")
        assert bus.health().connected
        halves.close()
        whole.close()


async def test_whoever_is_locked_out_is_told_of_whatever_he_is_called(valkey: Valkey) -> None:
    subject, rule = "b\ud800", LockOutRule(1, 60, 60)
    async with ends(valkey.url, valkey.url) as (bus, far):
        bus.limits.failed(subject, rule)
        await until(lambda: far.limits.locked_for(subject, time.monotonic()) > 0)
        assert bus.limits.locked_for(subject, time.monotonic()) > 0
        assert far.limits.locked_for("another", time.monotonic()) == 0


class _Answering:
    """An Opener and its one link, of which each answer comes from `answers`."""

    def __init__(self, answer: Callable[[Command], Awaitable[Reply]]) -> None:
        self._answer = answer
        self.open_links = 0

    async def open(self, _: Address) -> Any:
        self.open_links += 1
        return self

    async def ask(self, *command: bytes) -> Reply:
        return await self._answer(command)

    def close(self) -> None:
        self.open_links -= 1


@pytest.mark.parametrize("way", ["refused", "a replica", "cancelled"])
async def test_a_server_that_is_no_master_leaves_no_link_open(way: str) -> None:
    async def answer(command: Command) -> Reply:
        if command[0] == b"SENTINEL":
            return [b"127.0.0.1", b"1"]
        if way == "refused":
            raise Away("no permission to say ROLE")
        if way == "cancelled":
            raise asyncio.CancelledError
        return [b"slave"]

    opener: Any = _Answering(answer)
    watched = Watched((Address("127.0.0.1", 1),), "the-bus", opener, opener)
    with pytest.raises((Away, asyncio.CancelledError)):
        await watched.open(0)
    assert opener.open_links == 0


async def test_of_a_long_log_a_new_reader_fetches_what_it_may_have_ahead(valkey: Valkey) -> None:
    async with ends(valkey.url, valkey.url) as (bus, far):
        long = Teller(bus, "long")
        long.say(*texts(*[f"{n} " + "x" * 100_000 for n in range(100)]))
        await until(lambda: bus._outgoing["long"].sent == len(long.said))
        # Of short ones more and more entries are asked for at once.
        short = Teller(bus)
        reader = far.subscribe("r")
        for n in range(12):
            short.say(*texts(str(n)))
            await some(reader, 1)
        late = far.subscribe("long")
        async with asyncio.timeout(SOON):
            first = await late.batch(SOON)
        assert 0 < weight(first) < 2 * AHEAD_BYTES
        assert [*first, *await some(late, len(long.said) - len(first))] == long.said
        late.close()
        reader.close()


async def test_so_many_questions_go_at_once_and_none_that_nobody_waits_for(valkey: Valkey) -> None:
    bus = RedisBus(parsed(valkey.url))
    writes = bus._publishers[0]
    asking = [asyncio.create_task(writes.ask([b"ECHO", b"%d" % n])) for n in range(200)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.wait(asking[:1])
    sent = writes._packed()[2]
    assert [command[1] for command, _ in sent] == [b"%d" % n for n in range(1, 1 + publisher.MOST_ASKED)]
    for command, answer in sent:
        answer.set_result(command[1])
    await bus.open()
    told = await asyncio.gather(*asking[1:])
    assert told == [b"%d" % n for n in range(1, 200)]
    await bus.close()

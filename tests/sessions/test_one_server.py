"""Several gateways, with stores of their own, at one server: none hears, finds or stops what is another's,
whatever clients call it."""

import contextlib
from collections.abc import AsyncIterator

import pytest

from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.entries import log_key
from openclaw_gateway.sessions.redis.urls import parsed
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import some, texts
from tests.sessions.rounds_contract import CALLS, ME, SAID, found
from tests.sessions.test_redis_outage import Teller

REQUEST = b"\0" * 16
MADE_HERE = "chatcmpl_01234567-89ab-4cde-a012-0123456789ab"


@contextlib.asynccontextmanager
async def bus(valkey: Valkey, gateway: str) -> AsyncIterator[RedisBus]:
    found = RedisBus(parsed(valkey.url), gateway=gateway)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


@pytest.mark.parametrize("order", [(1, 9), (9, 1)], ids=["a newer one", "an older one"])
async def test_runs_that_clients_call_the_same_have_logs_of_their_own(
    valkey: Valkey, order: tuple[int, int]
) -> None:
    async with (
        bus(valkey, "mine") as mine,
        bus(valkey, "mine") as sibling,
        bus(valkey, "theirs") as theirs,
        bus(valkey, "theirs") as other,
    ):
        reader, another = sibling.subscribe("one"), other.subscribe("one")
        own, foreign = Teller(mine, "one", order[0]), Teller(theirs, "one", order[1])
        own.say(*texts("a"))
        assert await some(reader, 1) == texts("a")
        foreign.say(*texts("x", "y"))
        assert await some(another, 2) == texts("x", "y")
        own.say(*texts("b"))
        assert await some(reader, 1) == texts("b")
        reader.close()
        another.close()


async def test_what_another_gateway_was_asked_first_is_no_earlier_attempt_here(valkey: Valkey) -> None:
    async with bus(valkey, "mine") as mine, bus(valkey, "theirs") as theirs:
        theirs.attempts.began(REQUEST, "chatcmpl_theirs")
        assert await theirs.attempts.begun(REQUEST) == "chatcmpl_theirs"
        assert await mine.attempts.begun(REQUEST) is None


async def test_nobody_is_told_what_was_said_of_the_same_calls_at_another_gateway(valkey: Valkey) -> None:
    """A model may call its calls by number."""
    async with bus(valkey, "mine") as mine, bus(valkey, "theirs") as theirs, bus(valkey, "mine") as sibling:
        await theirs.rounds.keep(ME, CALLS, SAID)
        assert await found(mine.rounds) is None
        await mine.rounds.keep(ME, CALLS, SAID)
        assert await found(sibling.rounds) == SAID


def test_a_run_that_was_named_here_has_the_key_by_which_older_releases_find_it() -> None:
    assert log_key("mine", MADE_HERE) == log_key("theirs", MADE_HERE) == log_key("", MADE_HERE)
    assert log_key("mine", "one") != log_key("theirs", "one")

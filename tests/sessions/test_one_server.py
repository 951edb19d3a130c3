"""Several gateways, with stores of their own, at one server: what is found by what clients say is never
another's. (Logs are found by names of runs, which are made here.)"""

import contextlib
from collections.abc import AsyncIterator

from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from tests.engines.valkey import Valkey
from tests.sessions.rounds_contract import CALLS, ME, SAID, found

REQUEST = b"\0" * 16


@contextlib.asynccontextmanager
async def bus(valkey: Valkey, gateway: str) -> AsyncIterator[RedisBus]:
    found = RedisBus(parsed(valkey.url), gateway=gateway)
    await found.open()
    try:
        yield found
    finally:
        await found.close()


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

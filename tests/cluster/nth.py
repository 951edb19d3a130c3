"""The nth thing that goes to an engine is struck while a session is asked something: what a client hears of
it, and what is to hold afterwards, whatever was struck. Works on gateways of this process over a real
PostgreSQL and a real Valkey, each behind one network. Knows no test.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any, Literal
from unittest import mock

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway import engines
from openclaw_gateway.errors import StoreError
from openclaw_gateway.gateway.principal import OPERATOR
from openclaw_gateway.sessions.postgres.store import PostgresStore
from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.link import Pace
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.sessions.shared import Role
from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, Recorded, Reply, says
from tests.cluster.asking import CHAT, Heard, heard_of
from tests.cluster.fault_proxy import FaultProxy, How, Strike

Engine = Literal["store", "bus"]
MODEL = "mock-nth"
LEASE_S = 4.0
# What is never answered is late so soon, that hundreds of it can be waited for.
STATEMENT_S = 0.4
PACE = Pace(connect_s=0.4, answer_s=0.4, quiet_s=0.4)
DEADLINE_S = 20.0
# What a client may hear in place of an answer: all of it passes, and says so.
PASSING = frozenset({"store_unavailable", "store_busy", "run_interrupted", "run_not_open", "fenced"})
USER, ASSISTANT = "UserMessage", "AssistantMessage"
_HOLD = "hold "


class Blow(Struct, frozen=True):
    engine: Engine
    how: How
    nth: int


class Told(Struct, frozen=True):
    """One answer. `may_repeat` is what its headers tell a client that asks again by itself."""

    status: int
    heard: Heard
    may_repeat: bool
    retry_after: str | None


class Small(PostgresStore):
    """One that is soon sure that it hears nothing."""

    def __init__(self, url: str, *, max_queued: int) -> None:
        super().__init__(url, max_queued=max_queued, statement_s=STATEMENT_S)

    def leaked(self) -> str:
        """What is not given back of its connections and tasks; "" = nothing."""
        pool = self._pool
        if pool._tasks or pool._count != len(pool._idle) or pool._waiting:
            return f"{pool._count} connections, {len(pool._idle)} idle, {len(pool._tasks)} acts"
        return ""


class House:
    """`asked` is the gateway that clients ask; `store` looks at the database with nothing between."""

    def __init__(
        self, every: list[RunningGateway], ways: Mapping[Engine, FaultProxy], models: ModelServer
    ) -> None:
        self.every = every
        self.asked = every[0]
        self.stores: list[Small] = []
        self.buses: list[RedisBus] = []
        self.store: PostgresStore
        self.heard: Counter[str] = Counter()
        self._ways = ways
        self._calls = 0
        models.compute(MODEL, self._reply)

    def strike(self, engine: Engine, strike: Strike | None) -> None:
        self._ways[engine].strike = strike

    def _reply(self, request: Recorded) -> Reply:
        """Unlike every answer before."""
        self._calls += 1
        asked = [message for message in request.messages if message.get("role") == "user"][-1]["content"]
        if asked.startswith(_HOLD):
            return says("half ", Hold(asyncio.Event()))
        return says(f"to {asked} ", "there is ", f"answer {self._calls}")

    async def ask(self, session: str, text: str, *, key: str | None = None, stream: bool = False) -> Told:
        """Whatever comes, in time. Raises TimeoutError."""
        body = {"model": "openclaw", "messages": [{"role": "user", "content": text}], "stream": stream}
        headers = {**self.asked.headers, "Content-Type": "application/json"}
        headers["x-openclaw-session-key"] = session
        if key is not None:
            headers["Idempotency-Key"] = key
        async with (
            asyncio.timeout(DEADLINE_S),
            aiohttp.ClientSession() as http,
            http.post(f"{self.asked.url}{CHAT}", data=msgspec.json.encode(body), headers=headers) as response,
        ):
            text = await response.text()
            may_repeat = response.headers.get("x-should-retry") != "false"
            heard = heard_of(response.status, text)
            told = Told(response.status, heard, may_repeat, response.headers.get("Retry-After"))
        if told.heard.answer is None:
            self.heard[f"{told.status} {told.heard.code}"] += 1
        return told

    async def said(self, session: str) -> list[tuple[str, str]]:
        """(role, text) of each entry, which are numbered without a gap."""
        entries = await self.store.transcript(OPERATOR.owner, session)
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        return [(type(entry.message).__name__, str(entry.message.content)) for entry in entries]

    async def stop(self, session: str) -> None:
        await self.asked.gateway.abort_session(OPERATOR, session)

    async def quiet(self, session: str) -> None:
        """Wait until nothing is left at work anywhere. Raises TimeoutError, which says what is."""
        left = ""
        try:
            async with asyncio.timeout(DEADLINE_S):
                while left := await self._left(session):  # noqa: ASYNC110 - no event says so
                    await asyncio.sleep(0.01)
                left = "the bus is not back"
                for one in self.buses:
                    for other in self.buses:
                        await _hear_of_each_other(one, other)
        except TimeoutError as error:
            raise TimeoutError(f"{session}: {left}") from error

    async def _left(self, session: str) -> str:
        live = [each.gateway.live_runs() for each in self.every]
        if any(live):
            return f"{live} live runs"
        if found := await self.store.open_runs(OPERATOR.owner, session):
            return f"open: {found}"
        return "; ".join(filter(None, (store.leaked() for store in self.stores)))


async def _hear_of_each_other(one: RedisBus, other: RedisBus) -> None:
    with closing(other.watch("nth")) as watch:
        is_rung = False
        while not is_rung:
            one.ring("nth")
            is_rung = await watch.ring(0.1)


@asynccontextmanager
async def house(
    folder: Path, models: ModelServer, database: str, bus_port: int, *roles: Role
) -> AsyncIterator[House]:
    """Gateways of these roles, ready; `database` is an address of PostgreSQL on this machine."""
    place = database.rpartition("@")[2].split("/")[0]
    stores: list[Small] = []
    buses: list[RedisBus] = []

    def store(url: str, *, max_queued: int) -> Small:
        stores.append(Small(url, max_queued=max_queued))
        return stores[-1]

    def bus(url: str, *, gateway: str) -> RedisBus:
        buses.append(RedisBus(parsed(url), gateway=gateway, pace=PACE))
        return buses[-1]

    async with AsyncExitStack() as stack:
        stack.enter_context(mock.patch.object(engines, "store", store))
        stack.enter_context(mock.patch.object(engines, "bus", bus))
        way = await stack.enter_async_context(FaultProxy(int(place.rpartition(":")[2])))
        bus_way = await stack.enter_async_context(FaultProxy(bus_port))
        shared: Mapping[str, Any] = {
            "store": {"url": database.replace(place, f"127.0.0.1:{way.port}"), "leaseSeconds": LEASE_S},
            "bus": {"url": f"redis://127.0.0.1:{bus_way.port}"},
        }
        config = model_config(models.base_url, shared, model=MODEL)
        every = []
        for number, role in enumerate(roles):
            state_dir = folder / f"{number}-{role}"
            every.append(
                await stack.enter_async_context(running_gateway(config, state_dir=state_dir, role=role))
            )
        found = House(every, {"store": way, "bus": bus_way}, models)
        found.stores = stores
        found.buses = buses
        found.store = PostgresStore(database)
        await found.store.open()
        stack.push_async_callback(found.store.close)
        yield found


# What is done to a session, while something is struck. Each leaves what a client knows of it.

Scene = Callable[[House, str], Awaitable[None]]


async def asked(house: House, session: str) -> None:
    await _asked(house, session, stream=False)


async def streamed(house: House, session: str) -> None:
    await _asked(house, session, stream=True)


async def _asked(house: House, session: str, *, stream: bool) -> None:
    """Without a name for it, so that nobody asks again."""
    told = await house.ask(session, "first", stream=stream)
    _is_honest(told)
    house.strike("store", None)
    await house.quiet(session)
    said = await house.said(session)
    assert len(said) in (0, 2), said
    if told.heard.answer is not None:
        assert said == [(USER, "first"), (ASSISTANT, told.heard.answer)]


async def repeated(house: House, session: str) -> None:
    """Twice at once under one name, and again and again until it is answered."""

    async def insists(*, stream: bool) -> str:
        until = time.monotonic() + DEADLINE_S
        while True:
            told = await house.ask(session, "first", key=session, stream=stream)
            if told.heard.answer is not None:
                return told.heard.answer
            _is_honest(told, "idempotency_key_in_use")
            assert time.monotonic() < until, told
            await asyncio.sleep(0.05)

    answers = await asyncio.gather(insists(stream=False), insists(stream=True))
    assert await insists(stream=False) == answers[0] == answers[1], answers
    assert await house.said(session) == [(USER, "first"), (ASSISTANT, answers[0])]


async def stopped(house: House, session: str) -> None:
    """By somebody else, once it has begun to speak."""
    asking = asyncio.create_task(house.ask(session, f"{_HOLD}on", stream=True))
    while not asking.done():
        with suppress(StoreError):
            await house.stop(session)
        await asyncio.wait([asking], timeout=0.1)
    told = await asking
    assert told.heard.answer is None
    _is_honest(told, "run_aborted", "cut")
    await house.quiet(session)
    assert (await house.said(session))[:1] in ([], [(USER, f"{_HOLD}on")])


SCENES: tuple[Scene, ...] = (asked, streamed, repeated, stopped)


def _is_honest(told: Told, *more: str) -> None:
    if told.heard.answer is None:
        assert told.heard.code in {*PASSING, *more}, told
        # Who asks again by itself is told when; who may do something twice by that, not to.
        assert told.status < 500 or told.may_repeat == (told.retry_after is not None), told


async def struck(house: House, scene: Scene, blow: Blow) -> bool:
    """Whether anything was struck. Raises AssertionError, TimeoutError where anything is not as it should
    be, then or afterwards."""
    session = f"agent:main:{scene.__name__}-{blow.how}-{blow.nth}"
    strike = Strike(blow.nth, blow.how)
    house.strike(blow.engine, strike)
    try:
        await scene(house, session)
        house.strike(blow.engine, None)
        await house.quiet(session)
        before = await house.said(session)
        told = await house.ask(session, "and then")
        assert (told.status, told.heard.code) == (200, ""), told
        assert await house.said(session) == [*before, (USER, "and then"), (ASSISTANT, told.heard.answer)]
        await house.quiet(session)
    except (AssertionError, TimeoutError) as error:
        error.add_note(f"{scene.__name__}, {blow}")
        raise
    finally:
        house.strike(blow.engine, None)
    return strike.has_fallen

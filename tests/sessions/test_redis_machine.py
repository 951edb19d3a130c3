"""RedisBus put through whatever order of holders, zombies, readers, broken networks, and servers that hang or
lose everything: each reader sees a log without a gap or a repeat, the newest holder's last, and that to its
end."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openclaw_gateway.sessions.redis.bus import RedisBus
from openclaw_gateway.sessions.redis.urls import parsed
from openclaw_gateway.wire.events import Event, RunEnded, TextDelta
from tests.engines.faulty_link import FaultyLink, faulty_link
from tests.engines.valkey import Valkey
from tests.sessions.bus_contract import ENDED, SOON
from tests.sessions.test_redis_outage import QUICK

ENDS = 3
place = st.integers(0, ENDS - 1)
step = st.one_of(
    st.tuples(st.just("hold"), place, st.just(0)),
    st.tuples(st.just("say"), st.just(0), st.integers(1, 40)),
    st.tuples(st.just("zombie"), st.just(0), st.integers(1, 3)),
    st.tuples(st.just("read"), place, st.just(0)),
    st.tuples(st.just("let"), st.just(0), st.integers(0, 20)),
    st.tuples(st.sampled_from(["restart_server", "pause_server", "resume_server"]), place, st.just(0)),
    st.tuples(st.sampled_from(["cut_link", "hold_link", "refuse_link", "heal_link"]), place, st.just(0)),
)
Step = tuple[str, int, int]
FAULTS = ("_link", "_server")


class Holder:
    def __init__(self, bus: RedisBus, token: int) -> None:
        self._bus, self.token = bus, token
        self.said: list[Event] = []

    def say(self, count: int) -> bool:
        words = [TextDelta(f"{self.token}:{len(self.said) + n}") for n in range(count)]
        return self._tell(words)

    def end(self) -> bool:
        return self._tell([ENDED])

    def _tell(self, events: Sequence[Event]) -> bool:
        taken = self._bus.emit("r", self.token, len(self.said), events)
        self.said += events
        return taken


class Scene:
    def __init__(self, server: Valkey, buses: list[RedisBus], links: list[FaultyLink]) -> None:
        self._server, self._buses, self._links = server, buses, links
        self._holders = [Holder(buses[0], 1)]
        self._reading: list[asyncio.Task[list[Event]]] = []

    async def do(self, what: str, at: int, count: int) -> None:
        match what:
            case "hold":
                self._holders.append(Holder(self._buses[at], len(self._holders) + 1))
                assert self._holders[-1].say(1)
            case "say":
                assert self._holders[-1].say(count)
            case "zombie":
                for holder in self._holders[:-1]:
                    holder.say(count)
            case "read":
                self._reading.append(asyncio.create_task(self._read(self._buses[at])))
            case "let":
                await asyncio.sleep(count / 1000)
            case "restart_server":
                self._server.resume()
                self._server.kill()
                self._server.start()
            case "pause_server":
                self._server.pause()
            case "resume_server":
                self._server.resume()
            case _:
                getattr(self._links[at], what.removesuffix("_link"))()

    async def judge(self) -> None:
        self._server.resume()
        for link in self._links:
            link.heal()
        last = self._holders[-1]
        assert last.end()
        for at in range(ENDS):
            await self.do("read", at, 0)
        # A holder whose lease is over stops by itself; until then it is told to.
        for holder in self._holders[:-1]:
            while holder.say(1):  # noqa: ASYNC110 - nobody tells of it
                await asyncio.sleep(0.005)
        for seen in await asyncio.gather(*self._reading):
            assert seen[-len(last.said) :] == last.said
            _follows(seen[: -len(last.said)])

    async def _read(self, bus: RedisBus) -> list[Event]:
        reader = bus.subscribe("r")
        seen: list[Event] = []
        while not seen or type(seen[-1]) is not RunEnded:
            seen += await reader.batch()
        reader.close()
        return seen


def _follows(seen: Sequence[Event]) -> None:
    """What older holders said: each from its beginning, one after the other."""
    token, at = 0, 0
    for event in seen:
        assert isinstance(event, TextDelta)
        now, number = map(int, event.text.split(":"))
        assert (now, number) == (token, at) if now == token else now > token and number == 0, event
        token, at = now, number + 1


async def _play(valkey: Valkey, steps: list[Step]) -> None:
    async with asyncio.timeout(4 * SOON), AsyncExitStack() as stack:
        links = [await stack.enter_async_context(faulty_link(valkey.port)) for _ in range(ENDS)]
        buses = [RedisBus(parsed(link.url), pace=QUICK) for link in links]
        for bus in buses:
            await bus.open()
            stack.push_async_callback(bus.close)
        scene = Scene(valkey, buses, links)
        for each in steps:
            await scene.do(*each)
        await scene.judge()


@pytest.mark.parametrize("way", ["calm", "rough"])
def test_every_reader_sees_a_whole_log(own_valkey: Valkey, way: str) -> None:
    kinds = st.lists(step, max_size=25)
    if way == "calm":
        kinds = st.lists(step.filter(lambda each: not each[0].endswith(FAULTS)), max_size=25)

    @settings(max_examples=25, suppress_health_check=list(HealthCheck))
    @given(kinds)
    def played(steps: list[Step]) -> None:
        own_valkey.resume()
        own_valkey.say("FLUSHALL")
        asyncio.run(_play(own_valkey, steps))

    played()

"""What befalls a cluster: one trouble after the other, drawn from a seed, each of which passes. At least one
replica is well at any time, so that what is to be done can be done.
"""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from tests.cluster.clocks import Clock
from tests.cluster.fault_proxy import (
    BLACK_HOLE,
    HALF_OPEN_DOWN,
    HALF_OPEN_UP,
    PASS,
    REFUSED,
    SLOW_AND_LOSSY,
    Network,
)
from tests.cluster.history import Befallen, Outage
from tests.cluster.replicas import Replica

_GAP_S = (0.7, 2.0)
_AWAY_S = (0.0, 1.0)
_JUMPS_S = (-86_400, -3_600, 0, 3_600, 86_400)
NETWORKS: tuple[tuple[str, Network], ...] = (
    ("black hole", BLACK_HOLE),
    ("half-open up", HALF_OPEN_UP),
    ("half-open down", HALF_OPEN_DOWN),
    ("slow and lossy", SLOW_AND_LOSSY),
    ("refused", REFUSED),
)
Trouble = Callable[[], Coroutine[Any, Any, None]]


class Engine(Protocol):
    """A server that can be taken away as a power cut does it, and comes back at the same port."""

    def kill(self) -> None: ...

    def start(self) -> None: ...


class Troubles:
    """`engines` are by the names of the replicas' ways to them. `outages` are of the engine "store"; `befell`
    has each trouble, once it has passed."""

    def __init__(
        self,
        replicas: Sequence[Replica],
        chance: random.Random,
        *,
        lease_s: float,
        engines: dict[str, Engine] | None = None,
        clocks: Sequence[Clock] = (),
    ) -> None:
        self.befell: list[Befallen] = []
        self.outages: list[Outage] = []
        self._replicas = replicas
        self._chance = chance
        self._lease_s = lease_s
        self._engines = engines or {}
        self._clocks = clocks
        self._struck: set[str] = set()
        self._away: set[str] = set()

    async def processes(self, until: Callable[[], bool]) -> None:
        """Replicas are killed, or stand still for longer than their lease."""
        await self._go_on(until, (self._kill, self._pause))

    async def everything(self, until: Callable[[], bool]) -> None:
        """The same, and networks fail, and engines."""
        kinds = [self._kill, self._pause, self._network, self._network, self._reset]
        kinds += [self._engine] if self._engines else []
        await self._go_on(until, (*kinds, *([self._clock] if self._clocks else ())))

    async def _go_on(self, until: Callable[[], bool], kinds: Sequence[Trouble]) -> None:
        """Returns when the last of them has passed."""
        async with asyncio.TaskGroup() as befalling:
            while not until():
                befalling.create_task(self._chance.choice(kinds)())
                await asyncio.sleep(self._chance.uniform(*_GAP_S))

    def _one(self) -> Replica | None:
        """One that is well, unless it is the last that is."""
        well = [each for each in self._replicas if each.name not in self._struck]
        return self._chance.choice(well) if len(well) > 1 else None

    async def _kill(self) -> None:
        if (one := self._one()) is None:
            return
        with self._befalling("kill -9", one):
            await one.kill()
            await asyncio.sleep(self._chance.uniform(*_AWAY_S))
            await one.start()

    async def _pause(self) -> None:
        if (one := self._one()) is None:
            return
        with self._befalling("SIGSTOP", one):
            one.pause()
            await asyncio.sleep(1.6 * self._lease_s)
            one.go_on()

    async def _network(self) -> None:
        if (one := self._one()) is None or not one.ways:
            return
        engine = self._chance.choice(sorted(one.ways))
        name, network = self._chance.choice(NETWORKS)
        with self._befalling(f"{name} to the {engine}", one):
            one.ways[engine].turn(network)
            await asyncio.sleep(self._chance.uniform(0.3, 1.6) * self._lease_s)
            one.ways[engine].turn(PASS)

    async def _reset(self) -> None:
        """Of any replica, also one that something else has befallen."""
        one = self._chance.choice(self._replicas)
        if one.ways:
            engine = self._chance.choice(sorted(one.ways))
            with self._noted(f"reset to the {engine}", one.name):
                one.ways[engine].reset()

    async def _clock(self) -> None:
        jump = self._chance.choice(_JUMPS_S)
        with self._noted(f"clock {jump:+d} s", "one"):
            self._chance.choice(self._clocks).jump(jump)

    async def _engine(self) -> None:
        name = self._chance.choice(sorted(self._engines))
        if name in self._away:
            return
        self._away.add(name)
        engine = self._engines[name]
        began = time.time()
        with self._noted(f"kill -9 of the {name}", "all"):
            await asyncio.to_thread(engine.kill)
            await asyncio.sleep(self._chance.uniform(*_AWAY_S))
            await asyncio.to_thread(engine.start)
        if name == "store":
            self.outages.append(Outage(began, time.time()))
        self._away.discard(name)

    @contextmanager
    def _befalling(self, what: str, one: Replica) -> Iterator[None]:
        self._struck.add(one.name)
        with self._noted(what, one.name):
            yield
        self._struck.discard(one.name)

    @contextmanager
    def _noted(self, what: str, whom: str) -> Iterator[None]:
        began = time.time()
        yield
        self.befell.append(Befallen(what, whom, began, time.time()))

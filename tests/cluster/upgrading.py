"""One release of a gateway is replaced by another, process by process, over the same PostgreSQL and Valkey,
while clients ask, stop what they asked for, and come back to what was cut; and part of the way back again.
First each process is ended in order, then some are killed. What comes of it is judged by the checker.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import asyncpg
from msgspec import Struct

from openclaw_gateway.testing.balancer import Balancer, balancing
from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster import audit
from tests.cluster.asking import Asking
from tests.cluster.history import Event, History
from tests.cluster.insisting import Insisting
from tests.cluster.logs import logs
from tests.cluster.releases import Release
from tests.cluster.replicas import Replica
from tests.cluster.shared import Engines, cluster, engines
from tests.cluster.trial import MODEL, Model, settled
from tests.cluster.unanswered import unanswered

ROLES = {"front-1": "front", "front-2": "front", "worker-1": "worker", "worker-2": "worker", "all-1": "all"}
SESSIONS = 6
CLIENTS_EACH = 2
_STOPPING = 2
_COMING_BACK = 4
_LEASE_S = 5.0
_TOLD_S = 2.0
_MOST_LOGS = 200
_ALL_DOORS = {"gateway": {"http": {"endpoints": {"responses": {"enabled": True}}}}}


class Step(Struct, frozen=True):
    """From now on the process of this name is of the newer release, or again of the older one."""

    name: str
    is_newer: bool
    is_killed: bool = False


# All begin as the older one. Each kind of a newer process has all kinds of older ones beside it, and is one
# of those again that began the way.
STEPS = (
    Step("front-1", is_newer=True),
    Step("worker-1", is_newer=True),
    Step("front-1", is_newer=False),
    Step("worker-1", is_newer=False),
    Step("worker-2", is_newer=True),
    Step("all-1", is_newer=True),
    Step("front-2", is_newer=True),
    Step("worker-1", is_newer=True, is_killed=True),
    Step("worker-2", is_newer=False, is_killed=True),
    Step("all-1", is_newer=False, is_killed=True),
    Step("front-1", is_newer=True, is_killed=True),
    Step("all-1", is_newer=True, is_killed=True),
    Step("worker-2", is_newer=True, is_killed=True),
)


class At(Struct, frozen=True):
    """What clients ask: not this one or that one, but the one address."""

    name: str
    url: str


class Upgraded(Struct, frozen=True):
    """`orderly` and `killed` count what clients had in place of an answer, by status and code, while
    processes were ended in order, and while they were killed. `schemas` are those of the database, from the
    first process to the last."""

    history: History
    orderly: Counter[str]
    killed: Counter[str]
    wrong: tuple[str, ...]
    done: Counter[str]
    statuses: tuple[int, ...]
    schemas: tuple[int, int]
    seconds: float


class Load:
    """All clients, at the one address."""

    def __init__(self, url: str, models: ModelServer, chance: random.Random) -> None:
        self._asking = Asking([At("balancer", url)], chance)
        self._insisting = Insisting(url, chance)
        model = Model(models)
        models.compute(MODEL, lambda request: self._insisting.reply(request) or model.reply(request))
        self.asked = self._asking.asked
        self.done = self._insisting.done
        self.wrong = self._insisting.wrong

    def refused(self) -> Counter[str]:
        return Counter(self._asking.refused) + self._insisting.refused

    def start(self, tasks: asyncio.TaskGroup, over: asyncio.Event) -> None:
        for number in range(SESSIONS * CLIENTS_EACH):
            tasks.create_task(self._asking.client(f"s{number % SESSIONS}", over.is_set))
        for number in range(_STOPPING):
            tasks.create_task(self._insisting.stops(f"stop{number}", over.is_set))
        for number in range(_COMING_BACK):
            tasks.create_task(self._insisting.comes_back(f"back{number}", over.is_set))


async def upgraded(folder: Path, older: Release, newer: Release, *, seconds: float, seed: int) -> Upgraded:
    """Raises NotInstalled where there are no engines."""
    chance = random.Random(seed)  # noqa: S311
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - nobody waits
    async with (
        engines(folder / "engines") as shared,
        ModelServer(keeps=1) as models,
        cluster(
            folder,
            models,
            shared,
            names=tuple(ROLES),
            roles=ROLES,
            model=MODEL,
            lease_s=_LEASE_S,
            more=_ALL_DOORS,
            environs=dict.fromkeys(ROLES, older.environ()),
            seed=seed,
        ) as found,
    ):
        schema = await _schema(shared.url)
        fronts = [each for each in found if each.role != "worker"]
        began = time.monotonic()
        async with balancing([each.url for each in fronts]) as (url, balancer):
            await balancer.wait_ready(len(fronts))
            load = Load(url, models, chance)
            moving = Moving(found, balancer, (older, newer), shared)
            over = asyncio.Event()
            try:
                async with asyncio.TaskGroup() as tasks:
                    load.start(tasks, over)
                    orderly = [step for step in STEPS if not step.is_killed]
                    killed = [step for step in STEPS if step.is_killed]
                    await moving.through(orderly, seconds / len(STEPS))
                    refused = load.refused()
                    await moving.through(killed, seconds / len(STEPS))
                    over.set()
                await settled(shared.url, found)
            except BaseException as error:
                error.add_note(await unanswered(shared.url, load.asked, found))
                raise
        held = await audit.held(shared.url)
        history = History(
            asked=tuple(load.asked),
            transcripts=held.transcripts,
            runs=held.runs,
            ledger=held.ledger,
            holds=held.holds,
            written=held.written,
            events=tuple(moving.events),
        )
        return Upgraded(
            history,
            refused,
            load.refused() - refused,
            tuple(load.wrong),
            load.done,
            tuple(moving.statuses),
            (schema, await _schema(shared.url)),
            time.monotonic() - began,
        )


class Moving:
    """The processes on their way. `statuses` are the exit statuses of those that were ended in order."""

    def __init__(
        self,
        found: Sequence[Replica],
        balancer: Balancer,
        releases: tuple[Release, Release],
        shared: Engines,
    ) -> None:
        self.statuses: list[int] = []
        self.events: list[Event] = []
        self._found = {each.name: each for each in found}
        self._balancer = balancer
        self._fronts = len(balancer.ready)
        self._releases = releases
        self._shared = shared
        self._read: set[str] = set()

    async def through(self, steps: Sequence[Step], each_s: float) -> None:
        for step in steps:
            until = time.monotonic() + each_s
            await self._take(step)
            await asyncio.sleep(until - time.monotonic())
            await self._read_logs()

    async def _take(self, step: Step) -> None:
        one = self._found[step.name]
        if step.is_killed:
            await one.kill()
        else:
            one.ask_to_end()
            self.statuses.append(await one.ended())
        one.environ.update(self._releases[step.is_newer].environ())
        await one.start()
        await self._balancer.wait_ready(self._fronts)

    async def _read_logs(self) -> None:
        """Of the runs that have ended since; the bus forgets them after a while."""
        ended = [each for each in await audit.completed(self._shared.url, _TOLD_S) if each not in self._read]
        self._read.update(ended)
        self.events += await logs(self._shared.bus.port, ended[-_MOST_LOGS:])


async def _schema(url: str) -> int:
    link = await asyncpg.connect(url)
    try:
        return int(await link.fetchval("SELECT max(version) FROM schema_version"))
    finally:
        await link.close()

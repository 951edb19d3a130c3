"""One trial of a cluster: replicas that share two engines, clients that ask, troubles that befall; and then
what there is to be judged. Draws everything from one seed, but for how fast the machine is.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.testing.model_server import ModelServer, Pause, Recorded, Reply, says
from tests.cluster import audit
from tests.cluster.asking import Asking
from tests.cluster.claim_rules import Takeover, takeovers
from tests.cluster.clocks import Clock
from tests.cluster.history import Befallen, History
from tests.cluster.logs import logs
from tests.cluster.replicas import Replica
from tests.cluster.shared import NAMES, cluster, engines
from tests.cluster.troubles import Troubles
from tests.cluster.unanswered import unanswered

MODEL = "mock-trial"
SESSIONS = 12
CLIENTS_EACH = 2
_SETTLED_S = 60.0
# What is said reaches the bus a moment later; and a log is not kept for long once it has ended.
_TOLD_S = 2.0
_MOST_LOGS = 500
# A process that starts, or links that are opened anew, have their time.
_JUST_S = 1.0


class Outcome(Struct, frozen=True):
    """`refused` counts what clients had in place of an answer, before they had one; `calls` those of the
    model, which are more than answers by what was executed twice."""

    history: History
    befell: tuple[Befallen, ...]
    refused: dict[str, int]
    calls: int
    seconds: float

    @property
    def answers(self) -> int:
        return len({asked.key for asked in self.history.asked if asked.answer is not None})

    @property
    def troubles(self) -> Counter[str]:
        return Counter(one.what for one in self.befell)

    @property
    def takeovers(self) -> tuple[Takeover, ...]:
        """The latest last."""
        return tuple(sorted(takeovers(self.history), key=lambda one: one.waited_s))

    def during(self, one: Takeover) -> tuple[Befallen, ...]:
        """What befell while a session was without a holder, and what had not passed for long."""
        return tuple(
            each
            for each in self.befell
            if each.from_s <= one.until_s and each.until_s >= one.from_s - _JUST_S
        )


class Model:
    """Answers each question unlike every answer before: two executions of one run can be told apart."""

    def __init__(self, server: ModelServer) -> None:
        self.calls = 0
        server.compute(MODEL, self.reply)

    def reply(self, request: Recorded) -> Reply:
        self.calls += 1
        asked = [message for message in request.messages if message.get("role") == "user"][-1]
        pause = Pause(0.02)
        return says(pause, f"to {asked['content']} ", pause, "there is ", pause, f"answer {self.calls}")


async def trial(folder: Path, *, seed: int, seconds: float, lease_s: float = 2.0) -> Outcome:
    """In the first half only processes are struck, in the second networks, engines and clocks as well. Raises
    NotInstalled where there are no engines."""
    chance = random.Random(seed)  # noqa: S311
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - nobody waits
    clocks = {name: Clock(folder / f"clock-{name}") for name in NAMES}
    environs = {name: clock.environ() for name, clock in clocks.items()}
    async with (
        engines(folder / "engines") as shared,
        ModelServer(keeps=1) as models,
        cluster(folder, models, shared, model=MODEL, lease_s=lease_s, environs=environs, seed=seed) as found,
    ):
        model = Model(models)
        asking = Asking(found, chance)
        troubles = Troubles(
            found,
            chance,
            lease_s=lease_s,
            engines={"store": shared.postgres, "bus": shared.bus},
            clocks=tuple(clocks.values()),
        )
        began = time.monotonic()

        def half_over() -> bool:
            return time.monotonic() - began > seconds / 2

        def over() -> bool:
            return time.monotonic() - began > seconds

        try:
            async with asyncio.TaskGroup() as tasks:
                for number in range(SESSIONS * CLIENTS_EACH):
                    tasks.create_task(asking.client(f"s{number % SESSIONS}", over))
                await troubles.processes(half_over)
                # From now on the bus has its troubles too, and may lose what it has.
                told = await audit.completed(shared.url, _TOLD_S)
                events = await logs(shared.bus.port, told[-_MOST_LOGS:])
                await troubles.everything(over)
            await settled(shared.url, found)
        except BaseException as error:
            error.add_note(await unanswered(shared.url, asking.asked, found))
            raise
        took = time.monotonic() - began
        held = await audit.held(shared.url)
    history = History(
        asked=tuple(asking.asked),
        transcripts=held.transcripts,
        runs=held.runs,
        ledger=held.ledger,
        holds=held.holds,
        written=held.written,
        events=events,
        outages=tuple(troubles.outages),
    )
    return Outcome(history, tuple(troubles.befell), asking.refused, model.calls, took)


async def settled(url: str, found: Sequence[Replica]) -> None:
    """Everybody is there again, and what was begun has ended. Raises TimeoutError."""
    for each in found:
        await each.ready()
    async with asyncio.timeout(_SETTLED_S):
        while await audit.open_runs(url):  # noqa: ASYNC110 - no event says so
            await asyncio.sleep(0.1)

"""What all processes of a gateway may do at once: they count together, also when one of them is killed or the
bus is away."""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cluster.replicas import Replica, headers
from tests.cluster.shared import Engines, cluster, engines
from tests.cluster.skipping import without_engines

CHAT = "/v1/chat/completions"
WAIT_S = 60.0


class Asking:
    """Who asks at any replica."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def status(self, replica: Replica, text: str, **more: Any) -> int:
        body = msgspec.json.encode({"messages": [{"role": "user", "content": text}], **more})
        async with self._session.post(f"{replica.url}{CHAT}", data=body, headers=headers()) as response:
            told = await response.json()
            if response.status == 503:
                assert told["error"]["code"] == "overloaded", told
                assert int(response.headers["Retry-After"]) > 0
            return response.status

    async def until_taken(self, replica: Replica, text: str) -> None:
        """Asked until it is answered: a place has come free."""
        async with asyncio.timeout(WAIT_S):
            while await self.status(replica, text) != 200:
                pass


@asynccontextmanager
async def fleet(
    folder: Path,
    models: ModelServer,
    most: int,
    names: str,
    roles: Mapping[str, str] | None = None,
    *,
    lease_s: float = 30.0,
) -> AsyncIterator[tuple[list[Replica], Asking, Engines]]:
    """The lease is short only where one is killed: a process that a busy machine lets wait is to keep it."""
    more = {"agents": {"defaults": {"maxConcurrent": most}}}
    with without_engines():
        async with (
            engines(folder / "engines") as shared,
            cluster(
                folder, models, shared, names=tuple(names), roles=roles, lease_s=lease_s, more=more
            ) as found,
            aiohttp.ClientSession() as session,
        ):
            yield found, Asking(session), shared


def held(models: ModelServer, gate: asyncio.Event, count: int) -> None:
    """So many answers that wait for the gate, and then quick ones."""
    models.enqueue(*(says("a ", Hold(gate), "b") for _ in range(count)))


@pytest.mark.promise("max-runs-shared")
async def test_no_more_runs_than_one_process_would_take(models: ModelServer, tmp_path: Path) -> None:
    gate = asyncio.Event()
    held(models, gate, 3)
    async with fleet(tmp_path, models, 3, "abc") as (every, asking, _):
        begun = [asyncio.create_task(asking.status(each, "hi")) for each in every]
        await models.wait_requests(3)
        assert [await asking.status(each, "me too") for each in every] == [503, 503, 503]
        assert len(models.requests) == 3
        gate.set()
        assert await asyncio.gather(*begun) == [200, 200, 200]
        # Also all of them at one, which the others have left it.
        models.enqueue(*(says("a") for _ in range(3)))
        for _ in range(3):
            await asking.until_taken(every[0], "again")


@pytest.mark.promise("max-runs-at-once")
async def test_of_many_at_once_as_many_are_taken_as_there_are_places(
    models: ModelServer, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    async with fleet(tmp_path, models, 5, "abc") as (every, asking, _):
        asked = [asyncio.create_task(asking.status(every[n % 3], "hi")) for n in range(60)]
        done: set[asyncio.Task[int]] = set()
        async with asyncio.timeout(WAIT_S):
            while len(done) < 55:
                more, _ = await asyncio.wait(
                    set(asked) - done, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED
                )
                done |= more
        assert {each.result() for each in done} == {503}
        await models.wait_requests(5)
        gate.set()
        statuses = await asyncio.gather(*asked)
        assert (statuses.count(200), statuses.count(503)) == (5, 55)
        assert len(models.requests) == 5


async def test_places_of_a_process_that_is_killed_come_free(models: ModelServer, tmp_path: Path) -> None:
    gate = asyncio.Event()
    held(models, gate, 2)
    async with fleet(tmp_path, models, 2, "ab", lease_s=2.0) as ((a, b), asking, _):
        # Not recorded: nobody goes on with them.
        lost = [asyncio.create_task(asking.status(a, "hi")) for _ in range(2)]
        await models.wait_requests(2)
        assert await asking.status(b, "me too") == 503
        await a.kill()
        await asyncio.wait(lost)
        models.enqueue(says("mine"))
        await asking.until_taken(b, "me too")
        for each in lost:
            assert isinstance(each.exception(), aiohttp.ClientError)
        gate.set()


async def test_what_a_killed_worker_had_goes_on_though_all_places_were_taken(
    models: ModelServer, tmp_path: Path
) -> None:
    gate = asyncio.Event()
    held(models, gate, 1)
    roles = {"f": "front", "v": "worker", "w": "worker"}
    async with fleet(tmp_path, models, 1, "fvw", roles, lease_s=2.0) as ((front, *workers), asking, _):
        asked = asyncio.create_task(asking.status(front, "hi", user="ada"))
        await models.wait_requests(1)
        at_work = await _at_work(workers)
        models.enqueue(says("whole"))
        await at_work.kill()
        assert await asked == 200
        gate.set()


async def _at_work(workers: Sequence[Replica]) -> Replica:
    """The one that has taken the run up; its log is a moment behind."""
    async with asyncio.timeout(WAIT_S):
        while not (found := [each for each in workers if "work.taken_up" in each.log]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return found[0]


@pytest.mark.promise("max-runs-queue")
async def test_what_fronts_have_taken_waits_for_a_place(models: ModelServer, tmp_path: Path) -> None:
    gates = [asyncio.Event(), asyncio.Event()]
    models.enqueue(*(says("a ", Hold(gate), "b") for gate in gates))
    roles = {"f": "front", "g": "front", "v": "worker", "w": "worker"}
    async with fleet(tmp_path, models, 1, "fgvw", roles) as ((one, other, *_), asking, _):
        first = asyncio.create_task(asking.status(one, "hi", user="ada"))
        await models.wait_requests(1)
        second = asyncio.create_task(asking.status(other, "hi", user="ben"))
        async with asyncio.timeout(WAIT_S):
            while msgspec.json.decode(await status(other, "--json"))["gateway"]["runs"] != 1:
                pass
        # A front takes no more itself than all may execute.
        assert await asking.status(other, "me too", user="eve") == 503
        assert len(models.requests) == 1
        gates[0].set()
        assert await first == 200
        await models.wait_requests(2)
        gates[1].set()
        assert await second == 200


@pytest.mark.promise("max-runs-share")
async def test_with_the_bus_away_each_process_takes_its_share(models: ModelServer, tmp_path: Path) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("a ", Hold(gate), "b"))
    async with fleet(tmp_path, models, 4, "ab") as ((a, b), asking, shared):
        for each in (a, b):
            await told(each, "0 of 4, in all processes together")
        shared.bus.kill()
        for each in (a, b):
            await told(each, "up to 2", "away: ")
        begun = [asyncio.create_task(asking.status(each, "hi")) for each in (a, a, b, b)]
        await models.wait_requests(4)
        assert [await asking.status(each, "me too") for each in (a, b)] == [503, 503]
        shared.bus.start()
        # It comes back empty, and is told what goes on.
        for each in (a, b):
            await told(each, "4 of 4, in all processes together", without=("up to", "away: "))
        assert [await asking.status(each, "me too") for each in (a, b)] == [503, 503]
        gate.set()
        assert await asyncio.gather(*begun) == [200] * 4


async def told(replica: Replica, *words: str, without: Sequence[str] = ()) -> None:
    """Wait until `openclaw status` says so of a replica."""
    async with asyncio.timeout(WAIT_S):
        while True:
            said = await status(replica)
            if all(each in said for each in words) and not any(each in said for each in without):
                return


async def status(replica: Replica, *words: str) -> str:
    folder = replica.state_dir
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "openclaw_gateway", "status", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env={"OPENCLAW_STATE_DIR": str(folder), "HOME": str(folder), "PATH": "", "COLUMNS": "200"},
    )
    said, _ = await process.communicate()
    return said.decode()

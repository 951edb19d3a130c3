"""Runs that are stopped at another replica than the one that executes them, and how soon their model's
connection is closed."""

import asyncio
import random
import time
from collections.abc import Sequence

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.testing.model_server import Hang, ModelServer, says
from tests.cluster.replicas import Replica, headers

MODEL = "mock-hanging"
_ASK = "/v1/responses"
_DEADLINE_S = 30.0


class Aborted(Struct, frozen=True):
    """Milliseconds from the wish to the end of the model's connection, the shortest first; `statuses` are
    those of the runs afterwards, as any replica tells them."""

    took_ms: tuple[float, ...]
    statuses: frozenset[str]

    def at(self, share: float) -> float:
        return self.took_ms[min(len(self.took_ms) - 1, int(share * len(self.took_ms)))]


class _Response(Struct):
    id: str
    status: str


def script(models: ModelServer) -> None:
    models.script(MODEL, says("half of ", Hang()))


async def aborted(
    replicas: Sequence[Replica], models: ModelServer, count: int, chance: random.Random
) -> Aborted:
    """One after the other, each begun at one replica and stopped at another. Raises TimeoutError."""
    took: list[float] = []
    statuses: set[str] = set()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        for number in range(count):
            here, there, third = chance.choices(replicas, k=3)
            while there is here:
                there = chance.choice(replicas)
            asked, left = models.asked, models.aborted
            body = {"input": "hi", "background": True, "user": f"u{number}"}
            run_id = (await _told(http, "POST", f"{here.url}{_ASK}", body)).id
            await models.wait_requests(asked + 1, deadline_s=_DEADLINE_S)
            began = time.monotonic()
            stopping = asyncio.create_task(_told(http, "POST", f"{there.url}{_ASK}/{run_id}/cancel", {}))
            await models.wait_aborted(left + 1, deadline_s=_DEADLINE_S)
            took.append((time.monotonic() - began) * 1000)
            await stopping
            statuses.add((await _told(http, "GET", f"{third.url}{_ASK}/{run_id}", None)).status)
    return Aborted(tuple(sorted(took)), frozenset(statuses))


async def _told(
    http: aiohttp.ClientSession, method: str, url: str, body: dict[str, object] | None
) -> _Response:
    data = None if body is None else msgspec.json.encode(body)
    async with http.request(method, url, data=data, headers=headers()) as response:
        text = await response.text()
        if response.status != 200:
            raise ValueError(f"{method} {url}: {response.status} {text[:300]}")
        return msgspec.json.decode(text, type=_Response)

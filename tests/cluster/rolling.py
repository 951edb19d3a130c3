"""Replicas that are ended in order and started again, one after the other, while clients ask by way of a
balancer: each of them has its answer at the first attempt."""

import asyncio
import random
from collections.abc import Sequence

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.testing.balancer import balancing
from tests.cluster.asking import CHAT, heard_of
from tests.cluster.replicas import Replica, headers

_CLIENTS = 8
_ANSWER_S = 60.0


class Rolled(Struct, frozen=True):
    """`wrong` are the answers that were none, in words; `statuses` the exit statuses of what was ended."""

    answers: int
    wrong: tuple[str, ...]
    statuses: tuple[int, ...]


async def rolled(
    replicas: Sequence[Replica], restarts: int, chance: random.Random, clients: int = _CLIENTS
) -> Rolled:
    wrong: list[str] = []
    answers = 0
    over = asyncio.Event()
    statuses: list[int] = []
    async with balancing([each.url for each in replicas]) as (url, balancer):
        await balancer.wait_ready(len(replicas))

        async def client(number: int) -> None:
            nonlocal answers
            timeout = aiohttp.ClientTimeout(_ANSWER_S)
            async with aiohttp.ClientSession(timeout=timeout) as http:
                count = 0
                while not over.is_set():
                    count += 1
                    said = f"client {number} question {count}"
                    problem = await _asked(http, url, said, number, chance.random() < 0.5)
                    if problem is not None:
                        wrong.append(f"{said}: {problem}")
                    answers += 1

        async with asyncio.TaskGroup() as asking:
            for number in range(clients):
                asking.create_task(client(number))
            for turn in range(restarts):
                one = replicas[turn % len(replicas)]
                statuses.append(await one.restart())
                await balancer.wait_ready(len(replicas))
            over.set()
    return Rolled(answers, tuple(wrong), tuple(statuses))


async def _asked(http: aiohttp.ClientSession, url: str, said: str, number: int, streams: bool) -> str | None:
    """What was wrong with the answer, which is the question word by word."""
    body = {"messages": [{"role": "user", "content": said}], "stream": streams}
    if number % 2:
        body["user"] = f"u{number}"
    try:
        async with http.post(f"{url}{CHAT}", data=msgspec.json.encode(body), headers=headers()) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"{type(error).__name__} {error}"
    heard = heard_of(response.status, text)
    return None if heard.answer == said else f"{response.status} {heard.code or heard.answer} {text[-300:]}"

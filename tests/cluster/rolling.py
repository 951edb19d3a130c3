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

CLIENTS = 8
# Questions of one conversation: the model here shares a process with the way to the engines, and would hold
# them all up for a second with one that has hundreds.
_LONG = 40
_ANSWER_S = 60.0


class Wrong(Struct, frozen=True):
    """An answer that was none; `code` by status and code, or the connection's error."""

    code: str
    what: str

    def __str__(self) -> str:
        return f"{self.code}: {self.what}"


class Rolled(Struct, frozen=True):
    """`wrong` are the answers that were none; `statuses` the exit statuses of what was ended."""

    answers: int
    wrong: tuple[Wrong, ...]
    statuses: tuple[int, ...]


async def rolled(
    replicas: Sequence[Replica], restarts: int, chance: random.Random, clients: int = CLIENTS
) -> Rolled:
    wrong: list[Wrong] = []
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
                    user = f"u{number}-{count // _LONG}" if number % 2 else None
                    problem = await _asked(http, url, said, user, streams=chance.random() < 0.5)
                    if problem is not None:
                        wrong.append(problem)
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


async def _asked(
    http: aiohttp.ClientSession, url: str, said: str, user: str | None, *, streams: bool
) -> Wrong | None:
    """What was wrong with the answer, which is the question word by word."""
    body = {"messages": [{"role": "user", "content": said}], "stream": streams}
    if user is not None:
        body["user"] = user
    try:
        async with http.post(f"{url}{CHAT}", data=msgspec.json.encode(body), headers=headers()) as response:
            text = await response.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        return Wrong(type(error).__name__, f"{said}: {error}")
    heard = heard_of(response.status, text)
    if heard.answer == said:
        return None
    return Wrong(f"{response.status} {heard.code or 'another answer'}", f"{said}: {text[-300:]}")

"""Many clients that ask the same under one name, at all replicas at once; and the replica that is at it is
killed in the middle."""

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cluster.asking import CHAT, Heard, heard_of
from tests.cluster.replicas import Replica, headers

MODEL = "mock-name"
_CLIENTS = 50
_ANSWER_S = 60.0
_AGAIN_S = 0.1


class Named(Struct, frozen=True):
    """`answers` are all that were heard, `calls` how often the model was asked."""

    answers: tuple[str, ...]
    calls: int

    def wrong(self, calls: int) -> bool:
        return len(self.answers) != _CLIENTS or len({*self.answers}) != 1 or self.calls != calls


async def named(replicas: Sequence[Replica], models: ModelServer, name: str, *, killed: bool) -> Named:
    """One run, however many ask. With `killed` a first client has it begun at the first replica, which is
    killed once the model has been asked, and the model is asked once more."""
    gate = asyncio.Event()
    before = models.asked
    kept = says(f"{name} ", Hold(gate), "done")
    models.script(MODEL, *([says("lost ", Hold(asyncio.Event()))] if killed else []), kept)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(_ANSWER_S)) as http:

        async def client(number: int) -> str:
            """Asks again, at the next one, until there is an answer."""
            async with asyncio.timeout(_ANSWER_S):
                while True:
                    one = replicas[number % len(replicas)]
                    heard = await _asked(http, one, name, stream=number % 2 == 0)
                    if heard.answer is not None:
                        return heard.answer
                    number += 1
                    await asyncio.sleep(_AGAIN_S)

        asking = [asyncio.create_task(client(0))]
        await models.wait_requests(before + 1, deadline_s=_ANSWER_S)
        asking += [asyncio.create_task(client(number)) for number in range(1, _CLIENTS)]
        if killed:
            await replicas[0].kill()
            await models.wait_requests(before + 2, deadline_s=_ANSWER_S)
        gate.set()
        answers = await asyncio.gather(*asking)
    if killed:
        await replicas[0].start()
    return Named(tuple(answers), models.asked - before)


async def _asked(http: aiohttp.ClientSession, one: Replica, name: str, *, stream: bool) -> Heard:
    body = {"messages": [{"role": "user", "content": f"question {name}"}], "user": name, "stream": stream}
    try:
        async with http.post(
            f"{one.url}{CHAT}", data=msgspec.json.encode(body), headers=headers({"Idempotency-Key": name})
        ) as response:
            return heard_of(response.status, await response.text())
    except (aiohttp.ClientError, TimeoutError):
        return Heard()

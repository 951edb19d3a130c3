"""Clients of a cluster: each asks one thing after the other in its session, at any replica, and asks again
under the same key where it had no answer. What it asked and heard is kept for the checker; nothing is judged.
"""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import aiohttp
import msgspec
from msgspec import Struct

from tests.cluster.history import Asked
from tests.cluster.replicas import headers

CHAT = "/v1/chat/completions"
# Nobody's answer takes so long, whatever befalls its replica, for another has taken it up by then.
_ANSWER_S = 90.0
_AGAIN_S = (0.05, 0.3)
_EVERY = 10


class _Text(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Text | None = None
    delta: _Text | None = None
    finish_reason: str | None = None


class _Answer(Struct):
    id: str = ""
    choices: list[_Choice] = []
    error: dict[str, Any] | str | None = None


class Place(Protocol):
    """Where is asked: a replica, or what stands in front of several."""

    @property
    def name(self) -> str: ...

    @property
    def url(self) -> str: ...


_decode = msgspec.json.Decoder(_Answer).decode


class Asking:
    """The clients of a trial. `asked` is what the history is made of, `refused` counts answers that were
    none, by status and code; None = the connection ended."""

    def __init__(self, replicas: Sequence[Place], chance: random.Random) -> None:
        self.asked: list[Asked] = []
        self.refused: dict[str, int] = {}
        self._replicas = replicas
        self._chance = chance
        self._numbers: dict[str, int] = {}

    async def client(self, session: str, until: Callable[[], bool]) -> None:
        """One question after the other until it is told to end; the last one has its answer then."""
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        timeout = aiohttp.ClientTimeout(_ANSWER_S)
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
            while not until():
                number = self._numbers[session] = self._numbers.get(session, 0) + 1
                key = f"{session}-{number}"
                streams = self._chance.random() < 0.4
                if number % (2 * _EVERY) == 0:
                    await asyncio.gather(*(self.answered(http, session, key, streams) for _ in range(2)))
                else:
                    await self.answered(http, session, key, streams)
                if number % _EVERY == 0:
                    await self.answered(http, session, key, streams)

    async def answered(self, http: aiohttp.ClientSession, session: str, key: str, streams: bool) -> None:
        """Ask, at one replica after the other, until there is an answer. Raises TimeoutError, which says at
        which there was none."""
        replica = self._replicas[0]
        try:
            async with asyncio.timeout(_ANSWER_S):
                while True:
                    replica = self._chance.choice(self._replicas)
                    one = await self._attempt(http, replica, session, key, streams)
                    self.asked.append(one)
                    if one.answer is not None:
                        return
                    await asyncio.sleep(self._chance.uniform(*_AGAIN_S))
        except TimeoutError as error:
            how = "a stream" if streams else "an answer"
            raise TimeoutError(f"{key} had no answer: {how} at {replica.name} last") from error

    async def _attempt(
        self, http: aiohttp.ClientSession, replica: Place, session: str, key: str, streams: bool
    ) -> Asked:
        said = f"question {key}"
        body = {"messages": [{"role": "user", "content": said}], "user": session, "stream": streams}
        began = time.monotonic()
        status: int | None = None
        heard = Heard()
        try:
            async with http.post(
                f"{replica.url}{CHAT}",
                data=msgspec.json.encode(body),
                headers=headers({"Idempotency-Key": key}),
            ) as response:
                text = await response.text()
                status = response.status
                heard = heard_of(status, text)
        except (aiohttp.ClientError, TimeoutError):
            pass
        if heard.answer is None:
            reason = f"{status} {heard.code}".strip()
            self.refused[reason] = self.refused.get(reason, 0) + 1
        return Asked(
            key,
            session,
            replica.name,
            said,
            began,
            time.monotonic(),
            status,
            heard.run_id,
            heard.answer,
            why=heard.code,
        )


class Heard(Struct, frozen=True):
    """`answer` None = there was none, and `code` says why. A stream that ends without its end is none."""

    run_id: str = ""
    answer: str | None = None
    code: str = ""


def heard_of(status: int, text: str) -> Heard:
    if not text.startswith("{"):
        return _streamed(text)
    try:
        answer = _decode(text)
    except msgspec.MsgspecError:
        return Heard(code="no JSON")
    if answer.error is not None:
        return Heard(answer.id, code=_code(answer.error))
    if status != 200 or not answer.choices or answer.choices[0].message is None:
        return Heard(answer.id, code="no answer")
    return Heard(answer.id, answer.choices[0].message.content or "")


def _streamed(text: str) -> Heard:
    run_id, said, finished, code = "", "", False, ""
    for line in text.split("\n"):
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        chunk = _decode(line[6:])
        run_id = run_id or chunk.id
        if chunk.error is not None:
            code = _code(chunk.error)
        for choice in chunk.choices:
            said += (choice.delta and choice.delta.content) or ""
            finished = finished or choice.finish_reason is not None
    whole = finished and not code and "data: [DONE]" in text
    return Heard(run_id, said if whole else None, "" if whole else code or "cut")


def _code(error: dict[str, Any] | str) -> str:
    return str(error.get("code")) if isinstance(error, dict) else error

"""Clients of a cluster that stop what they have asked for, and clients that are cut off and come back. Each
asks again where it is told to, under the same key. What was not as it should be is kept in words.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import aiohttp
import msgspec
from msgspec import Struct

from openclaw_gateway.testing.model_server import Hang, Pause, Recorded, Reply, says
from tests.cluster.asking import CHAT, heard_of
from tests.cluster.replicas import headers
from tests.cluster.resuming import frames_of, number_of

RESPONSES = "/v1/responses"
_HELD, _LONG = "wait for ever ", "tell at length "
_WORDS = 30
_PACE_S = 0.01
_DEADLINE_S = 90.0
_AGAIN_S = 0.2
_OVER = ("completed", "cancelled", "failed", "incomplete")
_GONE = 410
_DONE = b"data: [DONE]\n\n"


class _Response(Struct):
    id: str
    status: str


class _Wanted(Struct, frozen=True):
    """Of a stream: what is behind the frame `last`; `most` bytes and one frame, None = to the end."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None
    key: str = ""
    last: int = 0
    most: int | None = None


class Insisting:
    """`refused` counts what was told in place of an answer, by status and code; `done` what was done to its
    end; `wrong` is what no client may see."""

    def __init__(self, url: str, chance: random.Random) -> None:
        self.refused: Counter[str] = Counter()
        self.done: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._url = url
        self._chance = chance
        self._calls = 0

    def reply(self, request: Recorded) -> Reply | None:
        """What a model says to these clients; None to others. No two calls are answered alike."""
        said = str([one for one in request.messages if one.get("role") == "user"][-1]["content"])
        self._calls += 1
        if said.startswith(_HELD):
            return says(f"half of {self._calls} ", Hang())
        if said.startswith(_LONG):
            words = (f"word {word} of {self._calls} " for word in range(_WORDS))
            return says(*(step for word in words for step in (Pause(_PACE_S), word)))
        return None

    async def stops(self, user: str, until: Callable[[], bool]) -> None:
        """One run after the other is begun, and stopped while its model says nothing."""
        async with _client() as http:
            number = 0
            while not until():
                number += 1
                await self._stopped(http, user, f"{user}-{number}")

    async def comes_back(self, user: str, until: Callable[[], bool]) -> None:
        """One stream after the other is cut, and read on from where it was cut."""
        async with _client() as http:
            number = 0
            while not until():
                number += 1
                await self._resumed(http, user, f"{user}-{number}")

    async def _stopped(self, http: aiohttp.ClientSession, user: str, key: str) -> None:
        body = {"input": f"{_HELD}{key}", "background": True, "user": user}
        status = ""
        async with asyncio.timeout(_DEADLINE_S):
            run_id = (await self._told(http, "POST", RESPONSES, body, key)).id
            await asyncio.sleep(self._chance.uniform(0.0, 0.3))
            await self._told(http, "POST", f"{RESPONSES}/{run_id}/cancel", {}, "")
            while status not in _OVER:
                status = (await self._told(http, "GET", f"{RESPONSES}/{run_id}", None, "")).status
        self.done["stopped"] += 1
        if status != "cancelled":
            self.wrong.append(f"{key}, {run_id}, was stopped and is {status}")

    async def _told(
        self, http: aiohttp.ClientSession, method: str, path: str, body: Mapping[str, Any] | None, key: str
    ) -> _Response:
        """The first answer that is one."""
        data = None if body is None else msgspec.json.encode(body)
        own = headers({"Idempotency-Key": key} if key else None)
        while True:
            try:
                async with http.request(method, f"{self._url}{path}", data=data, headers=own) as response:
                    text = await response.read()
                    if response.status == 200:
                        return msgspec.json.decode(text, type=_Response)
                    self._refused(response.status, text)
            except aiohttp.ClientError:
                self.refused["None"] += 1
            await asyncio.sleep(_AGAIN_S)

    async def _resumed(self, http: aiohttp.ClientSession, user: str, key: str) -> None:
        async with asyncio.timeout(_DEADLINE_S):
            frames: list[bytes] = []
            body = {
                "messages": [{"role": "user", "content": f"{_LONG}{key}"}],
                "user": user,
                "stream": True,
            }
            most = self._chance.randrange(1, 6_000)
            while not frames:
                frames = await self._frames(http, _Wanted("POST", CHAT, body, key, most=most)) or []
            run_id = str(msgspec.json.decode(frames[0].partition(b"data: ")[2])["id"])
            read = await self._to_the_end(http, run_id, frames)
            whole = await self._to_the_end(http, run_id, [])
        heard, told = (heard_of(200, b"".join(each).decode()) for each in (read, whole))
        if heard.answer is None:
            self.refused[f"200 {heard.code}"] += 1
            return
        self.done["came back"] += 1
        if heard != told:
            self.wrong.append(f"{key} was cut after {len(frames)} and heard {heard}, not {told}")
        for each in (read, whole):
            if [number_of(frame) for frame in each] != list(range(1, len(each) + 1)):
                self.wrong.append(f"{key}, {run_id}, is numbered {[number_of(frame) for frame in each]}")

    async def _to_the_end(self, http: aiohttp.ClientSession, run_id: str, frames: list[bytes]) -> list[bytes]:
        """Behind these frames; all anew where the events behind them are not kept any more."""
        read = list(frames)
        while not (read and read[-1].endswith(_DONE)):
            last = number_of(read[-1]) if read else 0
            more = await self._frames(http, _Wanted("GET", f"{CHAT}/{run_id}/events", last=last))
            read = [] if more is None else [*read, *more]
            if not more:
                await asyncio.sleep(_AGAIN_S)
        return read

    async def _frames(self, http: aiohttp.ClientSession, wanted: _Wanted) -> list[bytes] | None:
        """The whole ones, as far as they come. None where they are not kept."""
        own = {"x-openclaw-detach": "true"}
        own |= {"Idempotency-Key": wanted.key} if wanted.key else {}
        own |= {"Last-Event-ID": str(wanted.last)} if wanted.last else {}
        data = None if wanted.body is None else msgspec.json.encode(wanted.body)
        address = f"{self._url}{wanted.path}"
        got = b""
        try:
            async with http.request(wanted.method, address, data=data, headers=headers(own)) as response:
                if response.status != 200:
                    self._refused(response.status, await response.read())
                    return None if response.status == _GONE else []
                while piece := await response.content.readany():
                    got += piece
                    if wanted.most is not None and len(got) >= wanted.most and frames_of(got):
                        break
        except aiohttp.ClientError:
            self.refused["None"] += 1
        return frames_of(got)

    def _refused(self, status: int, text: bytes) -> None:
        code = msgspec.json.decode(text).get("error", {}).get("code")
        self.refused[f"{status} {code}"] += 1


def _client() -> aiohttp.ClientSession:
    connector = aiohttp.TCPConnector(limit=0, force_close=True)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(_DEADLINE_S))

"""Engines that have no room left: a PostgreSQL on a file system that is full, a Valkey that has reached its
`maxmemory`. What was acknowledged is there, what is there can be read, and it all goes on by itself."""

import asyncio
import base64
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from openclaw_gateway import engines
from openclaw_gateway.testing.gateway import RunningGateway
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.doors.chat import CHAT, Answer, ask, http, user
from tests.doors.test_replicas import SESSION, Fleet, members, say
from tests.engines.postgres import Postgres
from tests.engines.valkey import Valkey
from tests.ws.peer import connected

_SIZE = "24m"
_DEADLINE_S = 60.0
_MOST = 2_000


class Room:
    """A small file system, which a file fills up."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._filler = folder / "filler"

    def fill(self) -> None:
        with self._filler.open("ab", buffering=0) as file:
            for piece in (b"\0" * (1 << 20), b"\0" * 4096):
                try:
                    while True:
                        file.write(piece)
                except OSError:
                    continue

    def clear(self) -> None:
        self._filler.unlink()


@pytest.fixture
def room(postgres_server: Postgres) -> Iterator[Room]:
    """Where PostgreSQL may keep a database. Only root may mount."""
    folder = postgres_server.folder / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)]
    try:
        made = subprocess.run(mount, capture_output=True, timeout=10, check=False)
    except OSError:
        made = None
    if made is None or made.returncode:
        folder.rmdir()
        pytest.skip("only who may mount a file system can fill one up")
    there = folder / "tables"
    there.mkdir(mode=0o700)
    owner = postgres_server.data.stat()
    os.chown(there, owner.st_uid, owner.st_gid)
    yield Room(folder)
    subprocess.run(["umount", "-l", str(folder)], timeout=10, check=True)
    shutil.rmtree(folder)


async def execute(url: str, *statements: str) -> None:
    link = await asyncpg.connect(url)
    try:
        for statement in statements:
            await link.execute(statement)
    finally:
        await link.close()


async def large(gateway: RunningGateway, number: int) -> Answer:
    """What is asked needs room, however it is packed; asked again, it is the same."""
    noise = random.Random(number).randbytes(30_000)  # noqa: S311
    text = f"{number} {base64.b64encode(noise).decode()}"
    body = {"model": "openclaw", "messages": [user(text)]}
    return await ask(gateway, body, headers={**SESSION, "Idempotency-Key": f"k{number}"})


async def numbers(gateway: RunningGateway) -> list[int]:
    """Of all that was asked in the session, as a client reads it."""
    async with connected(gateway) as peer:
        told = await peer.result("chat.history", {"sessionKey": "agent:main:s", "limit": 1000})
    asked = [each for each in told["messages"] if each["role"] == "user"]
    return [int(_text(each["content"]).split()[0]) for each in asked]


def _text(content: Any) -> str:
    return content if isinstance(content, str) else str(content[0]["text"])


async def test_a_full_disk_of_postgresql_is_told_of_and_all_goes_on_once_there_is_room(
    models: ModelServer,
    tmp_path: Path,
    postgres_server: Postgres,
    valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
    *,
    room: Room,
) -> None:
    models.script("mock-echo", says("yes"))
    await execute(
        postgres_server.url(),
        f"CREATE TABLESPACE small LOCATION '{room.folder / 'tables'}'",
        "CREATE DATABASE full_disk TEMPLATE template0 ENCODING 'UTF8' TABLESPACE small STRATEGY file_copy",
    )
    config = {"store": {"url": postgres_server.url("full_disk")}, "bus": {"url": valkey.url}}
    fleet = Fleet(tmp_path, models, config)
    monkeypatch.setattr(engines, "store", fleet.store)
    async with members(fleet, "all", "front", "worker") as (one, front, _):
        acknowledged = 0
        while (answer := await large(one, acknowledged)).status == 200:
            acknowledged += 1
            if acknowledged == 3:
                room.fill()
            assert acknowledged < _MOST
        assert (answer.status, answer.error["code"]) == (507, "store_full"), answer.text
        assert int(answer.headers["Retry-After"]) > 0
        refused = await large(front, acknowledged + 1)
        assert refused.status in (507, 503), refused.text
        for each in (one, front):
            assert await numbers(each) == list(range(acknowledged))
        room.clear()
        async with asyncio.timeout(_DEADLINE_S):
            for number in (acknowledged, acknowledged + 1):
                while (await large(front, number)).status != 200:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        assert await numbers(one) == list(range(acknowledged + 2))
    await execute(postgres_server.url(), "DROP DATABASE full_disk WITH (FORCE)", "DROP TABLESPACE small")


async def test_a_valkey_without_room_is_as_one_that_is_away_and_is_used_again_by_itself(
    models: ModelServer,
    tmp_path: Path,
    postgres_url: str,
    own_valkey: Valkey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fleet = Fleet(tmp_path, models, {"store": {"url": postgres_url}, "bus": {"url": own_valkey.url}})
    monkeypatch.setattr(engines, "store", fleet.store)
    async with members(fleet, "front", "worker", "all") as (front, _, alone):
        assert (await say(front, "one", **SESSION)).content == "one"
        assert own_valkey.say("CONFIG", "SET", "maxmemory", "1") == b"+OK\r\n"
        assert own_valkey.say("SET", "x", "y").startswith(b"-OOM")
        for number, gateway in enumerate((front, alone, front)):
            assert (await say(gateway, f"full {number}", **SESSION)).content == f"full {number}"
        gate = asyncio.Event()
        models.enqueue(says("live ", Hold(gate), "on"))
        assert await streamed(alone, gate) == "live on"
        assert own_valkey.say("CONFIG", "SET", "maxmemory", "0") == b"+OK\r\n"
        async with asyncio.timeout(_DEADLINE_S):
            while not all(each.gateway.bus_health().connected for each in (front, alone)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        gate = asyncio.Event()
        models.enqueue(says("live ", Hold(gate), "again"))
        assert await streamed(front, gate) == "live again"
        said = await fleet.transcript()
        assert said[:8] == ["one", "one", "full 0", "full 0", "full 1", "full 1", "full 2", "full 2"]


async def streamed(gateway: RunningGateway, gate: asyncio.Event) -> str:
    """The answer, of which the beginning is heard before the rest is said."""
    body = {"model": "openclaw", "messages": [user("hi")], "stream": True}
    async with (
        asyncio.timeout(_DEADLINE_S),
        http(gateway) as session,
        session.post(CHAT, json=body) as response,
    ):
        begun = await response.content.readuntil(b"live ")
        gate.set()
        text = (begun + await response.content.read()).decode()
    frames = Answer(response.status, {}, text).frames[:-1]
    return "".join(frame["choices"][0]["delta"].get("content") or "" for frame in frames)

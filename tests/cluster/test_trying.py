"""`make cluster` as a person has it: it says where it is, any process will do, one may go, nothing stays."""

import asyncio
import contextlib
import os
import re
import shlex
import signal
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from openclaw_gateway.testing.gateway import TOKEN, model_config, write_config
from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cluster.replicas import headers
from tests.cluster.trying import ROLES, overlay
from tests.doors.chat import CHAT, user

ROOT = Path(__file__).resolve().parents[2]
DEADLINE_S = 90
ROW = re.compile(r"^  (in front|[\w-]+) +(http\S+)(?:   pid (\d+))?", re.MULTILINE)


async def tried(folder: Path, *words: str, port: str = "0") -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.cluster.trying", "--port", port, "--folder", str(folder), *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def until(process: asyncio.subprocess.Process, word: str) -> str:
    """All that it says up to the line with `word`."""
    assert process.stdout is not None
    said = ""
    async with asyncio.timeout(DEADLINE_S):
        while word not in said:
            line = await process.stdout.readline()
            assert line, said
            said += line.decode()
    return said


async def answer(url: str, text: str, **fields: Any) -> str:
    body = msgspec.json.encode({"messages": [user(text)], **fields})
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}{CHAT}", data=body, headers=headers()) as response,
    ):
        told = await response.json()
        assert response.status == 200, told
        return str(told["choices"][0]["message"]["content"])


@contextlib.asynccontextmanager
async def typed(words: list[str]) -> AsyncIterator[aiohttp.ClientResponse]:
    """What curl would be answered."""
    named = dict(word.split(": ", 1) for flag, word in pairwise(words) if flag == "-H")
    body = words[words.index("-d") + 1].encode() if "-d" in words else None
    url = next(word for word in words if word.startswith("http"))
    async with (
        aiohttp.ClientSession() as session,
        session.request("POST" if body else "GET", url, data=body, headers=named) as response,
    ):
        assert response.status == 200, await response.text()
        yield response


@pytest.mark.promise("cluster-trying")
@pytest.mark.usefixtures("postgres_server", "valkey_of_session")  # which say what is missing
async def test_it_is_there_in_a_moment_and_gone_after_a_key(models: ModelServer, tmp_path: Path) -> None:
    write_config(tmp_path, model_config(models.base_url))
    config = tmp_path / "openclaw.json"
    written = config.read_bytes()
    process = await tried(tmp_path / "cluster", "--config", str(config))
    try:
        said = await until(process, "Ctrl-C")
        found = {name: (url, int(pid or 0)) for name, url, pid in ROW.findall(said)}
        assert {*ROLES, "in front"} <= {*found}
        assert f"Authorization: Bearer {TOKEN}" in said
        second = await tried(tmp_path / "cluster", "--config", str(config))
        refused, _ = await asyncio.wait_for(second.communicate(), DEADLINE_S)
        assert (second.returncode, b"A cluster is at work in" in refused) == (1, True), refused
        front, _ = found["in front"]
        assert [await answer(front, "one", user="ada"), await answer(front, "two", user="ada")] == [
            "one",
            "two",
        ]
        # What was said at one is known at the other, and by way of any.
        direct = await answer(found["front-2"][0], "three", user="ada")
        assert direct == "three"
        history = [each["content"] for each in models.requests[-1].body["messages"] if each["role"] == "user"]
        assert history[-3:] == ["one", "two", "three"]
        # In mid-answer, as it says what to type.
        begins, read_on = (shlex.split(line) for line in said.splitlines() if line.startswith("  curl -sSN"))
        assert f"kill -9 {found['front-1'][1]}" in said
        gate = asyncio.Event()
        models.enqueue(says("once ", Hold(gate), "upon"))
        async with typed(begins) as response:
            head = await response.content.readuntil(b"once")
            os.kill(found["front-1"][1], signal.SIGKILL)
            await until(process, "front-1 has gone")
        gate.set()
        run_id = re.findall(rb"chatcmpl_[\w-]+", head)[0].decode()
        number = head.rpartition(b"id: ")[2].partition(b"\n")[0].decode()
        words = [word.replace("/ID/", f"/{run_id}/") for word in read_on]
        words[-1] = words[-1].replace("5", number)
        async with typed(words) as response:
            rest = await response.content.read()
        assert (rest.count(b"once"), rest.count(b"upon"), rest.count(b"[DONE]")) == (0, 1, 1), rest
        assert [await answer(front, f"{n}") for n in range(3)] == ["0", "1", "2"]
        (status,) = (line.strip() for line in said.splitlines() if line.endswith("openclaw_gateway status"))
        asked = await asyncio.create_subprocess_shell(status, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
        seen, _ = await asyncio.wait_for(asked.communicate(), DEADLINE_S)
        assert found["front-2"][0] in seen.decode()
        assert b"worker at" in seen
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(DEADLINE_S):
            assert await process.wait() == 0
        for _, pid in found.values():
            with pytest.raises(ProcessLookupError):
                os.kill(pid or found["front-1"][1], 0)
        assert config.read_bytes() == written
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def test_what_makes_a_cluster_of_a_configuration_stands_beside_it(tmp_path: Path) -> None:
    added = overlay("postgresql://h/d", "redis://h", workspace=tmp_path)
    assert (added["store"], added["bus"]) == ({"url": "postgresql://h/d"}, {"url": "redis://h"})
    assert added["agents"]["defaults"]["workspace"] == str(tmp_path)
    assert "agents" not in overlay("postgresql://h/d", "redis://h", workspace=None)


@pytest.mark.usefixtures("postgres_server", "valkey_of_session")
async def test_it_may_be_ended_before_all_of_it_has_started(models: ModelServer, tmp_path: Path) -> None:
    write_config(tmp_path, model_config(models.base_url))
    process = await tried(tmp_path / "cluster", "--config", str(tmp_path / "openclaw.json"))
    await until(process, "Starting")
    process.send_signal(signal.SIGTERM)
    rest, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert (process.returncode, rest) == (0, b"")


@pytest.mark.parametrize(
    ("port", "told"), [("99999", b"is no port"), ("x", b"is no port"), ("taken", b"make cluster PORT=")]
)
async def test_a_port_that_cannot_be_had_is_said_before_anything_is_started(
    models: ModelServer, tmp_path: Path, port: str, told: bytes
) -> None:
    taken = models.base_url.rpartition(":")[2].partition("/")[0]
    process = await tried(tmp_path / "cluster", port=taken if port == "taken" else port)
    said, _ = await asyncio.wait_for(process.communicate(), DEADLINE_S)
    assert process.returncode in {1, 2}
    assert told in said
    assert b"Starting" not in said

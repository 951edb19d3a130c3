"""`kill -9` in the middle of things: what was answered is there, what was not is not half there."""

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from openclaw_gateway.testing.gateway import (
    TOKEN,
    RunningGateway,
    model_config,
    running_gateway,
    write_config,
)
from openclaw_gateway.testing.model_server import Hang, ModelServer, says
from tests.doors.chat import say
from tests.doors.test_sessions import sent
from tests.sessions.sqlite_file import runs


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def process(
    state_dir: Path,
    models: ModelServer,
    more: Mapping[str, Any] | None = None,
    *,
    under: tuple[str, ...] = (),
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The real program in a process of its own, ready; `more` is for its configuration, `under` a command
    that becomes the program behind it."""
    write_config(state_dir, model_config(models.base_url, more))
    environ = {"OPENCLAW_STATE_DIR": str(state_dir), "HOME": str(state_dir), "PATH": ""}
    async with started(environ, free_port(), under=under) as gateway:
        yield gateway


@asynccontextmanager
async def started(
    environ: Mapping[str, str], port: int, *, under: tuple[str, ...] = ()
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """The same with whatever is configured there."""
    gateway = await asyncio.create_subprocess_exec(
        *under,
        sys.executable,
        *("-m", "openclaw_gateway", "gateway", "run", "--port", str(port)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env=dict(environ),
    )
    url = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(20), aiohttp.ClientSession() as session:
            while True:
                try:
                    async with session.get(f"{url}/ready") as response:
                        if response.status == 200:
                            break
                except aiohttp.ClientConnectionError:
                    # The port opens when it opens; asking again is the only way to hear of it.
                    await asyncio.sleep(0.02)
        yield gateway, url
    finally:
        if gateway.returncode is None:
            gateway.kill()
        await gateway.wait()


def at(url: str, state_dir: Path, token: str = TOKEN) -> RunningGateway:
    """The process as the shared test functions want it; it has no daemon in this process."""
    return RunningGateway(url, token, state_dir, None)  # type: ignore[arg-type]


@pytest.mark.promise("kill-9")
async def test_a_conversation_survives_kill_9(models: ModelServer, tmp_path: Path) -> None:
    async with process(tmp_path, models) as (gateway, url):
        assert (await say(at(url, tmp_path), "one", user="Ada")).content == "one"
        gateway.send_signal(signal.SIGKILL)
        await gateway.wait()
    async with process(tmp_path, models) as (_, url):
        assert (await say(at(url, tmp_path), "two", user="Ada")).content == "two"
    assert sent(models) == [("user", "one"), ("assistant", "one"), ("user", "two")]


@pytest.mark.promise("kill-9")
async def test_a_run_cut_short_by_kill_9_is_closed_and_its_session_free(
    models: ModelServer, tmp_path: Path
) -> None:
    models.script("mock-echo", says("half ", Hang()), says("whole"))
    async with process(tmp_path, models) as (gateway, url):
        running = asyncio.create_task(say(at(url, tmp_path), "one", user="Ada", stream=True))
        waiting = [asyncio.create_task(say(at(url, tmp_path), "queued", user="Ada")) for _ in range(3)]
        await models.wait_requests(1)
        gateway.send_signal(signal.SIGKILL)
        await gateway.wait()
        results = await asyncio.gather(running, *waiting, return_exceptions=True)
        assert all(isinstance(result, aiohttp.ClientError) for result in results)
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as again:
        recorded = runs(tmp_path / "gateway" / "sessions.sqlite")
        assert set(recorded.values()) == {"interrupted"}
        assert (await say(again, "two", user="Ada")).content == "whole"
    assert sent(models) == [("user", "two")]


@pytest.mark.promise("turn-before-end", "kill-9", "once-and-in-order")
async def test_every_answer_given_under_load_is_in_the_transcript_after_kill_9(
    models: ModelServer, tmp_path: Path
) -> None:
    async with process(tmp_path, models) as (gateway, url):
        answered: list[str] = []

        async def chat(name: str) -> None:
            for number in range(1000):
                try:
                    answer = await say(at(url, tmp_path), f"{name}-{number}", user=name)
                except aiohttp.ClientError:
                    return
                assert answer.status == 200
                answered.append(f"{name}-{number}")

        chats = [asyncio.create_task(chat(f"u{number}")) for number in range(8)]
        await models.wait_requests(150, deadline_s=20)
        gateway.send_signal(signal.SIGKILL)
        await asyncio.gather(*chats)
    assert len(answered) > 50
    async with running_gateway(model_config(models.base_url), state_dir=tmp_path) as again:
        for name in (f"u{number}" for number in range(8)):
            entries = await again.gateway._store.transcript(
                "operator", f"agent:main:openai-user:{name}", limit=5000
            )
            texts = [entry.message.content for entry in entries]
            assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
            assert texts[::2] == texts[1::2]
            mine = [text for text in answered if text.startswith(f"{name}-")]
            assert texts[::2][: len(mine)] == mine
            assert len(texts[::2]) <= len(mine) + 1

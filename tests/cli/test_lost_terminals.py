"""Standard streams that are closed, gone, full or stalled: the command does its work and nothing hangs."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from openclaw_gateway.testing.model_server import ModelServer, fails, says
from tests.cli.conftest import DEADLINE_S, Program
from tests.doors.test_kill import free_port

NULL = asyncio.subprocess.DEVNULL
LOCAL = ("agent", "--local", "-m", "hi")


class Served:
    """A gateway without a terminal that could be asked; it is ready."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, token: str) -> None:
        self.process = process
        self.url = url
        self._http: aiohttp.ClientSession
        self._token = token

    @contextlib.asynccontextmanager
    async def asking(self) -> AsyncIterator[None]:
        timeout = aiohttp.ClientTimeout(total=DEADLINE_S)
        async with aiohttp.ClientSession(timeout=timeout) as self._http:
            yield

    async def ready(self) -> int:
        async with self._http.get(f"{self.url}/ready") as response:
            return response.status

    async def chat(self, user: str) -> tuple[int, str]:
        async with self._http.post(
            f"{self.url}/v1/chat/completions",
            json={"model": "openclaw", "user": user, "messages": [{"role": "user", "content": "hi"}]},
            headers={"Authorization": f"Bearer {self._token}"},
        ) as response:
            return response.status, await response.text()

    async def ends(self) -> int:
        async with asyncio.timeout(DEADLINE_S):
            return await self.process.wait()

    def descriptors(self) -> list[str]:
        return [str(Path(f"/proc/{self.process.pid}/fd/{number}").readlink()) for number in (0, 1, 2)]


@contextlib.asynccontextmanager
async def served(
    program: Program, token: str, redirection: str, *, stdin: int = NULL, stdout: int = NULL
) -> AsyncIterator[Served]:
    port = free_port()
    line = f'exec "$0" -m openclaw_gateway gateway run --port {port} {redirection}'
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", line, sys.executable),
        stdin=stdin,
        stdout=stdout,
        stderr=NULL,
        env=program.environ,
        cwd=program.home,
    )
    served = Served(process, f"http://127.0.0.1:{port}", token)
    try:
        async with served.asking():
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    with contextlib.suppress(aiohttp.ClientConnectionError):
                        if await served.ready() == 200:
                            break
                    assert process.returncode is None
                    # The port opens when it opens; asking again is the only way to hear of it.
                    await asyncio.sleep(0.02)
            yield served
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def works(served: Served, models: ModelServer) -> None:
    """Failing runs, which say so in the log, end; the session goes on; the gateway stops when told."""
    for _ in range(3):
        models.script("m", fails(401))
        assert (await served.chat("Ada"))[0] == 401
    models.script("m", says("fine"))
    status, text = await served.chat("Ada")
    assert (status, "fine" in text) == (200, True)
    assert await served.ready() == 200
    served.process.send_signal(signal.SIGTERM)
    assert await served.ends() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
async def test_a_gateway_with_closed_descriptors_serves_and_gives_their_numbers_to_nothing(
    configured: Program, models: ModelServer, token: str, closed: str
) -> None:
    async with served(configured, token, closed) as gateway:
        assert (await gateway.chat("Ada"))[0] == 200
        assert gateway.descriptors() == ["/dev/null"] * 3
        await works(gateway, models)


@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1"])
async def test_a_gateway_whose_output_has_no_room_serves(
    configured: Program, models: ModelServer, token: str, full: str
) -> None:
    async with served(configured, token, full) as gateway:
        await works(gateway, models)


async def test_a_gateway_whose_log_file_has_no_room_serves(
    configured: Program, models: ModelServer, token: str
) -> None:
    plain = (configured.state / "openclaw.json").read_text()
    configured.configure(plain[:-1] + ',"logging":{"file":"/dev/full"}}')
    async with served(configured, token, "") as gateway:
        await works(gateway, models)


async def test_a_gateway_whose_reader_has_gone_serves(
    configured: Program, models: ModelServer, token: str
) -> None:
    reading, writing = os.pipe()
    async with served(configured, token, "2>&1", stdout=writing) as gateway:
        os.close(writing)
        os.close(reading)
        await works(gateway, models)


async def test_a_gateway_whose_terminal_has_gone_serves(
    configured: Program, models: ModelServer, token: str
) -> None:
    ours, theirs = os.openpty()
    async with served(configured, token, "2>&1", stdin=theirs, stdout=theirs) as gateway:
        os.close(theirs)
        os.close(ours)
        await works(gateway, models)


async def test_a_gateway_whose_reader_stalls_serves_on_and_ends(
    configured: Program, models: ModelServer, token: str
) -> None:
    reading, writing = os.pipe()
    try:
        async with served(configured, token, "2>&1", stdout=writing) as gateway:
            os.close(writing)
            filling = os.open(f"/proc/self/fd/{reading}", os.O_WRONLY | os.O_NONBLOCK)
            with contextlib.suppress(BlockingIOError):
                while True:
                    os.write(filling, b"." * 4096)
            os.close(filling)
            await works(gateway, models)
    finally:
        os.close(reading)


async def test_a_gateway_that_starts_with_a_full_pipe_is_ready_all_the_same(
    configured: Program, models: ModelServer, token: str
) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writing, b"." * 4096)
    os.set_blocking(writing, True)
    try:
        async with served(configured, token, "2>&1", stdout=writing) as gateway:
            os.close(writing)
            await works(gateway, models)
    finally:
        os.close(reading)


async def test_lines_logged_before_the_end_come_out(configured: Program) -> None:
    started = await configured.gateway()
    started.signal(signal.SIGTERM)
    assert '"event":"gateway.draining"' in (await started.ends()).err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("words", [LOCAL, ("health",), ("status",), ("config", "validate"), ("--version",)])
async def test_commands_with_closed_descriptors_end_as_without(
    configured: Program, words: tuple[str, ...], closed: str
) -> None:
    code = (await configured.run(*words)).code
    assert (await shell(configured, words, closed))[0] == code


@pytest.mark.parametrize("words", [LOCAL, ("config", "validate"), ("--version",)])
async def test_a_command_whose_output_has_no_room_says_so(
    configured: Program, words: tuple[str, ...]
) -> None:
    code, said = await shell(configured, words, ">/dev/full")
    assert code == 1
    assert said == "Error: Cannot write the output: no space left on device.\n"


async def shell(program: Program, words: tuple[str, ...], redirection: str) -> tuple[int, str]:
    """Exit code and what came on stderr."""
    quoted = " ".join(f"'{word}'" for word in words)
    process = await asyncio.create_subprocess_exec(
        *("sh", "-c", f'"$0" -m openclaw_gateway {quoted} {redirection}', sys.executable),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=program.environ,
        cwd=program.home,
    )
    async with asyncio.timeout(DEADLINE_S):
        _, said = await process.communicate()
    assert process.returncode is not None
    return process.returncode, said.decode()


async def test_signals_that_mean_nothing_end_nothing(configured: Program) -> None:
    started = await configured.gateway()
    for number in (signal.SIGUSR1, signal.SIGUSR2):
        started.signal(number)
        await started.says(signal.Signals(number).name, on="err")
    started.signal(signal.SIGTERM)
    assert (await started.ends()).code == 0

"""Replicas of one gateway as real processes, each with a state directory of its own, and with a faulty
network of its own to each engine. Started, killed, paused, ended; never left behind. Knows no engine: it is
given what the configuration says and the ports that it speaks of.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from openclaw_gateway.testing.gateway import TOKEN, model_config, write_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster.fault_proxy import FaultProxy

READY_S = 60.0
END_S = 60.0
# How long a supervisor waits before it starts again what has ended.
_AGAIN_S = 0.2
# What a replica is configured with beside its models, given the ports at which it finds the engines.
Configured = Callable[[str, Mapping[str, int]], Mapping[str, Any]]

# Below those that Linux gives away; each process of a suite begins elsewhere.
_PORTS = count(12_000 + os.getpid() % 800 * 25)


class Replica:
    """One process. `ways` are its networks by the name of what they lead to."""

    def __init__(
        self, name: str, state_dir: Path, port: int, ways: Mapping[str, FaultProxy], role: str | None
    ) -> None:
        self.name = name
        self.state_dir = state_dir
        self.port = port
        self.ways = ways
        self.role = role
        self.paused = False
        # Of each of its lives, beside what it needs.
        self.environ: dict[str, str] = {}
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """All that it said, over all its lives."""
        return (self.state_dir / "said.log").read_text(encoding="utf-8", errors="replace")

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        """It answers when this returns: one that ends before is started again, as a supervisor does it.
        Raises RuntimeError, with what it said, where it does not."""
        try:
            async with asyncio.timeout(READY_S):
                while True:
                    await self._launch()
                    if await self._is_ready():
                        return
                    await asyncio.sleep(_AGAIN_S)
        except TimeoutError as error:
            raise RuntimeError(f"{self.name} did not become ready:\n{self.log[-3000:]}") from error

    async def ready(self) -> None:
        """Wait until it answers. Raises RuntimeError, with what it said."""
        try:
            async with asyncio.timeout(READY_S):
                if await self._is_ready():
                    return
        except TimeoutError:
            pass
        raise RuntimeError(f"{self.name} is not ready:\n{self.log[-3000:]}")

    async def _launch(self) -> None:
        assert not self.alive
        folder = self.state_dir
        role = ("--role", self.role) if self.role else ()
        with (folder / "said.log").open("ab") as said:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "openclaw_gateway", "gateway", "run", "--port", str(self.port), *role),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                # What is typed to end the whole is for whoever started it, who ends this one in order.
                start_new_session=True,
                env={"OPENCLAW_STATE_DIR": str(folder), "HOME": str(folder), "PATH": "", **self.environ},
            )
        self.paused = False

    async def _is_ready(self) -> bool:
        """Waits; False where it has ended."""
        process = self._process
        assert process is not None
        async with aiohttp.ClientSession() as session:
            while not await answers(session, f"{self.url}/ready"):
                if process.returncode is not None:
                    return False
                # The port opens when it opens; asking again is the only way to hear of it.
                await asyncio.sleep(0.02)
        return True

    async def kill(self) -> None:
        """kill -9, whatever it is at."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        self.paused = False

    def pause(self) -> None:
        self._signal(signal.SIGSTOP)
        self.paused = True

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)
        self.paused = False

    def ask_to_end(self) -> None:
        self._signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit status, once it has ended. Raises TimeoutError."""
        assert self._process is not None
        async with asyncio.timeout(END_S):
            return await self._process.wait()

    async def restart(self) -> int:
        """End it in order and start it again; the exit status of the first life."""
        self.ask_to_end()
        status = await self.ended()
        await self.start()
        return status

    def cpu_s(self) -> float:
        """Processor seconds of this life, all threads. Linux."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)


async def answers(session: aiohttp.ClientSession, url: str, wait_s: float = 5.0) -> bool:
    try:
        async with session.get(url, timeout=aiohttp.ClientTimeout(wait_s)) as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError):
        return False


def free_port() -> int:
    """One that nobody is given who asks for any, so that it is still free when it is bound."""
    while True:
        port = next(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextlib.asynccontextmanager
async def replicas(
    folder: Path,
    models: ModelServer,
    *,
    names: tuple[str, ...] = ("a", "b", "c"),
    roles: Mapping[str, str] | None = None,
    engines: Mapping[str, int | str] | None = None,
    configured: Configured | None = None,
    model: str = "mock-echo",
    environs: Mapping[str, Mapping[str, str]] | None = None,
    seed: int = 1,
) -> AsyncIterator[list[Replica]]:
    """So many replicas, all of them ready. `engines` are the ports at which engines listen; each replica
    comes to each of them through a network of its own, whose port `configured` is told. Whatever becomes of
    the block, no process is left."""
    found: list[Replica] = []
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(_end, found)
        for number, name in enumerate(names):
            ways: dict[str, FaultProxy] = {}
            for engine, target in (engines or {}).items():
                chance = random.Random(f"{seed} {number} {engine}")  # noqa: S311
                ways[engine] = await stack.enter_async_context(FaultProxy(target, chance))
            ports = {engine: way.port for engine, way in ways.items()}
            more = configured(name, ports) if configured is not None else {}
            write_config(folder / name, model_config(models.base_url, more, model=model))
            one = Replica(name, folder / name, free_port(), ways, (roles or {}).get(name))
            one.environ.update((environs or {}).get(name, {}))
            found.append(one)
        async with asyncio.TaskGroup() as starting:
            for each in found:
                starting.create_task(each.start())
        yield found


async def _end(found: list[Replica]) -> None:
    for each in found:
        await each.kill()


def headers(more: Mapping[str, str] | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json", **(more or {})}

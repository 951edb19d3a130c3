"""The real program in a process of its own, with a home, a state directory and an environment of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.testing.gateway import TOKEN, model_config
from openclaw_gateway.testing.model_server import ModelServer
from tests.cli.forked import Command
from tests.cli.prepared import Prepared, surroundings

DEADLINE_S = 30.0


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.out)


@dataclass
class Started:
    """A command that is still running. Everything it wrote so far is in `out` and `err`."""

    process: asyncio.subprocess.Process
    out: str = ""
    err: str = ""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def pid(self) -> int:
        return self.process.pid

    def read(self) -> None:
        self._readers = [asyncio.create_task(self._pump(name)) for name in ("out", "err")]

    async def says(self, text: str, *, on: str = "out") -> str:
        """Wait until it has written `text`; the whole output so far."""
        async with asyncio.timeout(DEADLINE_S), self._news:
            await self._news.wait_for(lambda: text in getattr(self, on) or self._ended())
        assert text in getattr(self, on), f"ended without {text!r}:\n{self.out}\n{self.err}"
        return str(getattr(self, on))

    async def ends(self) -> Done:
        async with asyncio.timeout(DEADLINE_S):
            # Not gathered: when the time is up, the readers must be left for whoever ends the process.
            await asyncio.wait(self._readers)
            for reader in self._readers:
                reader.result()
            return Done(await self.process.wait(), self.out, self.err)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def row(self, label: str) -> str:
        """The value that stands behind a label of the banner."""
        for line in self.out.splitlines():
            words = line.split()
            if words and words[0] == label:
                return words[1]
        raise AssertionError(f"no {label} in:\n{self.out}")

    def _ended(self) -> bool:
        return all(reader.done() for reader in self._readers)

    async def _pump(self, name: str) -> None:
        stream = self.process.stdout if name == "out" else self.process.stderr
        while stream is not None and (data := await stream.read(65_536)):
            async with self._news:
                setattr(self, name, getattr(self, name) + data.decode())
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()


@dataclass
class Program:
    """Runs commands: `start` with an interpreter of their own, `run` as forks of one, where that makes no
    difference. `environ` may be changed by a test before it does so; with a `stdout` of the test's own the
    output is not collected."""

    home: Path
    state: Path
    environ: dict[str, str]
    prepared: Prepared
    stdout: int = asyncio.subprocess.PIPE
    started: list[Started] = field(default_factory=list)

    def configure(self, config: dict[str, Any] | str, name: str = "openclaw.json") -> Path:
        path = self.state / name
        path.write_text(config if isinstance(config, str) else msgspec.json.encode(config).decode())
        path.chmod(0o600)
        return path

    async def start(
        self, *words: str, name: str = "openclaw", stdin: str | None = None, **environ: str
    ) -> Started:
        call = f"from openclaw_gateway.cli.main import {name}; {name}()"
        program = ("-m", "openclaw_gateway") if name == "openclaw" else ("-c", call)
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *program,
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=self.stdout,
            stderr=asyncio.subprocess.PIPE,
            env={**self.environ, **environ},
            cwd=self.home,
        )
        started = Started(process)
        started.read()
        self.started.append(started)
        assert process.stdin is not None
        process.stdin.write((stdin or "").encode())
        process.stdin.close()
        return started

    async def run(
        self, *words: str, name: str = "openclaw", stdin: str | None = None, **environ: str
    ) -> Done:
        made = {**self.environ, **environ}
        if self.stdout != asyncio.subprocess.PIPE or not self.prepared.starts_so(made):
            return await (await self.start(*words, name=name, stdin=stdin, **environ)).ends()
        command = Command(name, words, made, str(self.home))
        code, out, err = await self.prepared.run(command, (stdin or "").encode(), DEADLINE_S)
        return Done(code, out.decode(), err.decode())

    async def gateway(self, *words: str) -> Started:
        """A gateway on a free port, ready; later commands of this program find it."""
        started = await self.start("gateway", "run", "--port", "0", *words)
        await started.says("Ready.")
        self.environ["OPENCLAW_GATEWAY_PORT"] = started.row("gateway").rpartition(":")[2]
        return started


@pytest.fixture
async def program(tmp_path: Path, prepared: Prepared) -> AsyncIterator[Program]:
    home, state = tmp_path / "home", tmp_path / "state"
    home.mkdir()
    state.mkdir(mode=0o700)
    environ = {**surroundings(), "HOME": str(home), "OPENCLAW_STATE_DIR": str(state)}
    program = Program(home, state, environ, prepared)
    try:
        yield program
    finally:
        for started in program.started:
            if started.process.returncode is None:
                started.process.kill()
            await started.ends()


@pytest.fixture
async def models() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
def configured(program: Program, models: ModelServer) -> Program:
    """With a configuration whose model is the scripted server's "m", and a token."""
    program.configure(model_config(models.base_url, model="m"))
    return program


@pytest.fixture
def token() -> str:
    return TOKEN

"""What a trial of OpenClaw's programs stands on: a gateway in its process, and a home in which the program
finds that gateway by a configuration of its own. Knows OpenClaw and Clawdbot, and no other program."""

import asyncio
import os
import pty
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from openclaw_gateway.testing.gateway import TOKEN
from openclaw_gateway.testing.model_server import ModelServer
from tests.clients.rooms import node
from tests.doors.test_kill import free_port, process

_HERE = Path(__file__).parent
_DEADLINE_S = 60


class Program(Struct, frozen=True):
    """From npm: `node` runs it, `package` is the folder in which it came, `entry` its file there."""

    name: str
    node: str
    package: Path
    entry: str


class Stage(Struct, frozen=True):
    """`url` is the gateway's, without a slash at its end; `home` is that of who runs the programs. A page may
    connect that comes from `origin`."""

    program: Program
    models: ModelServer
    url: str
    home: Path
    origin: str

    async def runs(self, *words: str) -> str:
        """What a command prints. Raises AssertionError where it fails, TimeoutError."""
        started = await asyncio.create_subprocess_exec(
            *self._command(words),
            env=self.environ,
            cwd=self.home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_DEADLINE_S):
                out, errors = await started.communicate()
        finally:
            await _ended(started)
        assert started.returncode == 0, errors.decode() or out.decode()
        return out.decode()

    @asynccontextmanager
    async def in_a_terminal(self, *words: str) -> AsyncIterator["Terminal"]:
        """A command in a terminal of 100 columns."""
        outside, inside = pty.openpty()
        termios.tcsetwinsize(inside, (40, 100))
        os.set_blocking(outside, False)
        started = await asyncio.create_subprocess_exec(
            *self._command(words),
            env={**self.environ, "TERM": "xterm-256color"},
            cwd=self.home,
            stdin=inside,
            stdout=inside,
            stderr=inside,
            start_new_session=True,
        )
        os.close(inside)
        terminal = Terminal(outside)
        try:
            yield terminal
        finally:
            terminal.close()
            await _ended(started)

    @property
    def environ(self) -> dict[str, str]:
        path = f"{Path(self.program.node).parent}:{os.environ['PATH']}"
        words = {"HOME": str(self.home), "PATH": path, "LANG": "C.UTF-8", "NO_COLOR": "1"}
        # `models list` looks for a gateway of OpenClaw's own unless it is told a port.
        port = self.url.rpartition(":")[2]
        return {**words, f"{self.program.name.upper()}_GATEWAY_PORT": port}

    def _command(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return (self.program.node, str(self.program.package / self.program.entry), *words)


class Terminal:
    """What a command shows in it, all of it one behind the other, and what is typed there."""

    def __init__(self, outside: int) -> None:
        self._outside = outside
        self._text = ""
        self._news = asyncio.Event()
        asyncio.get_running_loop().add_reader(outside, self._read)

    def types(self, text: str) -> None:
        os.write(self._outside, text.encode())

    async def shows(self, text: str) -> None:
        """From now on. Raises AssertionError with what it showed instead."""
        try:
            async with asyncio.timeout(_DEADLINE_S):
                while text not in self._text:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"does not show {text!r} but {self._text[-2_000:]!r}") from None
        self._text = self._text.partition(text)[2]

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._outside)
        os.close(self._outside)

    def _read(self) -> None:
        try:
            self._text += os.read(self._outside, 65_536).decode("utf-8", "replace")
        except OSError:  # Nobody has the other side any more.
            asyncio.get_running_loop().remove_reader(self._outside)
        self._news.set()


def program(name: str, entry: str) -> Program:
    """Raises NotInstalled."""
    runs, folder = node(_HERE / f"npm-{name}")
    return Program(name, runs, folder / "node_modules" / name, entry)


@asynccontextmanager
async def staged(found: Program, folder: Path) -> AsyncIterator[Stage]:
    home, state, origin = folder / "home", folder / "state", f"http://127.0.0.1:{free_port()}"
    own = home / f".{found.name}"
    own.mkdir(parents=True)
    more = {
        "gateway": {"controlUi": {"allowedOrigins": [origin]}},
        "agents": {"list": [{"id": "main", "default": True}, {"id": "poet"}]},
        "logging": {"file": str(state / "gateway.log")},
    }
    async with ModelServer() as models, process(state, models, more) as (_, url):
        gateway = {"mode": "local", "port": int(url.rpartition(":")[2])}
        config = {"gateway": {**gateway, "auth": {"mode": "token", "token": TOKEN}}}
        (own / f"{found.name}.json").write_bytes(msgspec.json.encode(config))
        yield Stage(found, models, url, home, origin)


async def _ended(started: asyncio.subprocess.Process) -> None:
    if started.returncode is None:
        started.kill()
    await started.wait()

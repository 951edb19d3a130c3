"""A command line as somebody runs it in a folder: its process, what it printed, and Ctrl-C."""

import asyncio
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from pathlib import Path

from tests.clients import rooms
from tests.clients.commands.command import TOKEN, Ask, Command, Said
from tests.clients.program import kept_environ
from tests.clients.table import Client
from tests.npm_packages import NotInstalled

_DEADLINE_S = 120.0
_END_S = 10.0


def command_of(client: Client) -> Command:
    command = import_module(f"tests.clients.commands.{client.program}").COMMAND
    assert isinstance(command, Command)
    return command


class Terminal:
    """In one home, with a folder for each project."""

    def __init__(self, command: Command, starts: list[str], home: Path) -> None:
        self.command = command
        self._starts = starts
        self._home = home

    def project(self) -> Path:
        """A new folder."""
        return Path(tempfile.mkdtemp(prefix="project-", dir=self._home))

    async def says(self, ask: Ask, project: Path, *, deadline_s: float = _DEADLINE_S) -> Said:
        """What it printed until it ended; where that tells of no error and it failed, its last words are the
        error. Raises TimeoutError."""
        async with self.running(ask, project) as process:
            async with asyncio.timeout(deadline_s):
                printed, words = await process.communicate()
        out, err = printed.decode(errors="replace"), words.decode(errors="replace")
        if report := self.command.report:
            out = await asyncio.to_thread(_read, project / report)
        said = self.command.said(out)
        if process.returncode and not said.error:
            said.error = f"{err or out}\nended with {process.returncode}"
        return said

    @asynccontextmanager
    async def running(self, ask: Ask, project: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """Its process, as the first of a group of its own; what is left of the group goes at the end."""
        for name, text in self.command.files(ask).items():
            file = self._home / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        process = await asyncio.create_subprocess_exec(
            *self._starts,
            *self.command.arguments(ask),
            cwd=project,
            env={**kept_environ(), **self.command.environ, TOKEN: ask.key, "HOME": str(self._home)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            tell(process, signal.SIGKILL)
            await process.wait()


def _read(report: Path) -> str:
    return report.read_text() if report.exists() else ""


def tell(process: asyncio.subprocess.Process, what: signal.Signals) -> None:
    """To all of its group, as a terminal does at Ctrl-C."""
    try:
        os.killpg(process.pid, what)
    except ProcessLookupError:
        return


def opened(client: Client, home: Path) -> Terminal:
    """Raises NotInstalled."""
    command = command_of(client)
    node, packages = rooms.of(client)
    assert packages is not None
    program = packages / "node_modules" / command.program
    if not program.exists():
        raise NotInstalled(f"{client.packages} has no program for this machine")
    scripted = program.suffix in {".js", ".mjs", ".cjs"}
    return Terminal(command, [node, str(program)] if scripted else [str(program)], home)

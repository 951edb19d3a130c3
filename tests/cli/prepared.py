"""Commands without the start of an interpreter, which takes longer than most of them: tests/cli/forked.py has
imported the program, and makes a process for each.

What is about the start itself (terminals, signals, streams that are gone, how Python is set up), and every
gateway, is started for real: `Program.start`.
"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

import msgspec
import pytest

from tests.cli.forked import MOST_BYTES, Command

_ROOT = Path(__file__).parents[2]
_INHERITED = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "TMPDIR")
# What Python or its libraries read when they are started.
_OF_THE_START = ("PYTHON", "LC_", "LANG", "LD_", "SSL_", "TMPDIR")
# It waits for nothing.
_ENDS_WITHIN_S = 30.0


def surroundings() -> dict[str, str]:
    """The variables of every command, besides those that a test gives it."""
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # To read the authorities of this machine, whom no test needs, takes a command a fifth of its time.
    return {**inherited, "SSL_CERT_FILE": os.devnull}


class Prepared:
    def __init__(self) -> None:
        self._environ = surroundings()
        self._here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with there:
            words = [sys.executable, "-m", "tests.cli.forked"]
            self._process = subprocess.Popen(words, stdin=there.fileno(), cwd=_ROOT, env=self._environ)

    def close(self) -> None:
        self._here.close()
        self._process.wait(_ENDS_WITHIN_S)

    def starts_so(self, environ: Mapping[str, str]) -> bool:
        """Whether a command with these variables begins as this process has begun."""
        names = [name for name in {*environ, *self._environ} if name.startswith(_OF_THE_START)]
        return all(environ.get(name) == self._environ.get(name) for name in names)

    async def run(self, command: Command, stdin: bytes, deadline_s: float) -> tuple[int, bytes, bytes]:
        """(how it ended, as a child does; what it wrote to each stream). Raises TimeoutError, and kills it
        then."""
        said = msgspec.json.encode(command)
        assert len(said) < MOST_BYTES
        with ExitStack() as theirs:
            given, to_it = _pipe(theirs, reads=True)
            (out, out_it), (err, err_it), (end, end_it) = (_pipe(theirs, reads=False) for _ in range(3))
            socket.send_fds(self._here, [said], [to_it, out_it, err_it, end_it])
        ends, close = await _reader(end)
        pid = 0
        try:
            # Its time begins with it: of whom nobody knows yet, nobody can be killed.
            async with asyncio.timeout(_ENDS_WITHIN_S):
                first = await ends.readline()
            assert first, "the process that commands are forks of has ended"
            pid = int(first)
            async with asyncio.timeout(deadline_s):
                async with asyncio.TaskGroup() as readers:
                    written = [readers.create_task(_written(fd)) for fd in (out, err)]
                    await _give(given, stdin)
                status, pid = int(await ends.read()), 0
                return status, written[0].result(), written[1].result()
        finally:
            close()
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _pipe(theirs: ExitStack, *, reads: bool) -> tuple[int, int]:
    """(our end, the command's, which it `reads`)."""
    read, write = os.pipe()
    ours, its = (write, read) if reads else (read, write)
    theirs.callback(os.close, its)
    return ours, its


async def _written(fd: int) -> bytes:
    reader, close = await _reader(fd)
    try:
        return await reader.read()
    finally:
        close()


async def _reader(fd: int) -> tuple[asyncio.StreamReader, Callable[[], None]]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(fd, "rb", 0)
    )
    return reader, transport.close


async def _give(fd: int, words: bytes) -> None:
    """A command need not read what it is given."""
    transport, _ = await asyncio.get_running_loop().connect_write_pipe(
        asyncio.BaseProtocol, os.fdopen(fd, "wb", 0)
    )
    transport.write(words)
    transport.close()


@pytest.fixture(scope="session")
def prepared() -> Iterator[Prepared]:
    """Belongs to the session, not to the test that first runs a command."""
    made = Prepared()
    yield made
    made.close()

"""One client program as a child: it is told a task on a line, and says on a line what it saw."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.clients import rooms
from tests.clients.table import Client

ROOT = Path(__file__).parents[2]
# A busy machine takes half a minute for the imports of some.
_DEADLINE_S = 120.0
_END_S = 10.0
_LONGEST_LINE = 1 << 20


class Ended(Exception):
    """It ended by itself; the message is the end of what it said."""


class Program:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._said: list[str] = []

    async def does(self, task: Mapping[str, Any], *, deadline_s: float = _DEADLINE_S) -> dict[str, Any]:
        """What it saw; raises TimeoutError, and Ended."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        async with asyncio.timeout(deadline_s):
            await self._process.stdin.drain()
            while line := await self._process.stdout.readline():
                text = line.decode(errors="replace")
                if text.startswith("saw "):
                    return dict(msgspec.json.decode(text[4:]))
                self._said.append(text)
        raise Ended("".join(self._said[-20:]) or "it ended without a word")


@asynccontextmanager
async def started(client: Client, home: Path) -> AsyncIterator[Program]:
    """`home` is what it takes for the home of the user. Raises NotInstalled."""
    command, cwd, made = await asyncio.to_thread(_command, client)
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**kept_environ(), "HOME": str(home)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LONGEST_LINE,
    )
    try:
        yield Program(process)
    finally:
        assert process.stdin
        process.stdin.close()
        try:
            async with asyncio.timeout(_END_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        if made is not None:
            await asyncio.to_thread(shutil.rmtree, made)


# Nothing but the gateway is to be spoken to, and nothing remembered.
_QUIET = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUTF8": "1",
    "NO_PROXY": "localhost,127.0.0.1,::1",
    "DO_NOT_TRACK": "1",
    "OPENAI_AGENTS_DISABLE_TRACING": "1",
    "ANONYMIZED_TELEMETRY": "false",
    "HAYSTACK_TELEMETRY_ENABLED": "false",
    "CREWAI_DISABLE_TELEMETRY": "true",
    "OTEL_SDK_DISABLED": "true",
    "LITELLM_LOCAL_MODEL_COST_MAP": "true",
}


def kept_environ() -> dict[str, str]:
    """What a client's process is given of the suite's own environment, and what keeps it quiet."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "LC_ALL", "TZ", "TMPDIR"}}
    return {**kept, **_QUIET}


def _command(client: Client) -> tuple[list[str], Path, Path | None]:
    """What starts it, where, and a folder that is to go afterwards."""
    name, *arguments = client.program.split()
    runs, packages = rooms.of(client)
    if packages is None:
        return [runs, "-u", "-m", f"tests.clients.programs.{name}", *arguments], ROOT, None
    folder = rooms.programs_for_node(packages)
    return [runs, str(folder / f"{name}.mjs"), *arguments], folder, folder

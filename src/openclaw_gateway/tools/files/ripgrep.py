"""Whether there is an `rg` that `grep` may ask, and which: looked for once, when somebody wants to know."""

import asyncio
import re
import shutil
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct

from openclaw_gateway.tools.exec.commands.environment import search_path

BUILT_IN = "built in"
# The first whose options and expressions are tried by our tests.
_OLDEST = (13, 0)
_VERSION = re.compile(r"ripgrep (\d+)\.(\d+)(\S*)")
_ANSWER_S = 2.0


class _Program(Struct, frozen=True):
    path: str
    version: str


class Ripgrep:
    """One per gateway. `environ` is the gateway's, of which the PATH counts."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._path = environ.get("PATH", "")
        self._looking = asyncio.Lock()
        self._looked = False
        self._found: _Program | None = None

    async def program(self) -> str | None:
        """Its path, maybe one in a workspace; None where `grep` does without."""
        found = await self._look()
        return None if found is None else found.path

    async def engine(self) -> str:
        """What `grep` looks with, in a word for the operator."""
        found = await self._look()
        return BUILT_IN if found is None else f"rg {found.version}"

    async def _look(self) -> _Program | None:
        async with self._looking:
            if not self._looked:
                self._found = await _usable(self._path)
                self._looked = True
        return self._found


async def _usable(path: str) -> _Program | None:
    program = shutil.which("rg", path=search_path(path, None))
    version = None if program is None else await _version(program)
    return None if program is None or version is None else _Program(program, version)


async def _version(program: str) -> str | None:
    """None: it does not say, or it is too old."""
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            "--no-config",
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            env={},
        )
    except OSError:
        return None
    out = b""
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(_ANSWER_S):
                out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.communicate()
    said = _VERSION.match(out.decode("ascii", "replace"))
    if said is None or (int(said[1]), int(said[2])) < _OLDEST:
        return None
    return f"{said[1]}.{said[2]}{said[3]}"

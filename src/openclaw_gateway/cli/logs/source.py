"""Where the gateway's lines are: in the file of `logging.file`, or with who keeps what the service prints.

Gives them as they were written; which are wanted is not decided here.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.logs.lines import LogTail, parsed
from openclaw_gateway.cli.service.here import service_here
from openclaw_gateway.cli.service.manager import Manager
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.load import LoadedConfig

_LOOK_S = 0.2
# Of a service's, from which those that are wanted are chosen.
_MOST_LINES = 20_000


class LogSource:
    """`there()` are the lines so far, `coming()` those after them."""

    def __init__(self, tail: LogTail | None, manager: Manager | None) -> None:
        self._tail = tail
        self._manager = manager

    def there(self) -> Iterator[dict[str, Any]]:
        if self._tail is not None:
            yield from self._tail.more()
        elif self._manager is not None:
            yield from (parsed(line) for line in self._manager.lines(_MOST_LINES) if line.strip())

    async def coming(self) -> AsyncGenerator[dict[str, Any], None]:
        where = self._manager.following() if self._tail is None and self._manager is not None else None
        if isinstance(where, tuple):
            async with aclosing(_printed(where)) as printed:
                async for said in printed:
                    yield parsed(said)
            return
        tail = self._tail
        if isinstance(where, Path):
            tail = _opened(where)
            for _ in tail.more():  # these were there
                pass
        while tail is not None:
            for line in tail.more():
                yield line
            await asyncio.sleep(_LOOK_S)

    def close(self) -> None:
        if self._tail is not None:
            self._tail.close()


def log_source(around: Surroundings, loaded: LoadedConfig, program: str) -> LogSource:
    """Raises CommandFailed (code "log_missing")."""
    named = loaded.config.logging.file
    if named:
        return LogSource(_opened(Path(named)), None)
    service = service_here(around)
    if service is not None and (service[1].installed or service[1].running):
        return LogSource(None, service[0])
    raise CommandFailed(
        "The gateway writes its log to the terminal only. To keep it, name a file: "
        f"{program} config set logging.file {loaded.own_dir / 'gateway.log'}",
        code="log_missing",
    )


def _opened(path: Path) -> LogTail:
    try:
        return LogTail(path)
    except OSError as error:
        raise CommandFailed(
            f"The log {path} cannot be read: {(error.strerror or '').lower()}.", code="log_missing"
        ) from None


async def _printed(words: tuple[str, ...]) -> AsyncGenerator[bytes, None]:
    """The lines a program prints, for as long as it does."""
    process = await asyncio.create_subprocess_exec(
        *words, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, limit=1 << 24
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is piped
        async for line in process.stdout:
            if line.strip():
                yield line
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()

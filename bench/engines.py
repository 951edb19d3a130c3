"""The engines that several processes share, for a bench: PostgreSQL as it is when it must not lose anything,
and a Valkey for each kind of cluster, so that none hears the other's doorbells."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.engines import valkey
from tests.engines.postgres import Postgres


class Engines:
    def __init__(self, folder: Path, postgres: Postgres, stack: contextlib.ExitStack) -> None:
        self._folder = folder
        self._postgres = postgres
        self._stack = stack

    def sections(self, name: str) -> dict[str, Any]:
        """What stands in the configuration of a cluster that has them to itself."""
        folder = self._folder / f"valkey-{name}"
        folder.mkdir()
        bus = self._stack.enter_context(valkey.running(folder))
        url = asyncio.run(self._postgres.new_database())
        return {"store": {"url": url}, "bus": {"url": bus.url}}


@contextlib.contextmanager
def engines(folder: Path) -> Iterator[Engines]:
    """Raises NotInstalled, of either."""
    with contextlib.ExitStack() as stack:
        valkey.program()
        # The engine of the tests does not wait for the disk, which is what a turn costs.
        postgres = Postgres("fsync=on", "full_page_writes=on")
        stack.callback(postgres.end)
        postgres.start()
        yield Engines(folder, postgres, stack)

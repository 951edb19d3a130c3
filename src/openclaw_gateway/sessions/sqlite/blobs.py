"""The files beside the entries, for the event loop: put, read and sweep up, on threads of their own.

Those who write wait for nobody but the disk, and nobody's commit waits for them. What is still named by
an entry, only the database knows: whoever sweeps up asks it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from openclaw_gateway.sessions.large import is_large
from openclaw_gateway.sessions.sqlite import blob_files
from openclaw_gateway.sessions.sqlite.file_thread import FileThread
from openclaw_gateway.wire.messages import M, Message

StillNamed = Callable[[list[str]], Awaitable[set[str]]]


class Blobs:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer = FileThread("blob-writer")
        self._reader = FileThread("blob-reader")

    async def stop(self, deadline_s: float) -> None:
        await asyncio.gather(self._reader.stop(deadline_s), self._writer.stop(deadline_s))

    async def set_aside(self, turn: tuple[Message, ...]) -> tuple[Message, ...]:
        """The turn with references for what is large, which is on disk when this returns."""
        if not any(map(is_large, turn)):
            return turn
        return tuple(
            [await self._writer.submit(partial(blob_files.set_aside, self._folder, each)) for each in turn]
        )

    async def whole(self, one: M) -> M:
        """Raises StoreError (code "store_corrupt")."""
        if not one.digest:
            return one
        data = await self._reader.submit(partial(blob_files.read, self._folder, one.digest))
        return replace(one, data=data, digest="", size=0)

    async def sweep(self, still_named: StillNamed) -> int:
        """Delete the files that no entry names; how many."""
        dropped = 0
        parts: Sequence[list[str]] = await self._reader.submit(
            lambda: list(blob_files.untouched(self._folder))
        )
        for part in parts:
            named = await still_named(part)
            left = [digest for digest in part if digest not in named]
            if left:
                dropped += await self._writer.submit(partial(blob_files.drop, self._folder, left))
        return dropped

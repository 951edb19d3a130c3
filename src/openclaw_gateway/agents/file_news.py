"""Whose workspace somebody has just written in, told by the kernel at once (inotify(7); Linux only).

A help, not a promise: other systems, network file systems and a kernel without watches left tell nothing, so
whoever listens also looks from time to time. Knows folders and agents' ids; must not know prompts.
"""

import asyncio
import sys
import threading
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncinotify import Event, Inotify, Watch


class FileNews:
    """`changed` hears the id of an agent when a file with one of these `names`, or any folder, comes, goes or
    gets other content in one of its folders."""

    def __init__(self, names: Collection[str], changed: Callable[[str], None]) -> None:
        self._names = frozenset(names)
        self._changed = changed
        self._lock = threading.Lock()
        self._inotify: Inotify | None = None
        self._agents: dict[int, set[str]] = {}
        self._watches: dict[str, dict[int, Watch]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def add(self, folders: Iterable[Path]) -> "list[Watch]":
        """Have the kernel watch these folders too. Blocks as the file system does: call it on a thread."""
        inotify = self._opened()
        watches: list[Watch] = []
        if inotify is None:
            return watches
        for folder in folders:
            with suppress(OSError):
                watches.append(_add(inotify, folder))
        return watches

    def hear(self, agent_id: str, watches: "Iterable[Watch]") -> None:
        """What happens there concerns this agent. On the event loop, like everything but `add`."""
        for watch in watches:
            self._agents.setdefault(watch.wd, set()).add(agent_id)
            self._watches.setdefault(agent_id, {})[watch.wd] = watch
        if self._loop is None and self._inotify is not None:
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(self._inotify.fd, self._read)

    def forget(self, agent_id: str) -> None:
        for wd, watch in self._watches.pop(agent_id, {}).items():
            agents = self._agents[wd]
            agents.discard(agent_id)
            if not agents:
                del self._agents[wd]
                if self._inotify is not None:
                    # Of a folder that went away the watch went with it.
                    with suppress(OSError):
                        self._inotify.rm_watch(watch)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            inotify, self._inotify = self._inotify, None
        if inotify is None:
            return
        if self._loop is not None:
            self._loop.remove_reader(inotify.fd)
        inotify.close()

    def _opened(self) -> "Inotify | None":
        if sys.platform != "linux":
            return None
        from asyncinotify import Inotify  # noqa: PLC0415  only where agents run

        # Held for no longer than it takes: the event loop takes it too.
        with self._lock, suppress(OSError):
            if self._inotify is None and not self._closed:
                self._inotify = Inotify(cache_size=64, sync_timeout=0)
        return self._inotify

    def _read(self) -> None:
        while self._inotify is not None and (event := self._inotify.sync_get()) is not None:
            for agent_id in self._meant(event):
                self._changed(agent_id)

    def _meant(self, event: "Event") -> tuple[str, ...]:
        from asyncinotify import Mask  # noqa: PLC0415

        if Mask.Q_OVERFLOW in event.mask:
            return tuple(self._watches)
        watch = event.watch
        if watch is None or event.name is None:
            return ()
        if Mask.ISDIR in event.mask or event.name.name in self._names:
            return tuple(self._agents.get(watch.wd, ()))
        return ()


def _add(inotify: "Inotify", folder: Path) -> "Watch":
    from asyncinotify import Mask  # noqa: PLC0415

    what = Mask.CLOSE_WRITE | Mask.CREATE | Mask.DELETE | Mask.MOVED_FROM | Mask.MOVED_TO | Mask.ONLYDIR
    return inotify.add_watch(folder, what)

"""The documents that all processes of a gateway go by, as one process knows them: as they were a second ago,
at most, and while the store is away as they were then.

Who changes one rings the others; a bell that nobody heard is made up for by a look once a second. Knows
nothing of what stands in them, nor of the kinds of store and bus.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple, TypeVar

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.bus import Bus
from openclaw_gateway.sessions.shared import Document, KeepsDocuments, SharedStore
from openclaw_gateway.work.cancelling import is_being_cancelled

R = TypeVar("R")
Told = Callable[[str], None]
# What a text becomes, None = it stays, and what its caller wants to know. It may be called several times, and
# raise what its caller shall see; "" = there is none.
Act = Callable[[str], tuple[str | None, R]]

TOPIC = "documents"
LOOK_EVERY_S = 1.0
_FIRST_S = 10.0
_AGAIN_S = 0.2
# Of so many that change it at once the last is refused.
_TRIES = 50
log = structlog.get_logger()


async def changed(
    store: KeepsDocuments, name: str, act: Act[R], read: Callable[[Document], None] = lambda _: None
) -> R:
    """What was meant by somebody else at the same time is not lost: `act` is done to the newest text. `read`
    is told of each that was found, and of what it has become, before anybody else is.

    Raises StoreError, and what `act` raises."""
    for left in range(_TRIES, 0, -1):
        document = await store.document(name)
        read(document)
        text, result = act(document.text)
        if text is None or (text == document.text and document.version):
            return result
        try:
            version = await store.write_document(name, text, replaces=document.version)
        except StoreError as error:
            if error.code != "document_changed" or left == 1:
                raise
        else:
            read(Document(version, text))
            return result
    raise AssertionError("unreachable")


class _Followed(NamedTuple):
    told: Told
    document: Document


class Documents:
    """Use it inside one event loop. `told` of a follower must be quick and must not raise."""

    def __init__(self, store: SharedStore, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._followed: dict[str, _Followed] = {}
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def follow(self, name: str, told: Told) -> None:
        """Its text is told now, and whenever it is another one. Many processes may start at once, on a
        machine that is busy: this waits longer than a request would. Raises StoreError."""
        self._followed[name] = _Followed(told, Document(-1, ""))
        loop = asyncio.get_running_loop()
        until = loop.time() + _FIRST_S
        while True:
            try:
                self._read(name, await self._store.document(name))
                break
            except StoreError as error:
                if not error.retryable or loop.time() >= until:
                    raise
                await asyncio.sleep(_AGAIN_S)
        if self._task is None:
            self._task = asyncio.create_task(self._look_ever(), name="documents")

    async def change(self, name: str, act: Act[R]) -> R:
        """Of what `act` has found its follower has been told before. Raises StoreError, and what `act`
        raises."""
        before = self._version(name)
        try:
            return await changed(self._store, name, act, lambda document: self._read(name, document))
        finally:
            if self._version(name) != before:
                self._bus.ring(TOPIC)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _version(self, name: str) -> int:
        followed = self._followed.get(name)
        return -1 if followed is None else followed.document.version

    def _read(self, name: str, document: Document) -> None:
        """What was asked for earlier may come later: only what is newer counts."""
        followed = self._followed.get(name)
        if followed is not None and document.version > followed.document.version:
            self._followed[name] = _Followed(followed.told, document)
            followed.told(document.text)

    async def _look_ever(self) -> None:
        watch = self._bus.watch(TOPIC)
        try:
            while True:
                trouble = ""
                try:
                    await self._look()
                except StoreError as error:
                    trouble = error.message
                except (Exception, asyncio.CancelledError):
                    if is_being_cancelled():
                        raise
                    log.exception("documents.look")
                if trouble and not self._trouble:
                    log.warning("documents.not_followed", error=trouble)
                self._trouble = trouble
                await watch.ring(LOOK_EVERY_S)
        finally:
            watch.close()

    async def _look(self) -> None:
        versions = await self._store.document_versions()
        for name, followed in list(self._followed.items()):
            if versions.get(name, 0) > followed.document.version:
                self._read(name, await self._store.document(name))

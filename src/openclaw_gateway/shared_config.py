"""One configuration for all processes of a gateway: the main file of each is a copy of a document in the
store.

Whoever changes his file changes the document, once it is in force there; the others write what it has become
into theirs, and the reload follows as it follows any edit. Only the main file is shared: what it includes,
`.env` and the command line are each machine's own. The store's word counts where two change it at once; what
stood in the file then is kept beside it, as with every edit.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import structlog

from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.write import ChangedMeanwhile, replace_text
from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.shared import CONFIG_DOCUMENT, Document, SharedStore
from openclaw_gateway.work.cancelling import is_being_cancelled
from openclaw_gateway.work.threads import Threads

log = structlog.get_logger()

_LOOK_EVERY_S = 1.0
_FILE_S = 10.0
T = TypeVar("T")


class SharedConfig:
    """`file` is the main file; `gone_by` gives its text that is in force here. `noted` is where it is noted
    which document that file was a copy of last, so that an edit made while no gateway ran is known for one.
    `is_copy` is set once the file is one."""

    def __init__(
        self, store: SharedStore, file: Path, noted: Path, gone_by: Callable[[], str | None]
    ) -> None:
        self._store = store
        self._file = file
        self._noted = noted
        self._gone_by = gone_by
        self._threads = Threads("config.shared", most=1)
        # None: not known yet. What was in force when the file was made to hold it is no edit of it.
        self._known: Document | None = None
        self._before: str | None = None
        self._trouble = ""
        self.is_copy = asyncio.Event()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._follow(), name="config.shared")

    def in_force(self, loaded: LoadedConfig) -> None:
        """Another text is gone by, or will be in a moment: look soon."""
        self._news.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._threads.close()

    async def _follow(self) -> None:
        while True:
            self._news.clear()
            trouble = ""
            try:
                await self._look()
            except StoreError as error:
                trouble = error.message
            except ChangedMeanwhile:
                trouble = f"{self._file} is being changed: it is looked at again."
            except (OSError, TimeoutError) as error:
                reason = getattr(error, "strerror", None) or "its disk does not answer"
                trouble = f"{self._file} or its folder cannot be written ({reason}): make it writable."
            except (Exception, asyncio.CancelledError):
                if is_being_cancelled():
                    raise
                log.exception("config.shared")
            if trouble and trouble != self._trouble:
                log.warning("config.not_shared", error=trouble)
            self._trouble = trouble
            # Not `wait_for`: where news come together with a cancellation, it loses the latter.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_EVERY_S):
                    await self._news.wait()

    async def _look(self) -> None:
        document, text = await self._store.document(CONFIG_DOCUMENT), self._gone_by()
        if self._known is None:
            self._known = await self._on_thread(partial(_copied, self._noted, document))
            self._before = self._known.text
        if document.version != self._known.version:
            await self._take(document)
            self._before = text
        elif text is not None and text not in (self._known.text, self._before):
            version = await self._store.write_document(CONFIG_DOCUMENT, text, replaces=document.version)
            log.info("config.shared", version=version)
            await self._know(Document(version, text))
            self._before = text
        elif text == self._known.text:
            self._before = text

    async def _take(self, document: Document) -> None:
        text = await self._on_thread(partial(_read, self._file))
        if document.text != text:
            await self._on_thread(partial(replace_text, self._file, text, document.text))
            log.info("config.taken", version=document.version)
        await self._know(document)

    async def _know(self, document: Document) -> None:
        self._known = document
        await self._on_thread(partial(_note, self._noted, document))
        self.is_copy.set()

    async def _on_thread(self, work: "partial[T]") -> T:
        return await self._threads.run(self._file.name, work, deadline_s=_FILE_S)


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return None


def _copied(noted: Path, document: Document) -> Document:
    """The newest document, where the file was a copy of it last: what stands in it now is an edit of that.
    Else one that is older than any, so that the file gets the newest."""
    line = _read(noted) or ""
    version, _, digest = line.strip().partition(" ")
    if document.version and version == str(document.version) and digest == _digest(document.text):
        return document
    return Document(0, "")


def _note(noted: Path, document: Document) -> None:
    noted.write_text(f"{document.version} {_digest(document.text)}\n", "utf-8")


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

"""The book of devices as all processes of a gateway keep it: one document in the store.

Each change is made to what the others have made of it. Knows nothing of what a device may.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import structlog

from openclaw_gateway.errors import DevicesUnwritable, StoreError
from openclaw_gateway.gateway.device_book import Act, Book
from openclaw_gateway.gateway.device_file import FILE_NAME, read_devices
from openclaw_gateway.sessions.documents import Documents
from openclaw_gateway.sessions.taking_over import put_aside, say_unread, take_over
from openclaw_gateway.wire.devices import SharedDeviceBook
from openclaw_gateway.work.threads import Threads

R = TypeVar("R")
log = structlog.get_logger()

DOCUMENT = FILE_NAME
# A device that was let in is known to all soon after.
TOGETHER_S = 1.0
_DEADLINE_S = 10.0
_UNREADABLE = (
    "what the store has as devices.json cannot be read as devices: correct that row of named_documents"
)


class SharedDevices:
    """A Shelf. `own_dir` is our folder of the state directory: a file of before is taken over from it."""

    together_s = TOGETHER_S

    def __init__(self, documents: Documents, own_dir: Path) -> None:
        self._documents = documents
        self._path = own_dir / FILE_NAME
        self._text = ""
        self._book: Book | None = Book()
        self._told: Callable[[Book], None] | None = None
        self._threads = Threads("devices", most=1)

    def hear(self, told: Callable[[Book], None]) -> None:
        self._told = told

    async def open(self) -> None:
        """Raises StoreError."""
        await self._documents.follow(DOCUMENT, self._is_now)
        try:
            devices = await self._on_thread(partial(read_devices, self._path))
            if devices:
                is_ours = await take_over(
                    partial(self._documents.change, DOCUMENT),
                    encoded(Book(devices)),
                    lambda known: (book := decoded(known)) is not None and book.devices == devices,
                )
                await self._on_thread(partial(put_aside if is_ours else say_unread, self._path))
        except (OSError, TimeoutError) as error:
            log.warning("devices.unreadable", path=str(self._path), error=str(error) or "it takes too long")

    async def change(self, act: Act[R]) -> R:
        try:
            return await self._documents.change(DOCUMENT, partial(self._act, act))
        except StoreError as error:
            raise DevicesUnwritable(
                f"The devices cannot be written: {error.message}", retry_after=error.retry_after
            ) from None

    async def close(self) -> None:
        self._threads.close()

    def _act(self, act: Act[R], text: str) -> tuple[str | None, R]:
        # Its reader has been told of this text just now.
        before = self._book if text == self._text else decoded(text)
        if before is None:
            raise DevicesUnwritable(f"Not written: {_UNREADABLE}.")
        book, result = act(before)
        return (None if book == before else encoded(book)), result

    def _is_now(self, text: str) -> None:
        self._text, self._book = text, decoded(text)
        if self._book is None:
            log.warning("devices.unreadable", detail=_UNREADABLE)
        elif self._told is not None:
            self._told(self._book)

    async def _on_thread(self, work: Callable[[], R]) -> R:
        return await self._threads.run("file", work, deadline_s=_DEADLINE_S)


def encoded(book: Book) -> str:
    shared = SharedDeviceBook(
        tuple(book.devices.values()),
        removed=book.removed,
        requests=book.requests,
        resolved=book.resolved,
    )
    return msgspec.json.format(msgspec.json.encode(shared), indent=2).decode()


def decoded(text: str) -> Book | None:
    """None where it is no book."""
    if not text:
        return Book()
    try:
        shared = msgspec.json.decode(text, type=SharedDeviceBook)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    devices = {device.device_id: device for device in shared.devices}
    return Book(devices, shared.removed, shared.requests, shared.resolved)

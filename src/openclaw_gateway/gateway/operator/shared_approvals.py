"""The approvals as all processes of a gateway keep them: one document in the store.

Each change is made to what the others have made of it. Knows nothing of what is allowed.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from openclaw_gateway.errors import ApprovalsUnusable, StoreError
from openclaw_gateway.sessions.documents import Documents
from openclaw_gateway.sessions.taking_over import Change, put_aside, say_unread, take_over
from openclaw_gateway.tools.exec.approvals import FILE_NAME, BrokenApprovals, encoded, parsed, read_document
from openclaw_gateway.tools.exec.approvals_file import approvals_path
from openclaw_gateway.work.threads import Threads

R = TypeVar("R")

DOCUMENT = FILE_NAME
PLACE = "exec-approvals.json of the store"
_DEADLINE_S = 10.0


class SharedApprovals:
    """KeptApprovals. `own_dir` is our folder of the state directory: a file of before is taken over from it.
    As long as that cannot be read, and the store has nothing, no agent runs a command."""

    place = PLACE

    def __init__(self, documents: Documents, own_dir: Path) -> None:
        self._documents = documents
        self._path = approvals_path(own_dir)
        self._text = ""
        self._unread: str | None = None
        self._threads = Threads("approvals", most=1)

    async def open(self) -> None:
        """Raises StoreError."""
        await self._documents.follow(DOCUMENT, self._is_now)
        try:
            text = await self._on_thread(partial(written_before, self._path))
        except BrokenApprovals as error:
            self._unread = str(error)
        except TimeoutError:
            self._unread = f"{self._path} could not be opened in time"
        else:
            if text is not None:
                change = partial(self._documents.change, DOCUMENT)
                is_ours = await take_over(change, text, partial(_is_same, text))
                await self._on_thread(partial(put_aside if is_ours else say_unread, self._path))

    def document(self) -> dict[str, Any] | None:
        text = self._text
        if not text and self._unread is not None:
            raise BrokenApprovals(self._unread)
        return document_in(text)

    async def change(self, act: Callable[[dict[str, Any]], R]) -> R:
        def on_text(text: str) -> tuple[str, R]:
            if not text and self._unread is not None:
                raise BrokenApprovals(self._unread)
            return edit(act)(text)

        try:
            return await self._documents.change(DOCUMENT, on_text)
        except StoreError as error:
            raise ApprovalsUnusable(
                f"The exec approvals cannot be written: {error.message}",
                code="approvals_unwritable",
                retry_after=error.retry_after,
            ) from None

    async def close(self) -> None:
        self._threads.close()

    def _is_now(self, text: str) -> None:
        self._text = text

    async def _on_thread(self, work: Callable[[], R]) -> R:
        return await self._threads.run("file", work, deadline_s=_DEADLINE_S)


def document_in(text: str) -> dict[str, Any] | None:
    """Raises BrokenApprovals."""
    return parsed(text.encode(), PLACE) if text else None


def edit(act: Callable[[dict[str, Any]], R]) -> Callable[[str], tuple[str, R]]:
    """`act`, done to the text of the document; raises BrokenApprovals."""

    def on_text(text: str) -> tuple[str, R]:
        document = document_in(text) or {}
        result = act(document)
        return encoded(document).decode(), result

    return on_text


async def hand_over(change: Change, path: Path) -> None:
    """The file, without a gateway. It blocks. Raises BrokenApprovals, StoreError."""
    text = written_before(path)
    if text is not None:
        is_ours = await take_over(change, text, partial(_is_same, text))
        (put_aside if is_ours else say_unread)(path)


def _is_same(text: str, known: str) -> bool:
    try:
        return document_in(known) == document_in(text)
    except BrokenApprovals:
        return False


def written_before(path: Path) -> str | None:
    """What the file of one process has; None where there is none. It blocks. Raises BrokenApprovals."""
    document = read_document(path)
    return None if document is None else encoded(document).decode()

"""A file of one process, of before its gateway had a store in common: the first becomes the document that all
go by.

What touches the file blocks. Knows nothing of what stands in it.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from openclaw_gateway.sessions.documents import Act

log = structlog.get_logger()

SUFFIX = ".taken-over"
Change = Callable[[Act[bool]], Awaitable[bool]]


async def take_over(change: Change, text: str, is_same: Callable[[str], bool]) -> bool:
    """Whether the document has been the same, or has become it, because there was none. Raises StoreError."""
    return await change(lambda known: (text, True) if not known else (None, is_same(known)))


def put_aside(path: Path) -> None:
    """Once its text is the document: nothing that is out of date comes into force again with it."""
    aside = path.with_name(path.name + SUFFIX)
    try:
        path.replace(aside)
    except OSError as error:
        log.warning("file.not_put_aside", path=str(path), error=error.strerror)
    else:
        log.info(
            "file.taken_over", path=str(path), detail=f"the store has it now, and the file is {aside.name}"
        )


def say_unread(path: Path) -> None:
    log.warning(
        "file.not_read",
        path=str(path),
        detail="what the store has counts, for all processes, and it has something else than this file: "
        "say there what is missing, then remove the file",
    )

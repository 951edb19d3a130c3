"""Where the approvals are that a command means: the file of the state directory, or the store that several
processes of a gateway share.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from msgspec import Struct

from openclaw_gateway import engines
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.loop import run
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.paths import resolve_paths
from openclaw_gateway.config.reading import Source
from openclaw_gateway.gateway.operator.shared_approvals import DOCUMENT, PLACE, document_in, edit, hand_over
from openclaw_gateway.logs import configure_logging
from openclaw_gateway.sessions.documents import changed
from openclaw_gateway.tools.exec.approvals import BrokenApprovals, read_document
from openclaw_gateway.tools.exec.approvals_file import approvals_path, changing

R = TypeVar("R")


class Meant(Struct, frozen=True):
    """`path` is the file, which is read where `url` is None. The latter may hold a password."""

    path: Path
    url: str | None

    @property
    def place(self) -> str:
        return str(self.path) if self.url is None else PLACE


def approvals_meant(around: Surroundings, config_path: Path | None) -> Meant:
    """Raises ConfigError."""
    paths = resolve_paths(around.environ, home=around.home, cwd=around.cwd, config_path=config_path)
    path = approvals_path(paths.own_dir)
    # The whole configuration may need variables that are the gateway's alone: only where a store is named.
    reading = Source.of(around.environ, around.home, config_path, around.cwd).read()
    document = reading.document if reading.problems else reading.checked.document
    store = document.get("store")
    if not isinstance(store, dict) or store.get("url") is None:
        return Meant(path, None)
    return Meant(path, around.load(config_path).config.store.url)


def changed_approvals(meant: Meant, act: Callable[[dict[str, Any]], R]) -> R:
    """Raises CommandFailed, StartupError, StoreError."""
    configure_logging(level="silent")
    try:
        if meant.url is not None:
            return run(_in_store(meant.url, meant.path, act))
        with changing(meant.path) as document:
            return act(document)
    except BrokenApprovals as error:
        raise CommandFailed(f"{error}. Correct it or remove it.", code="approvals_broken") from None
    except OSError as error:
        raise CommandFailed(
            f"{meant.path} cannot be written: {error.strerror}.", code="approvals_unwritable"
        ) from None


def document_of(meant: Meant) -> dict[str, Any] | None:
    """A file that the next start takes over counts as taken over. Raises BrokenApprovals, StartupError,
    StoreError."""
    configure_logging(level="silent")
    text = "" if meant.url is None else run(_text(meant.url))
    return document_in(text) if text else read_document(meant.path)


async def _in_store(url: str, path: Path, act: Callable[[dict[str, Any]], R]) -> R:
    async with engines.documents(url) as store:
        await hand_over(partial(changed, store, DOCUMENT), path)
        return await changed(store, DOCUMENT, edit(act))


async def _text(url: str) -> str:
    async with engines.documents(url) as store:
        return (await store.document(DOCUMENT)).text

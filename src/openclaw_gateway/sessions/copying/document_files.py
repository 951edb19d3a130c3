"""The documents that several processes go by, where there is one process: files beside its store, as it reads
and writes them.

All of it blocks, and raises what the machine does. Knows nothing of what stands in them.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from openclaw_gateway.errors import StoreError
from openclaw_gateway.sessions.copying.tables import Row

# By the names that they have in a store, too.
NAMES = ("devices.json", "exec-approvals.json")


class DocumentFiles:
    """In a folder. Those of a begun copy have a suffix until `put_in_place`."""

    def __init__(self, folder: Path, suffix: str = "") -> None:
        self._folder = folder
        self._suffix = suffix

    def rows(self, after: str) -> list[Row]:
        return [(name, self._text(name)) for name in self.there() if name > after]

    def write(self, part: Sequence[Row]) -> None:
        """Raises StoreError where another one is there."""
        for name, text in part:
            path, there = self._path(str(name)), self._folder / str(name)
            if there.exists() and there.read_bytes() != str(text).encode("utf-8", errors="replace"):
                raise StoreError(
                    f"{there} is there, says something else, and is not overwritten: move it away first.",
                    code="store_not_empty",
                )
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(str(text).encode("utf-8", errors="replace"))
                file.flush()
                os.fsync(file.fileno())

    def drop(self) -> None:
        for name in NAMES:
            self._path(name).unlink(missing_ok=True)

    def put_in_place(self) -> None:
        for name in self.there():
            self._path(name).replace(self._folder / name)

    def there(self) -> list[str]:
        return [name for name in NAMES if self._path(name).exists()]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}{self._suffix}"

    def _text(self, name: str) -> str:
        return self._path(name).read_bytes().decode("utf-8", errors="replace")

"""Where the tools of an agent work in a session, as far as its prompt has to tell. Pure."""

from pathlib import Path

from msgspec import Struct


class Folder(Struct, frozen=True):
    """Relative paths start at `path`; nothing outside `root` can be opened, but for reading what is on the
    `shelves`. `steers` is whether prompt files may be written."""

    path: Path
    root: Path
    writable: bool = True
    steers: bool = True
    shelves: tuple[Path, ...] = ()

    def reaches(self, path: Path) -> bool:
        return any(path.is_relative_to(folder) for folder in (self.root, *self.shelves))

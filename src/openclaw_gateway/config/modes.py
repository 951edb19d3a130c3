"""What other users of this machine may read or change of the operator's: his configuration and its folder.

Looks at files, and at nobody's wish but the operator's changes one: `mended`.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.config.load import Partly

FILE = 0o600
FOLDER = 0o700
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_ENTER = stat.S_IXGRP | stat.S_IXOTH


class Open(Struct, frozen=True):
    """A file or folder that others may use, at `mode`; `wanted` is the mode at which they may not.
    A `shut` one is a file whose folder only its owner may enter: its mode counts once that is open."""

    path: Path
    mode: int
    wanted: int
    shut: bool = False

    @property
    def may(self) -> str:
        """What others may do with it: "read", "change", or both."""
        return _what(self.mode)

    @property
    def means(self) -> str:
        """What that is, without an end."""
        if self.shut:
            return (
                f"{self.path}: only its folder keeps other users of this machine out, "
                f"its mode {self.mode:04o} lets them {self.may} it"
            )
        return f"{self.path}: other users of this machine may {self.may} it (mode {self.mode:04o})"

    def __str__(self) -> str:
        return f"{self.means}; make it {self.wanted:04o}, as config validate --fix does"


def open_to_others(read: Partly) -> list[Open]:
    """Of every file that was read, and the state directory."""
    files = [path for path, text in read.texts.items() if text is not None]
    folders = (read.loaded.state_dir, read.loaded.own_dir)
    return [*open_among(files, FILE), *open_among(folders, FOLDER)]


def mended(found: Open) -> tuple[bool, str]:
    """Whether it is now as wanted, and what to say of it."""
    try:
        # Another user's file might be his by intent; root alone could change it, and shut him out.
        if found.path.stat().st_uid != os.geteuid():
            return False, f"{found.path} belongs to another user, who has to make it {found.wanted:04o}."
        found.path.chmod(found.wanted)
    except OSError as error:
        return False, f"{found.path} could not be made {found.wanted:04o}: {error.strerror}."
    return True, f"{found.path} is {found.wanted:04o} now (it was {found.mode:04o})."


def open_among(paths: Iterable[Path], wanted: int) -> Iterable[Open]:
    """Those of `paths` that others may read or change."""
    for path in paths:
        try:
            found = path.stat()
            mode = stat.S_IMODE(found.st_mode)
            shut = stat.S_ISREG(found.st_mode) and _keeps_out(path.resolve().parent.stat(), found.st_uid)
        except OSError:
            continue
        if mode & (_OTHERS_READ | _OTHERS_WRITE):
            yield Open(path, mode, wanted, shut)


def _keeps_out(folder: os.stat_result, owner: int) -> bool:
    return folder.st_uid == owner and not folder.st_mode & _OTHERS_ENTER


def _what(mode: int) -> str:
    may = [word for word, bits in (("read", _OTHERS_READ), ("change", _OTHERS_WRITE)) if mode & bits]
    return " and ".join(may)

"""The names that a glob of a command stands for, as a shell would give them. It looks at the disk, briefly.

Links to folders are not gone through, and nothing outside `root` is listed: whoever runs the command checks
where the names lead.
"""

import fnmatch
import os
import re
import time
from pathlib import Path

from openclaw_gateway.fs.below import below

MOST_NAMES = 2_000
_MOST_LOOKS = 50_000
_SECONDS = 5.0
_MAGIC = re.compile(r"[*?\[]")


class TooManyNames(Exception):
    """More than a command can be given."""


def names_of(pattern: str, directory: Path, root: Path) -> list[str]:
    """Sorted; empty when nothing fits. `pattern` has what was quoted in brackets. Raises TooManyNames."""
    parts = pattern.split("/")
    found = [""]
    until, looks = time.monotonic() + _SECONDS, 0
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "" and not last:
            found = [prefix or "/" for prefix in found]
            continue
        reached: list[str] = []
        for prefix in found:
            where = directory / prefix if prefix else directory
            names = _names(where, part, root) if _MAGIC.search(part) else [part]
            looks += len(names) + 1
            if looks > _MOST_LOOKS or time.monotonic() > until:
                raise TooManyNames
            for name in names:
                path = f"{prefix}{name}"
                if last:
                    if name == "" or os.path.lexists(directory / path):
                        reached.append(path)
                elif (directory / path).is_dir():
                    reached.append(f"{path}/")
        found = reached
        if len(found) > MOST_NAMES:
            raise TooManyNames
    return sorted(found)


def _names(directory: Path, part: str, root: Path) -> list[str]:
    if not below(os.path.realpath(directory), os.path.realpath(root)):
        return []
    fits = re.compile(fnmatch.translate(re.sub(r"\[\^", "[!", part))).match
    hidden = part.startswith((".", "[.]"))
    try:
        with os.scandir(directory) as entries:
            return [one.name for one in entries if (hidden or one.name[0] != ".") and fits(one.name)]
    except OSError:
        return []

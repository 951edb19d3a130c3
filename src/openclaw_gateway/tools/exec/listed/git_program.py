"""Whether the git of this machine may look: asked once per program file, not at each command.

It blocks: call it on a thread.
"""

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

from openclaw_gateway.children import marked

# 2.38 brought safe.bareRepository; what is older has known faults with repositories of others.
OLDEST = (2, 38)
_VERSION = re.compile(r"git version (\d{1,4})\.(\d{1,4})")
_PATIENCE_S = 5.0
_MUTE = "this machine's git does not say its version"


def unfit_reason(program: str) -> str | None:
    """Why `program`, a real path, is not on the list; None when it is."""
    try:
        status = Path(program).stat()
        return _judged(program, status.st_ino, status.st_mtime_ns, status.st_size)
    except (OSError, subprocess.TimeoutExpired):
        return _MUTE


@lru_cache(maxsize=16)
def _judged(program: str, *_: int) -> str | None:
    asked = subprocess.run(  # noqa: S603  the program that the command would run
        [program, "--version"],
        env=marked({"HOME": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.defpath}),
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    found = _VERSION.match(asked.stdout.decode(errors="replace"))
    if found is None:
        return _MUTE
    if (int(found[1]), int(found[2])) < OLDEST:
        return f"this machine's git is older than {OLDEST[0]}.{OLDEST[1]} ({found[1]}.{found[2]})"
    return None

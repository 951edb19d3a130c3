"""What one process, and each that it starts, may take of the machine. The kernel holds them to it.

Memory is what a process writes to for itself (RLIMIT_DATA), not what it only reserves: Node.js and Java
reserve many gigabytes to begin with.
"""

import contextlib
import os
import resource
from pathlib import Path

from msgspec import Struct

_NICE = 10
_LAST_S = 5


class ProcessLimits(Struct, frozen=True):
    """0 is no limit. `processes` are those beside what the machine runs already; the kernel counts them per
    user, and not at all for root."""

    memory_bytes: int = 1 << 30
    cpu_s: int = 3600
    processes: int = 512
    file_bytes: int = 4 << 30

    def counted(self) -> "tuple[tuple[int, int], ...]":
        """(resource, most) as of now; read it in the process that forks."""
        running = _running() if self.processes else None
        return (
            (resource.RLIMIT_CORE, 0),
            *((kind, most) for kind, most in self._plain() if most),
            *([(resource.RLIMIT_NPROC, running + self.processes)] if running is not None else []),
        )

    def _plain(self) -> tuple[tuple[int, int], ...]:
        return (
            (resource.RLIMIT_DATA, self.memory_bytes),
            (resource.RLIMIT_CPU, self.cpu_s),
            (resource.RLIMIT_FSIZE, self.file_bytes),
        )


def submit(counted: tuple[tuple[int, int], ...]) -> None:
    """From now on this process obeys, and yields to others. Fit for a process that was just forked."""
    for kind, most in counted:
        hard = resource.getrlimit(kind)[1]
        # Who has used up the time is first told so (SIGXCPU), and killed only at the hard limit.
        above = most + _LAST_S if kind == resource.RLIMIT_CPU else most
        if hard == resource.RLIM_INFINITY or above < hard:
            resource.setrlimit(kind, (most, above))
    with contextlib.suppress(OSError):
        os.nice(_NICE)


def _running() -> int | None:
    """Threads of all users; None where the system does not say."""
    try:
        return int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[2])
    except (OSError, ValueError, IndexError):
        return None

"""How many files and sockets the process may have open at once, and how they are shared out.

Every connection of a client may need a second descriptor, the connection to the provider behind it. What
the store, files, pipes to children and the resolver need is kept free for them, and a few more for telling
clients beyond the share that there are too many. The system gives a new descriptor the lowest free number,
so its number alone says how many are open: nobody has to count.
"""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

if sys.platform != "win32":
    import resource

EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What the system says when a descriptor or the memory for it is not to be had now."""

_NO_LIMIT = 1 << 30
_FILES = 64
_SPARE = 32
# macOS says that there is no hard limit, and refuses it as a soft one.
_MACOS_MOST = 10_240


class Share(Struct, frozen=True):
    """`connections` of clients with as many of ours to providers, and `spare` more to refuse clients with."""

    limit: int
    connections: int
    spare: int


def share_out(limit: int, in_use: int) -> Share:
    """What there is for connections when `in_use` of `limit` descriptors are taken. Pure.

    `connections` is less than one when the limit is too low to serve anybody.
    """
    return Share(limit, (_line(limit) - in_use) // 2, _spare(limit))


def raise_limit() -> int:
    """Raise this process's soft limit as far as the system lets it; the limit that holds now."""
    if sys.platform != "win32":
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        for wanted in (hard, _MACOS_MOST):
            with suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                break
    return current_limit()


def current_limit() -> int:
    """The soft limit that holds now."""
    if sys.platform == "win32":
        return _NO_LIMIT
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _NO_LIMIT if soft == resource.RLIM_INFINITY else soft


def in_use() -> int:
    """How many descriptors are open now, where the system has a list of them; else 0."""
    with suppress(OSError):
        return len(os.listdir(Path("/dev/fd")))  # noqa: PTH208  (a count; no paths are made)
    return 0


def beyond_line(descriptor: int) -> bool:
    """Whether a socket with this number takes from what is kept for everything but connections."""
    return descriptor >= _line(current_limit())


def _line(limit: int) -> int:
    return limit - min(_FILES, limit // 4) - _spare(limit)


def _spare(limit: int) -> int:
    return min(_SPARE, limit // 8)

"""While an answer streams, what is typed is not written into it; it is there for the next line."""

import contextlib
import sys
import termios
from collections.abc import Iterator

_LOCAL = 3  # of what tcgetattr gives, the modes that have ECHO


@contextlib.contextmanager
def quiet_keys() -> Iterator[None]:
    """Without a terminal nothing changes."""
    if not sys.stdin.isatty():
        yield
        return
    before, quiet = termios.tcgetattr(sys.stdin), termios.tcgetattr(sys.stdin)
    quiet[_LOCAL] &= ~termios.ECHO
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with contextlib.suppress(termios.error):  # it may be gone
            termios.tcsetattr(sys.stdin, termios.TCSANOW, before)

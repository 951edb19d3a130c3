"""Waits for the end of the process that holds its stdin open, then kills what bears the mark in its argument,
and what that has started.

A program of its own, run by its path: stdlib only, nothing of this project. It has a session of its own, so
that what is sent to the gateway's group or terminal does not reach it.
"""

import contextlib
import os
import signal
import sys
import time

# What is just being started has its mark a moment later; what forks quickly is looked for again.
_LOOKS = 50
_PAUSE_S = 0.02
_QUIET_LOOKS = 5


def main() -> None:
    mark = b"\0" + sys.argv[1].encode() + b"\0"
    with contextlib.suppress(OSError):
        os.setsid()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    quiet = 0
    for _ in range(_LOOKS):
        quiet = 0 if kill_all(mark) else quiet + 1
        if quiet == _QUIET_LOOKS:
            return
        time.sleep(_PAUSE_S)


def kill_all(mark: bytes) -> int:
    """How many there were."""
    killed = 0
    for name in _names():
        if name.isdigit() and int(name) != os.getpid():
            with contextlib.suppress(OSError):
                killed += _kill(int(name), mark)
    return killed


def _kill(pid: int, mark: bytes) -> bool:
    # Held before it is looked at: the number may pass to another process at any time.
    holding = os.pidfd_open(pid)
    try:
        with open(f"/proc/{pid}/environ", "rb") as environ:  # noqa: PTH123 - pathlib takes long to import
            found = mark in b"\0" + environ.read()
        if found:
            _kill_below(pid)
            signal.pidfd_send_signal(holding, signal.SIGKILL)
        return found
    finally:
        os.close(holding)


def _kill_below(pid: int) -> None:
    """What has put off its environment is still somebody's child."""
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):  # noqa: PTH208
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/task/{task}/children") as children:  # noqa: PTH123
                    below = [int(child) for child in children.read().split()]
                for child in below:
                    _kill_below(child)
                    os.kill(child, signal.SIGKILL)


def _names() -> list[str]:
    try:
        return os.listdir("/proc")  # noqa: PTH208
    except OSError:
        return []


if __name__ == "__main__":
    main()

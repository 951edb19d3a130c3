"""The program, imported once, and a fork of it for each command: `python -m tests.cli.forked`, which the
suite starts (tests/cli/prepared.py) and tells over its standard input what to do.

A command has a process, variables, a folder and standard streams of its own, and ends as any does. Knows no
test.
"""

import atexit
import gc
import importlib
import os
import pkgutil
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

import msgspec
from msgspec import Struct

import openclaw_gateway
from openclaw_gateway import cli
from openclaw_gateway.cli import main

MOST_BYTES = 1 << 17
# Beside what a command imports that is used: what those need who ask a gateway, or answer themselves.
_ALSO = (
    "openclaw_gateway.assembly",
    "openclaw_gateway.blueprint",
    "openclaw_gateway.client.connection",
    "openclaw_gateway.sessions.sqlite.store",
)


class Command(Struct):
    """`name` is that of the program. With it come its standard streams, and where its end is told: its pid on
    a line, then how it ended."""

    name: str
    words: Sequence[str]
    environ: Mapping[str, str]
    folder: str


def prepare() -> None:
    for module in pkgutil.walk_packages(cli.__path__, f"{cli.__name__}."):
        importlib.import_module(module.name)
    for name in _ALSO:
        importlib.import_module(name)
    # Or each command would look through all of it as it ends.
    gc.freeze()


def next_command() -> Command | None:
    """Each command in a process of its own; None, in the first one, when nobody is there any more who tells
    them."""
    told = socket.socket(fileno=os.dup(0))
    woken, wakes = socket.socketpair()
    for each in (woken, wakes):
        each.settimeout(0)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    ends: dict[int, int] = {}
    with selectors.DefaultSelector() as selector:
        for each in (told, woken):
            selector.register(each, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if woken in ready:
                with suppress(BlockingIOError):
                    woken.recv(4096)
                _tell_ends(ends)
            if told not in ready:
                continue
            said, streams, _, _ = socket.recv_fds(told, MOST_BYTES, 4)
            if not said:
                return None
            *streams, end = streams
            pid = os.fork()
            if not pid:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                selector.close()
                for number, fd in enumerate(streams):
                    os.dup2(fd, number)
                for fd in (*streams, end, *ends.values(), *(each.detach() for each in (told, woken, wakes))):
                    os.close(fd)
                return msgspec.json.decode(said, type=Command)
            _tell(end, b"%d\n" % pid)
            ends[pid] = end
            for fd in streams:
                os.close(fd)


def _tell_ends(ends: dict[int, int]) -> None:
    while ends:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        end = ends.pop(pid)
        _tell(end, b"%d" % os.waitstatus_to_exitcode(status))
        os.close(end)


def _tell(end: int, said: bytes) -> None:
    # Whoever asked may have waited for too long.
    with suppress(BrokenPipeError):
        os.write(end, said)


def become(command: Command) -> None:
    """What was the first process's is this command's own, as Python would have begun with it."""
    os.environ.clear()
    os.environ.update(command.environ)
    os.chdir(command.folder)
    time.tzset()
    sys.argv = [str(Path(openclaw_gateway.__file__).with_name("__main__.py")), *command.words]
    sys.stdin = _stream(0, "r", "surrogateescape")
    sys.stdout = _stream(1, "w", "surrogateescape")
    sys.stderr = _stream(2, "w", "backslashreplace", buffering=1)
    # typeshed calls them final; a program that wants its first streams finds its own.
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def _stream(number: int, mode: str, errors: str, buffering: int = -1) -> TextIOWrapper:
    stream = open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
    assert isinstance(stream, TextIOWrapper)
    return stream


def leave(status: object) -> None:
    """What Python does as it ends, but for taking apart what was imported: that is a copy of the first
    process's, and takes longer than most commands. Returns where it has to be done after all."""
    vars(threading)["_shutdown"]()
    atexit._run_exitfuncs()
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
        if isinstance(status, int):
            os._exit(status)


if __name__ == "__main__":
    prepare()
    to_do = next_command()
    if to_do is not None:
        become(to_do)
        try:
            getattr(main, to_do.name)()
        except SystemExit as end:
            leave(end.code)
            raise

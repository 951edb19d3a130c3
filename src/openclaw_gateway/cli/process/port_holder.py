"""Who listens on a port of this machine, and which port next to it is free. For the words of a refusal.

The kernel says which process it is (Linux: /proc; elsewhere lsof, where it is installed), and what it answers
at `/` says which program. Only looks; whatever it cannot find out it leaves out.
"""

import contextlib
import errno
import http.client
import os
import re
import shlex
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.redaction import redact
from openclaw_gateway.secret_values import in_arguments, worth_masking

_ANSWER_S = 1.0
_LSOF_S = 3.0
_PAGE_BYTES = 65_536
_LISTENING = "0A"  # include/net/tcp_states.h
_PORTS_TRIED = 50
_MOST_SHOWN = 80
_OUR_PAGE = "<title>openclaw-gateway</title>"
# What Node programs are started with before their own words.
_SCRIPT = re.compile(r"[/\\]node_modules[/\\](?P<package>[a-z]+)[/\\]")


class PortHolder(Struct, frozen=True):
    """`whose` is the program in words, None where nothing is known; `command` is how it was started."""

    pid: int | None = None
    command: str = ""
    whose: str | None = None

    def __str__(self) -> str:
        known = [f"pid {self.pid}"] if self.pid else []
        known += [_shortened(self.command)] if self.command else []
        aside = f" ({', '.join(known)})" if known else ""
        return f"{self.whose or 'another program'}{aside}"


def port_holder(host: str, port: int) -> PortHolder:
    pid = _listening_pid(port)
    words = _words(pid) if pid is not None else []
    whose = _whose_process(words) or _whose_page(_page(host, port))
    # Its words are shown, and a secret may be among them.
    command = redact(shlex.join(words), known=worth_masking(in_arguments(words)))
    return PortHolder(pid, command, whose)


def free_port(hosts: tuple[str, ...], after: int) -> int | None:
    """The next port that is free at all of these addresses now."""
    for port in range(after + 1, min(after + 1 + _PORTS_TRIED, 65_536)):
        if all(_is_free(host, port) for host in hosts):
            return port
    return None


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        # A machine without this kind of addresses has nobody on them either.
        return host == "::1" and error.errno not in {errno.EADDRINUSE, errno.EACCES}
    return True


def _whose_process(words: list[str]) -> str | None:
    """By its command line. The other systems are Node programs that name themselves."""
    if not words:
        return None
    program = Path(words[0].split()[0]).name
    for brand in BRANDS:
        named = program in {brand.name, f"{brand.name}-gateway"}
        scripts = (_SCRIPT.search(word) for word in words[1:3])
        if named or any(script and script["package"] == brand.name for script in scripts):
            return f"{brand.title}'s own gateway"
    if program.startswith("python") and any("openclaw_gateway" in word for word in words[1:4]):
        return "another gateway of this program"
    return None


def _whose_page(page: str) -> str | None:
    """By what it shows at `/`: the other systems' control pages are one element of their own name."""
    if _OUR_PAGE in page:
        return "another gateway of this program"
    return next((f"{brand.title}'s own gateway" for brand in BRANDS if f"<{brand.name}-app>" in page), None)


def _page(host: str, port: int) -> str:
    connection = http.client.HTTPConnection(host, port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/", headers={"Accept": "text/html"})
        return connection.getresponse().read(_PAGE_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def _listening_pid(port: int) -> int | None:
    if not Path("/proc/net/tcp").exists():
        return _told_by_lsof(port)
    sockets = {f"socket:[{inode}]" for inode in _inodes(port)}
    if not sockets:
        return None
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        # Those of other users may not be looked at, and any may end meanwhile.
        with contextlib.suppress(OSError):
            for descriptor in (entry / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) in sockets:
                        return int(entry.name)
    return None


def _inodes(port: int) -> Iterator[str]:
    """Of the sockets that listen there. A row: number, local address:port in hex, remote, state, …, inode."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for row in Path(table).read_text("ascii").splitlines()[1:]:
                cells = row.split()
                if cells[3] == _LISTENING and int(cells[1].rpartition(":")[2], 16) == port:
                    yield cells[9]


def _told_by_lsof(port: int) -> int | None:
    program = shutil.which("lsof")
    if program is None:
        return None
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603  the program is found by its name, its words are ours
            (program, "-nP", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fp"),
            capture_output=True,
            check=False,
            text=True,
            timeout=_LSOF_S,
        )
        return next((int(line[1:]) for line in done.stdout.splitlines() if line[:1] == "p"), None)
    return None


def _words(pid: int) -> list[str]:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [os.fsdecode(word) for word in line.split(b"\0") if word.strip()]


def _shortened(command: str) -> str:
    return command if len(command) <= _MOST_SHOWN else f"{command[: _MOST_SHOWN - 1]}…"

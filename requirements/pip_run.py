"""pip, watched: what it is at is told while it works, and why it failed in one sentence.

Standard library only, as all of the set-up. Knows no package.
"""

from __future__ import annotations

import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

# Nobody waits longer than this without a word.
SILENCE_S = 5.0
_AT = re.compile(
    r"\s*(?:Downloading|Using cached|Collecting|Processing) (?P<what>\S+)(?: \((?P<size>[^)]*B)\))?"
)
_PACKAGE = re.compile(r"^[A-Za-z0-9][\w.-]*==", re.MULTILINE)

# (what pip says, what that means). The first that is found counts.
_REASONS = (
    (
        r"CERTIFICATE_VERIFY_FAILED",
        "The certificate of the package index is not trusted here. If a proxy reads along, name its "
        "certificate in PIP_CERT.",
    ),
    (
        r"name resolution|nodename nor servname|getaddrinfo|new connection|Connection refused|ConnectTimeout"
        r"|Network is unreachable|No route to host|ProxyError|[Rr]ead timed out|Max retries exceeded",
        "The package index cannot be reached: there is no network, or a proxy is needed (HTTPS_PROXY). "
        "Try again when there is; what was fetched need not be fetched again.",
    ),
    (r"No space left on device", "The disk is full. About 1 GB is needed."),
    (
        r"DO NOT MATCH THE HASHES",
        "What the package index gave is not what the lock files want. Somebody changed it on the way, or the "
        "index is not the usual one (PIP_INDEX_URL).",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "{what} is not ready-made for this Python and this system, and nothing is compiled here: take Python "
        "3.11, 3.12 or 3.13 (make setup PYTHON=python3.12), on Linux with glibc or on macOS.",
    ),
    (
        r"gcc|clang|cc1|Microsoft Visual C\+\+|error: command .* failed",
        "A package has to be compiled, and there is no compiler here that can. On Debian and Ubuntu: apt-get "
        "install build-essential python3-dev",
    ),
    (
        r"No module named '?(?:venv|ensurepip|pip)|ensurepip is not available",
        "This Python cannot make virtual environments (venv or ensurepip is missing). On Debian and Ubuntu: "
        "apt-get install python3-venv",
    ),
    (r"[Pp]ermission denied", "The folder cannot be written to by you."),
)


def why(output: str) -> str:
    """One sentence for what pip said as it failed."""
    for pattern, sentence in _REASONS:
        found = re.search(pattern, output)
        if found is not None:
            what = next((each for each in found.groupdict().values() if each), "A package")
            return sentence.replace("{what}", what)
    last = next((line.strip() for line in reversed(output.splitlines()) if line.strip()), "it said nothing")
    return f"pip failed: {last}"


def packages_in(*locks: Path) -> int:
    return sum(len(_PACKAGE.findall(lock.read_text("utf-8"))) for lock in locks)


def watched(
    command: Sequence[str | Path], total: int, say: Callable[[str], None], silence_s: float = SILENCE_S
) -> tuple[int, str]:
    """(exit code, all it said). `say` is told where it is, at most every `silence_s`; `total` packages are
    meant, 0 = nobody knows."""
    child = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    )
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(target=_read, args=(child, lines), daemon=True)
    reader.start()
    said: list[str] = []
    place = _Place(total)
    try:
        while True:
            try:
                line = lines.get(timeout=silence_s)
            except queue.Empty:
                say(str(place))
                continue
            if line is None:
                break
            said.append(line)
            if place.moved(line, silence_s):
                say(str(place))
        return child.wait(), "".join(said)
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
        reader.join()


class _Place:
    """Where pip is, by what it printed."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._seen: set[str] = set()
        self._at = "asking the package index"
        self._told = time.monotonic()

    def moved(self, line: str, silence_s: float) -> bool:
        """Whether it is time to say so."""
        found = _AT.match(line)
        if found is not None:
            file = found["what"].rpartition("/")[2]
            ends = r"-" if file.endswith((".whl", ".gz", ".metadata")) else r"[=<>~!;\[]"
            name = re.split(ends, file, maxsplit=1)[0].lower().replace("_", "-")
            self._seen.add(name)
            self._at = name + (f" ({found['size']})" if found["size"] else "")
        elif line.startswith("Installing collected packages"):
            self._at = "unpacking"
        elif line.startswith("Ignoring ") and self._total:  # one for another system
            self._total -= 1
        if time.monotonic() - self._told < silence_s:
            return False
        self._told = time.monotonic()
        return True

    def __str__(self) -> str:
        self._told = time.monotonic()
        of = f" of {self._total}" if self._total else ""
        return f"  {len(self._seen)}{of} packages: {self._at}"


def _read(child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert child.stdout is not None  # noqa: S101 - it is piped
    with child.stdout:
        for line in child.stdout:
            lines.put(line)
    lines.put(None)

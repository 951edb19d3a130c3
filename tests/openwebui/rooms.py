"""Where Open WebUI and what drives the browser are installed: under .cache/, once, from pinned versions.

Raises NotInstalled where they cannot be had. OPENWEBUI_ROOM names another folder than .cache/openwebui.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.npm_packages import NotInstalled

_HERE = Path(__file__).parent
_ROOM = Path(os.environ.get("OPENWEBUI_ROOM") or _HERE.parents[1] / ".cache" / "openwebui")
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Several hundred packages, some of them large.
_DEADLINE_S = 3600


def server() -> Path:
    """The program `open-webui`, in an environment of its own."""
    folder = _room("server")
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        _install("server", "--python", str(folder / "bin" / "python"))
        (folder / "ready").touch()
    return folder / "bin" / "open-webui"


def driver() -> Path:
    """The folder from which this interpreter imports playwright."""
    folder = _room("browser")
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        _install("browser", target=folder)
        (folder / "ready").touch()
    return folder


def browser() -> str:
    """The path of Chromium."""
    for name in _BROWSERS:
        if (found := shutil.which(name)) is not None:
            return found
    raise NotInstalled("Chromium is not installed (Debian and Ubuntu: apt install chromium)")


def pinned(what: str, package: str) -> str:
    """The version that is tried."""
    lines = (_HERE / f"{what}.txt").read_text().splitlines()
    return next(line.partition("==")[2] for line in lines if line.startswith(f"{package}=="))


def _room(what: str) -> Path:
    wanted = (_HERE / f"{what}.txt").read_bytes() + sys.version.encode()
    _ROOM.mkdir(parents=True, exist_ok=True)
    return _ROOM / f"{what}-{hashlib.sha256(wanted).hexdigest()[:12]}"


def _install(what: str, *where: str, target: Path | None = None) -> None:
    print(f"installing {what}.txt: this is done once, and for Open WebUI takes several minutes", flush=True)
    into = ("--target", str(target)) if target else ()
    _run(
        *(sys.executable, "-m", "pip", *where, "install", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--prefer-binary", *into, "-r", str(_HERE / f"{what}.txt")),
    )


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"pip was not ready after {_DEADLINE_S} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["without a word"]
        raise NotInstalled(f"pip cannot install it here: {said[0]}")

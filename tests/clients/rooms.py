"""What the programs run in: the interpreter of the suite, an environment of their own, or Node with packages.

Each is made once, under .cache/, from files with pinned versions, whole or not at all. Raises NotInstalled
where it cannot be had (no network, no npm).
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.table import Client, Room
from tests.npm_packages import NotInstalled, installed

HERE = Path(__file__).parent
_CACHE = HERE.parents[1] / ".cache" / "clients"
_DEADLINE_S = 280


def of(client: Client) -> tuple[str, Path | None]:
    """What runs its program, made if need be; for Node, the folder whose node_modules holds the packages."""
    match client.room:
        case Room.OWN:
            return sys.executable, None
        case Room.VENV:
            return python_with(client.packages), None
        case Room.NODE:
            return node(HERE / "npm")
        case Room.COMMAND:
            return node(HERE / "npm-cli" / client.packages)


def python_with(requirements: str) -> str:
    """The interpreter of an environment with what python/<requirements>.txt names, and what that needs."""
    wanted = HERE / "python" / f"{requirements}.txt"
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = _CACHE / f"{requirements}-{digest}"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        # An environment names the place where it was made: it cannot be made elsewhere and moved.
        _run(sys.executable, "-m", "venv", "--without-pip", str(folder))
        pip = (sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"))
        _run(*pip, "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-cache-dir",
             "--no-compile", "--only-binary", ":all:", "-r", str(wanted))  # fmt: skip
        (folder / "ready").touch()
    return str(folder / "bin" / "python")


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"pip was not ready after {_DEADLINE_S} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["without a word"]
        raise NotInstalled(f"pip cannot install it here: {said[0]}")


def node(wanted: Path) -> tuple[str, Path]:
    """A Node as new as the packages want, and the folder whose node_modules holds them."""
    folder = installed(wanted, needs=("npm",), engine_strict=False)
    for binary in sorted(folder.glob("node_modules/node-linux-*/bin/node")):
        return str(binary), folder
    found = shutil.which("node")
    if found is None:
        raise NotInstalled("node is not installed")
    return found, folder


def programs_for_node(packages: Path) -> Path:
    """The folder of the programs of Node, beside its packages: there it looks for them."""
    folder = Path(tempfile.mkdtemp(dir=packages))
    for program in (HERE / "programs").glob("*.mjs"):
        shutil.copy(program, folder)
    return folder

"""A folder's package.json and package-lock.json, installed as they name it into a folder under .cache/."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_FILES = ("package.json", "package-lock.json")
_CACHE = Path(__file__).parents[1] / ".cache" / "npm"
_DEADLINE_S = 280


class NotInstalled(Exception):
    """It cannot be had here; the message says why."""


def installed(wanted: Path, *, needs: tuple[str, ...] = ("npm",), engine_strict: bool = True) -> Path:
    """The folder that holds `node_modules`. Raises NotInstalled. `engine_strict`: whether the Node that npm
    runs on must suit the packages, which it need not when they bring one."""
    for program in needs:
        if shutil.which(program) is None:
            raise NotInstalled(f"{program} is not installed")
    content = b"".join((wanted / name).read_bytes() for name in _FILES)
    folder = _CACHE / hashlib.sha256(content).hexdigest()[:16]
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as made:
            for name in _FILES:
                shutil.copy(wanted / name, made)
            _install(Path(made), ["--engine-strict"] if engine_strict else [])
            # Whole or not at all: an interrupted installation is never taken for a finished one.
            Path(made).rename(folder)
            Path(made).mkdir()
    return folder


def _install(folder: Path, options: list[str]) -> None:
    try:
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *options],
            cwd=folder,
            env={**os.environ, "npm_config_cache": str(_CACHE / "downloads")},
            capture_output=True,
            text=True,
            timeout=_DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"npm was not ready after {_DEADLINE_S} s") from None
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line] or ["without a word"]
        raise NotInstalled(f"npm cannot install it here: {said[0]}")

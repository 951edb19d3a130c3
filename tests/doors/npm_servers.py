"""The reference MCP servers that npm has, as npm/package-lock.json names them, in a folder under .cache/."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_WANTED = Path(__file__).parent / "npm"
_FILES = ("package.json", "package-lock.json")
_CACHE = Path(__file__).parents[2] / ".cache" / "npm"
_DEADLINE_S = 300


def server_script(name: str) -> str:
    """What node runs for @modelcontextprotocol/`name`. Skips the test where it cannot be had."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: the reference servers of npm are not tried")
    return str(_installed() / "node_modules" / "@modelcontextprotocol" / name / "dist" / "index.js")


def _installed() -> Path:
    content = b"".join((_WANTED / name).read_bytes() for name in _FILES)
    folder = _CACHE / hashlib.sha256(content).hexdigest()[:16]
    if not folder.exists():
        _CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as made:
            for name in _FILES:
                shutil.copy(_WANTED / name, made)
            _install(Path(made))
            # Whole or not at all: an interrupted installation is never taken for a finished one.
            Path(made).rename(folder)
            Path(made).mkdir()
    return folder


def _install(folder: Path) -> None:
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--engine-strict", "--no-audit", "--no-fund"],
        cwd=folder,
        env={**os.environ, "npm_config_cache": str(_CACHE / "downloads")},
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if "error" in line] or ["without a word"]
        pytest.skip(f"npm cannot install the reference servers here: {said[0]}")

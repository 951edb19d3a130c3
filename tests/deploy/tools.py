"""The programs that read what deploy/ holds: those of this machine, or what `make test-deploy` brings."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
_BROUGHT = ROOT / ".cache" / "deploy" / "bin"
_DEADLINE_S = 120


def compose() -> list[str]:
    """The words that Docker Compose is called with. It needs no daemon to read a file."""
    for name in ("docker-compose", str(_BROUGHT / "docker-compose")):
        if shutil.which(name):
            return [name]
    if shutil.which("docker") and said(["docker", "compose", "version"])[0] == 0:
        return ["docker", "compose"]
    pytest.skip("there is no Docker Compose here; `make test-deploy` brings it")


def brought_python() -> str:
    """A Python with what reads Helm charts and Kubernetes' objects."""
    python = _BROUGHT / "python"
    if not python.exists():
        pytest.skip("there is no Helm here; `make test-deploy` brings it")
    return str(python)


def said(words: Sequence[str | Path], environ: Mapping[str, str] | None = None) -> tuple[int, str]:
    """(exit code, what it said to both of its outputs)."""
    done = subprocess.run(
        [*map(str, words)],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    return done.returncode, done.stdout

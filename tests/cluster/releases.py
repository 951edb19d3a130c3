"""Other commits of this repository, as source that replicas run in this environment: what they need beside it
is what this commit needs.
"""

import asyncio
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from msgspec import Struct

ROOT = Path(__file__).resolve().parents[2]
_SCHEMA = Path("src/openclaw_gateway/sessions/postgres/schema")
_WHERE = "import openclaw_gateway; print(openclaw_gateway.__file__)"


class NoRelease(Exception):
    """A commit that is none here, or whose source does not run in this environment."""


class Release(Struct, frozen=True):
    """`source` is the folder with the package; `schema` the newest that it knows."""

    commit: str
    source: Path
    schema: int

    def environ(self) -> Mapping[str, str]:
        """Of a process that is to be this release."""
        return {"PYTHONPATH": str(self.source)}


def this() -> Release:
    return Release(_said("rev-parse", "--short=10", "HEAD"), ROOT / "src", _newest(ROOT))


def before_the_newest_schema() -> str:
    """The last commit that did not know the newest part of the schema. Raises NoRelease."""
    newest = max((ROOT / _SCHEMA).glob("*.sql")).relative_to(ROOT)
    return _said("log", "--diff-filter=A", "--format=%H", "-1", "--", str(newest)) + "^"


async def unpacked(commit: str, folder: Path) -> Release:
    """That commit, its source laid into the folder. Raises NoRelease."""
    name = await asyncio.to_thread(_said, "rev-parse", "--short=10", "--verify", f"{commit}^{{commit}}")
    await asyncio.to_thread(_lay, name, folder)
    release = Release(name, folder / "src", await asyncio.to_thread(_newest, folder))
    runs = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _WHERE),
        env={**os.environ, **release.environ()},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, complained = await runs.communicate()
    if not said.decode().startswith(str(release.source)):
        raise NoRelease(f"The source of {name} is not what runs: {said.decode()}{complained.decode()}")
    return release


def _lay(commit: str, folder: Path) -> None:
    packed = _git("archive", "--format=tar", commit, "src")
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(folder, filter="data")


def _newest(root: Path) -> int:
    return max((int(file.name[:4]) for file in (root / _SCHEMA).glob("*.sql")), default=0)


def _said(*words: str) -> str:
    return _git(*words).decode().strip()


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise NoRelease(f"git {' '.join(words)}: {done.stderr.decode().strip()}")
    return done.stdout

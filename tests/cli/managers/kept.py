"""What both stand-ins share: a folder for what they know, and a process that waits for the service's end."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

FOLDER = Path(os.environ["MANAGER_FOLDER"])
DEADLINE_S = 20.0


def known() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((FOLDER / "known.json").read_text())
    except FileNotFoundError:
        return {}
    return found


def keep(found: dict[str, Any]) -> None:
    part = FOLDER / f"known.{os.getpid()}"
    part.write_text(json.dumps(found))
    part.replace(FOLDER / "known.json")


def launch(words: list[str], environ: dict[str, str], folder: str, output: Path) -> None:
    """Start it under a keeper, which writes down its number, and how it ended."""
    for name in ("pid", "ended"):
        (FOLDER / name).unlink(missing_ok=True)
    with output.open("ab") as out:
        subprocess.Popen(
            [sys.executable, __file__, str(FOLDER), folder, *words],
            env={**environ, "MANAGER_FOLDER": str(FOLDER)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    until = time.monotonic() + DEADLINE_S
    while not (FOLDER / "pid").exists():
        assert time.monotonic() < until
        time.sleep(0.01)


def pid() -> int | None:
    """Of what runs."""
    if not (FOLDER / "pid").exists() or (FOLDER / "ended").exists():
        return None
    return int((FOLDER / "pid").read_text())


def ended() -> int | None:
    """How it ended: an exit code, or minus a signal."""
    file = FOLDER / "ended"
    return int(file.read_text()) if file.exists() else None


def _keeper(folder: Path, place: str, words: list[str]) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "MANAGER_FOLDER"}
    child = subprocess.Popen(words, cwd=place, env=environ, stdin=subprocess.DEVNULL)
    (folder / "pid.part").write_text(str(child.pid))
    (folder / "pid.part").replace(folder / "pid")
    code = child.wait()
    (folder / "ended.part").write_text(str(code))
    (folder / "ended.part").replace(folder / "ended")


if __name__ == "__main__":
    _keeper(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])

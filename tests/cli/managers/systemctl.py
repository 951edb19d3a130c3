"""`systemctl --user` of a manager that has one unit."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from tests.cli.managers.kept import DEADLINE_S, FOLDER, ended, keep, known, launch, pid
from tests.cli.managers.unit_file import Refused, command, environment, parse, specified


def refuse(text: str, code: int = 1) -> NoReturn:
    print(text, file=sys.stderr)  # noqa: T201
    sys.exit(code)


def place(unit: str) -> Path:
    return Path(os.environ["HOME"]) / ".config/systemd/user" / unit


def link(unit: str) -> Path:
    return place(unit).parent / "default.target.wants" / unit


def show(unit: str) -> None:
    file, state = place(unit), known()
    there = file.exists()
    loaded = unit in state or there
    if there and unit not in state:  # what nobody has asked for is read when it is asked for
        state[unit] = file.read_text()
        keep(state)
    running, code = pid(), ended()
    failed = code not in {None, 0, -signal.SIGTERM} and running is None
    lines = {
        "LoadState": "loaded" if loaded and (there or running) else "not-found",
        "ActiveState": "active" if running else "failed" if failed else "inactive",
        "SubState": "running" if running else "failed" if failed else "dead",
        "UnitFileState": "enabled" if link(unit).exists() else "disabled" if there else "",
        "MainPID": str(running or 0),
        "Result": "exit-code" if failed else "success",
        "ExecMainStatus": str(abs(code or 0)),
        "NeedDaemonReload": "yes" if there and state[unit] != file.read_text() else "no",
        "FragmentPath": str(file) if there else "",
    }
    for name, value in lines.items():
        print(f"{name}={value}")  # noqa: T201


def start(unit: str) -> None:
    text = known().get(unit) or (place(unit).read_text() if place(unit).exists() else None)
    if text is None:
        refuse(f"Failed to start {unit}: Unit {unit} not found.", 5)
    if pid() is not None:
        return
    try:
        parsed = parse(text)
        environ = environment(parsed)
        words = command(parsed, environ)
        folder = specified(parsed["Service.WorkingDirectory"][0])
    except Refused as refused:
        refuse(f"Failed to start {unit}: Unit {unit} has a bad unit file setting: {refused}")
    launch(words, {"PATH": "/usr/bin:/bin", **environ}, folder, FOLDER / "journal")


def stop(unit: str, *, waits: bool) -> None:
    if unit not in known() and not place(unit).exists():
        refuse(f"Failed to stop {unit}: Unit {unit} not loaded.", 5)
    if (running := pid()) is not None:
        os.kill(running, signal.SIGTERM)
    until = time.monotonic() + DEADLINE_S
    while waits and pid() is not None and time.monotonic() < until:
        time.sleep(0.01)


def enable(unit: str, verb: str) -> None:
    if not place(unit).exists():
        refuse(f"Failed to {verb} unit: Unit file {unit} does not exist.")
    link(unit).parent.mkdir(exist_ok=True)
    link(unit).unlink(missing_ok=True)
    if verb == "enable":
        link(unit).symlink_to(place(unit))


def main(words: list[str]) -> None:
    if (FOLDER / "no-bus").exists():
        refuse("Failed to connect to bus: No medium found")
    if "--user" not in words:
        refuse("Access denied")
    verb, *rest = [word for word in words if not word.startswith("-")]
    unit = rest[0] if rest else ""
    if verb in {"enable", "disable"}:
        enable(unit, verb)
        return
    match verb:
        case "show" if not unit:
            print("Version=255")  # noqa: T201
        case "show":
            show(unit)
        case "daemon-reload":
            keep({name: place(name).read_text() for name in known() if place(name).exists()})
        case "reset-failed":
            if pid() is None:
                (FOLDER / "pid").unlink(missing_ok=True)
                (FOLDER / "ended").unlink(missing_ok=True)
        case "start":
            start(unit)
        case "stop":
            stop(unit, waits="--no-block" not in words)
        case _:
            refuse(f"Unknown command verb {verb}.")


if __name__ == "__main__":
    main(sys.argv[1:])

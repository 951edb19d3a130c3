"""`launchctl` of a session that has one agent."""

import os
import plistlib
import signal
import sys
from pathlib import Path
from typing import Any, NoReturn

from tests.cli.managers.kept import FOLDER, ended, keep, known, launch, pid

_KEYS = {
    *("Label", "ProgramArguments", "EnvironmentVariables", "WorkingDirectory", "RunAtLoad", "KeepAlive"),
    *("ThrottleInterval", "ExitTimeOut", "ProcessType", "StandardOutPath", "StandardErrorPath"),
}


def refuse(text: str, code: int) -> NoReturn:
    print(text, file=sys.stderr)  # noqa: T201
    sys.exit(code)


def agent(target: str) -> dict[str, Any]:
    found = known().get(target)
    if found is None:
        refuse(f'Could not find service "{target.rpartition("/")[2]}" in domain for user gui', 113)
    return dict(found)


def begin(plist: dict[str, Any]) -> None:
    if pid() is None:
        output = Path(plist["StandardOutPath"])
        environ = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", **plist["EnvironmentVariables"]}
        launch(plist["ProgramArguments"], environ, plist["WorkingDirectory"], output)


def tell(target: str) -> None:
    agent(target)
    running, code = pid(), ended()
    said = "(never exited)" if code is None else str(code)
    print(f"{target} = {{")  # noqa: T201
    print(f"\tactive count = {int(running is not None)}")  # noqa: T201
    print(f"\tstate = {'running' if running else 'not running'}")  # noqa: T201
    if running:
        print(f"\tpid = {running}")  # noqa: T201
    print(f"\tlast exit code = {said}")  # noqa: T201
    print("\tendpoints = {\n\t\tstate = 7\n\t}\n}")  # noqa: T201


def bootstrap(domain: str, file: Path) -> None:
    plist = plistlib.loads(file.read_bytes())
    assert set(plist) <= _KEYS
    assert set(plist["KeepAlive"]) == {"SuccessfulExit"}
    target = f"{domain}/{plist['Label']}"
    if target in known():
        refuse("Bootstrap failed: 5: Input/output error", 5)
    if (FOLDER / f"disabled.{plist['Label']}").exists():
        refuse("Bootstrap failed: 119: Service is disabled", 119)
    keep({**known(), target: plist})
    begin(plist)


def main(words: list[str]) -> None:
    domain = f"gui/{os.getuid()}"
    verb, *rest = words
    match verb, rest:
        case "print", [target] if target == domain:
            print(f"{domain} = {{\n}}")  # noqa: T201
        case "print", [target]:
            tell(target)
        case "print-disabled", [_]:
            for file in FOLDER.glob("disabled.*"):
                print(f'\t\t"{file.name.removeprefix("disabled.")}" => disabled')  # noqa: T201
        case "enable", [target]:
            (FOLDER / f"disabled.{target.rpartition('/')[2]}").unlink(missing_ok=True)
        case "bootstrap", [where, file]:
            bootstrap(where, Path(file))
        case "kickstart", [target]:
            begin(agent(target))
        case "kill", ["SIGTERM", target]:
            agent(target)
            running = pid()
            if running is None:
                refuse("No process to signal.", 3)
            os.kill(running, signal.SIGTERM)
        case "bootout", [target]:
            agent(target)
            if (running := pid()) is not None:
                os.kill(running, signal.SIGTERM)
            keep({name: value for name, value in known().items() if name != target})
        case _:
            refuse(f"Unrecognized subcommand: {verb}", 64)


if __name__ == "__main__":
    main(sys.argv[1:])

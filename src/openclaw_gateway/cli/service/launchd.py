"""launchd on macOS: `launchctl` in the domain of the person who is logged in (launchctl(1))."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service import plist
from openclaw_gateway.cli.service.manager import (
    ServiceState,
    asked,
    ended_badly,
    foreign,
    program_trouble,
    said,
    told,
    unsupported,
    whose,
    write_whole,
)
from openclaw_gateway.cli.service.plan import ServicePlan

_LOOK_S = 0.1
_UNLOADED_S = 10.0
_TAIL_BYTES = 1 << 20
# What it prints of a service: indented `name = value`, those of the service itself with one tab.
_LINE = re.compile(r"^\t([a-z ]+) = (.+)$", re.MULTILINE)


class Launchd:
    """Raises CommandFailed (code "service_unsupported") where nobody is logged in at the screen."""

    def __init__(self, name: str, home: Path, output: Path) -> None:
        self._name = name
        self._domain = f"gui/{os.getuid()}"
        self._service = f"{self._domain}/{name}"
        self._path = home / "Library" / "LaunchAgents" / f"{name}.plist"
        self._output = output
        done = asked("launchctl", "print", self._domain)
        if done.returncode:
            raise unsupported(f"launchctl has no session of this user: {said(done)}")

    def look(self) -> ServiceState:
        found = self._loaded()
        owner = whose(self._path, plist.is_ours)
        running = found is not None and found.get("state") == "running"
        return ServiceState(
            manager="launchd",
            name=self._name,
            path=str(self._path),
            installed=owner == "ours",
            enabled=owner == "ours" and not self._disabled(),
            running=running,
            pid=int(found["pid"]) if found and running and found.get("pid", "").isdigit() else None,
            troubles=tuple(self._troubles(found, owner, running=running)),
        )

    def _loaded(self) -> dict[str, str] | None:
        """None where launchd does not know it."""
        done = asked("launchctl", "print", self._service)
        return None if done.returncode else dict(_LINE.findall(done.stdout))

    def _disabled(self) -> bool:
        said_so = asked("launchctl", "print-disabled", self._domain).stdout
        return bool(re.search(rf'"{re.escape(self._name)}" => (disabled|true)', said_so))

    def _troubles(self, found: Mapping[str, str] | None, owner: str, *, running: bool) -> Iterator[str]:
        if owner == "other":
            yield f"{self._path} was not written by this program."
            return
        if owner == "nobody":
            if found is not None:
                yield (
                    f"launchd holds it, and its file {self._path} is gone; `openclaw gateway uninstall` "
                    "clears that."
                )
            return
        if self._disabled():
            yield "It is disabled; `openclaw gateway install` enables it."
        elif found is None:
            yield "launchd does not hold it; `openclaw gateway start` loads it."
        yield from program_trouble(plist.program_of(self._path.read_bytes()))
        code = found.get("last exit code", "") if found is not None else ""
        if not running and code.split(":")[0].isdigit() and int(code.split(":")[0]):
            yield ended_badly(int(code.split(":")[0]))

    def install(self, plan: ServicePlan) -> None:
        if whose(self._path, plist.is_ours) == "other":
            raise foreign(self._path)
        try:
            data = plist.plist_bytes(plan)
        except ValueError as problem:
            raise CommandFailed(f"launchd cannot start this: {problem}.", code="service_failed") from None
        write_whole(self._path, data)
        told("launchctl", "enable", self._service)
        if self._loaded() is not None:  # it goes by what it read when it was loaded
            self._unload()

    def uninstall(self) -> None:
        if whose(self._path, plist.is_ours) == "other":
            raise foreign(self._path)
        if self._loaded() is not None:
            self._unload()
        self._path.unlink(missing_ok=True)

    def start(self) -> None:
        if self._loaded() is None:
            told("launchctl", "bootstrap", self._domain, str(self._path))
        else:
            told("launchctl", "kickstart", self._service)

    def stop(self) -> None:
        """It stays loaded: it ends well, so that nothing starts it again before the next login."""
        told("launchctl", "kill", "SIGTERM", self._service)

    def _unload(self) -> None:
        """Ends what runs, too; launchd says that it is done before it is."""
        told("launchctl", "bootout", self._service)
        until = time.monotonic() + _UNLOADED_S
        while self._loaded() is not None:
            if time.monotonic() > until:
                raise CommandFailed(f"launchd has not let go of {self._name}.", code="service_failed")
            time.sleep(_LOOK_S)

    def lines(self, count: int) -> Iterator[bytes]:
        try:
            with self._output.open("rb") as file:
                file.seek(max(0, self._output.stat().st_size - _TAIL_BYTES))
                yield from file.read().splitlines()[-count or _TAIL_BYTES :]
        except OSError as error:
            raise CommandFailed(
                f"{self._output} cannot be read: {error.strerror}.", code="log_missing"
            ) from None

    def following(self) -> tuple[str, ...] | Path:
        return self._output

    def notices(self) -> Iterator[str]:
        yield (
            f"What it prints goes to {self._output}, which nothing cuts; logging.file names a log that is "
            "kept short."
        )

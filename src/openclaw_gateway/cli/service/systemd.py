"""The systemd user manager: `systemctl --user`, and `journalctl` for what the service prints."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service import unit
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

_PROPERTIES = (
    "LoadState,ActiveState,SubState,UnitFileState,MainPID,Result,ExecMainStatus,NeedDaemonReload,FragmentPath"
)
_CURSOR = "-- cursor: "
_RUNNING = frozenset({"active", "activating", "reloading", "deactivating"})
_ON = frozenset({"enabled", "enabled-runtime"})


class Systemd:
    """Raises CommandFailed (code "service_unsupported") where the person has no manager."""

    def __init__(self, name: str, environ: Mapping[str, str], home: Path) -> None:
        self._unit = f"{name}.service"
        self._name = name
        self._cursor = ""
        folder = environ.get("XDG_CONFIG_HOME") or str(home / ".config")
        self._path = Path(folder) / "systemd" / "user" / self._unit
        done = asked("systemctl", "--user", "show", "--property=Version")
        if done.returncode:
            raise unsupported(f"systemctl --user says: {said(done)}")

    def look(self) -> ServiceState:
        lines = told("systemctl", "--user", "show", self._unit, f"--property={_PROPERTIES}").splitlines()
        found = dict(line.split("=", 1) for line in lines if "=" in line)
        owner = whose(self._path, _is_ours)
        running = found.get("ActiveState") in _RUNNING
        return ServiceState(
            manager="systemd",
            name=self._unit,
            path=str(self._path),
            installed=owner == "ours",
            enabled=found.get("UnitFileState") in _ON,
            running=running,
            pid=int(found.get("MainPID") or 0) or None,
            troubles=tuple(self._troubles(found, owner, running=running)),
        )

    def _troubles(self, found: Mapping[str, str], owner: str, *, running: bool) -> Iterator[str]:
        if owner == "other":
            yield f"{self._path} was not written by this program."
            return
        if owner == "nobody":
            if running:
                yield f"It runs, and its file {self._path} is gone; `openclaw gateway stop` ends it."
            elif self._link().is_symlink():
                yield (
                    f"Its file {self._path} is gone, it is still enabled; `openclaw gateway uninstall` mends "
                    "it."
                )
            return
        fragment = found.get("FragmentPath", "")
        if fragment and fragment != str(self._path):
            yield f"systemd uses {fragment} instead of {self._path}; move that away."
        if found.get("LoadState") == "masked":
            yield f"It is masked; `systemctl --user unmask {self._unit}` allows it."
        elif found.get("LoadState") != "loaded" or found.get("NeedDaemonReload") == "yes":
            yield "systemd has not read its file as it is now; `systemctl --user daemon-reload` has it read."
        elif found.get("UnitFileState") not in _ON:
            yield (
                "It does not start by itself; `openclaw gateway install` has it start with your other "
                "services."
            )
        yield from program_trouble(unit.program_of(self._path.read_text("utf-8", "replace")))
        if found.get("ActiveState") == "failed" or found.get("SubState") == "auto-restart":
            code = int(found.get("ExecMainStatus") or 0)
            ended = found.get("Result", "")
            yield ended_badly(code) if code else f"It failed ({ended}); `openclaw gateway logs` shows why."

    def _link(self) -> Path:
        return self._path.parent / "default.target.wants" / self._unit

    def install(self, plan: ServicePlan) -> None:
        if whose(self._path, _is_ours) == "other":
            raise foreign(self._path)
        try:
            text = unit.unit_text(plan)
        except unit.NotWritable as problem:
            raise CommandFailed(f"systemd cannot start this: {problem}.", code="service_failed") from None
        write_whole(self._path, text.encode())
        told("systemctl", "--user", "daemon-reload")
        told("systemctl", "--user", "enable", self._unit)

    def uninstall(self) -> None:
        if whose(self._path, _is_ours) == "other":
            raise foreign(self._path)
        if self._path.exists():
            told("systemctl", "--user", "disable", self._unit)
        self._path.unlink(missing_ok=True)
        self._link().unlink(missing_ok=True)
        told("systemctl", "--user", "daemon-reload")
        asked("systemctl", "--user", "reset-failed", self._unit)  # one that did not fail is none of its own

    def start(self) -> None:
        # Five failures in ten minutes are enough for systemd; a person who says it again means it.
        asked("systemctl", "--user", "reset-failed", self._unit)
        told("systemctl", "--user", "start", self._unit)

    def stop(self) -> None:
        told("systemctl", "--user", "stop", "--no-block", self._unit)

    def lines(self, count: int) -> Iterator[bytes]:
        """The last word of the journal is where its reader is; that goes on from there."""
        done = asked(*self._journal(), f"--lines={count}", "--show-cursor")
        if done.returncode:
            raise CommandFailed(f"The journal cannot be read: {said(done)}", code="log_missing")
        for line in done.stdout.splitlines():
            if line.startswith(_CURSOR):
                self._cursor = line.removeprefix(_CURSOR)
            else:
                yield line.encode()

    def following(self) -> tuple[str, ...] | Path:
        after = (f"--after-cursor={self._cursor}",) if self._cursor else ()
        return (*self._journal(), "--follow", "--no-tail", *after)

    def _journal(self) -> tuple[str, ...]:
        unit_option = f"--user-unit={self._unit}"
        return ("journalctl", unit_option, "--output=cat", "--no-pager", "--quiet")

    def notices(self) -> Iterator[str]:
        """A user's services end with his last session, unless he lingers (loginctl(1))."""
        if shutil.which("loginctl") is None:
            return
        done = asked("loginctl", "show-user", str(os.getuid()), "--property=Linger")
        if "Linger=no" in done.stdout:
            yield (
                "It runs while you are logged in. To have it run from boot on: loginctl enable-linger (as "
                "root: loginctl enable-linger USER)."
            )


def _is_ours(data: bytes) -> bool:
    return unit.is_ours(data.decode("utf-8", "replace"))

"""What the two managers of services have in common: what they say of one, and what they are asked to do."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from openclaw_gateway.cli.exit_codes import EXIT_CODES
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.service.plan import ServicePlan

_ANSWER_S = 20.0
_MOST_SAID = 300
Whose = Literal["nobody", "ours", "other"]


class ServiceState(Struct, frozen=True):
    """`installed`: its file is there and ours. `running` holds while it starts and ends, too. `troubles` are
    sentences on what is not as an installation leaves it, and on how it ended last."""

    manager: str
    name: str
    path: str
    installed: bool = False
    enabled: bool = False
    running: bool = False
    pid: int | None = None
    troubles: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.installed and not self.running:
            return "not installed"
        words = ["installed" if self.installed else "not installed"]
        words.append("enabled" if self.enabled else "not enabled")
        words.append("running" if self.running else "not running")
        return ", ".join(words)


class Manager(Protocol):
    """One service. Each raises CommandFailed (code "service_failed") with what the manager said."""

    def look(self) -> ServiceState: ...
    def install(self, plan: ServicePlan) -> None:
        """Write the file, replacing ours, and have it started whenever the person's services are."""

    def uninstall(self) -> None:
        """Take the file away. It does not run any more."""

    def start(self) -> None: ...
    def stop(self) -> None:
        """Tell it to end after its runs. Returns at once."""

    def lines(self, count: int) -> Iterator[bytes]:
        """The newest lines that it printed."""

    def following(self) -> tuple[str, ...] | Path:
        """What prints those that come: a command, or the file they are written to."""

    def notices(self) -> Iterator[str]:
        """What a person should know of an installation."""


def asked(*words: str, seconds: float = _ANSWER_S) -> "subprocess.CompletedProcess[str]":
    """Raises CommandFailed where it cannot be asked."""
    program = shutil.which(words[0])
    if program is None:
        raise unsupported(f"there is no {words[0]}")
    try:
        return subprocess.run(  # noqa: S603  a manager's program, found by its name
            (program, *words[1:]),
            capture_output=True,
            check=False,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandFailed(f"{' '.join(words)}: {error}.", code="service_failed") from None


def told(*words: str, seconds: float = _ANSWER_S) -> str:
    """Its answer. Raises CommandFailed where it refuses."""
    done = asked(*words, seconds=seconds)
    if done.returncode:
        raise CommandFailed(f"{' '.join(words)} failed: {said(done)}", code="service_failed")
    return done.stdout


def said(done: "subprocess.CompletedProcess[str]") -> str:
    text = " ".join((done.stderr.strip() or done.stdout.strip()).split())
    return text[:_MOST_SAID] or f"exit code {done.returncode}"


def unsupported(why: str) -> CommandFailed:
    return CommandFailed(
        f"No service can be installed here: {why}. In a container, make `openclaw gateway run` its main "
        "process and have the container started again when it ends (docker run --restart unless-stopped). "
        "After su or sudo, log in as that user instead (ssh, or machinectl shell USER@). Any other "
        "supervisor runs `openclaw gateway run` and ends it with SIGTERM.",
        code="service_unsupported",
    )


def foreign(path: Path) -> CommandFailed:
    return CommandFailed(
        f"{path} was not written by this program, and stays as it is. Move it away first.",
        code="service_foreign",
    )


def whose(path: Path, is_ours: Callable[[bytes], bool]) -> Whose:
    try:
        return "ours" if is_ours(path.read_bytes()) else "other"
    except FileNotFoundError:
        return "nobody"
    except OSError:
        return "other"


def write_whole(path: Path, data: bytes) -> None:
    """For its owner alone: a proxy's address may have a password in it. Raises CommandFailed."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise CommandFailed(f"{path} cannot be written: {error.strerror}.", code="service_failed") from None


def program_trouble(program: str | None) -> Iterator[str]:
    if program is not None and not os.access(program, os.X_OK):
        yield f"It starts {program}, which is not there any more; `openclaw gateway install` writes it anew."


def ended_badly(code: int) -> str:
    meaning = EXIT_CODES.get(code)
    told = f"{code}: {meaning}" if meaning else str(code)
    return f"It ended with exit code {told}; `openclaw gateway logs` shows why."

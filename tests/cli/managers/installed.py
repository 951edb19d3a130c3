"""Puts a manager of services on the PATH of a program: one of the stand-ins, or a real systemd."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE_S, Program

_ROOT = Path(__file__).parents[3]
_SYSTEMD = "/lib/systemd/systemd"
# In a /run of its own: it takes a machine without one in its own for not started by systemd.
_OWN_SYSTEMD = """
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0 && chmod 700 /run/user/0 &&
exec {systemd} --user
"""


@contextmanager
def stand_in(program: Program, folder: Path, *names: str) -> Iterator[Path]:
    """`names` are programs of this folder's modules; what they know is in the folder that is given back."""
    keeps = folder / "manager"
    keeps.mkdir()
    for name in names:
        _script(folder / "bin" / name, f"cd {_ROOT} && exec {sys.executable} -m tests.cli.managers.{name}")
    program.environ |= {
        "PATH": f"{folder / 'bin'}:{program.environ['PATH']}",
        "MANAGER_FOLDER": str(keeps),
    }
    try:
        yield keeps
    finally:
        if (keeps / "pid").exists() and not (keeps / "ended").exists():
            with suppress(ProcessLookupError):
                os.kill(int((keeps / "pid").read_text()), signal.SIGKILL)


@asynccontextmanager
async def own_systemd(program: Program, folder: Path) -> AsyncIterator[None]:
    if os.geteuid() or not shutil.which(_SYSTEMD) or not shutil.which("nsenter"):
        pytest.skip("a systemd of one's own is for root, where there is systemd")
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "sh", "-c", _OWN_SYSTEMD.format(systemd=_SYSTEMD)),
        env={"HOME": str(program.home), "XDG_RUNTIME_DIR": "/run/user/0", "PATH": os.environ["PATH"]},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    inside = f"exec nsenter --mount --target {process.pid} env XDG_RUNTIME_DIR=/run/user/0 /usr/bin/systemctl"
    _script(folder / "bin" / "systemctl", inside)
    program.environ["PATH"] = f"{folder / 'bin'}:{program.environ['PATH']}"
    try:
        await _answers(folder / "bin" / "systemctl", process)
        yield
    finally:
        if process.returncode is None:
            process.terminate()  # systemd(1): end what you run, and then yourself
            with suppress(TimeoutError):
                async with asyncio.timeout(DEADLINE_S):
                    await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _answers(systemctl: Path, manager: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            if manager.returncode is not None:
                pytest.skip("systemd does not run here")
            asks = await asyncio.create_subprocess_exec(
                *(systemctl, "--user", "show", "--property=Version"),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            if await asks.wait() == 0:
                return
            await asyncio.sleep(0.05)


def _script(path: Path, command: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'#!/bin/sh\n{command} "$@"\n')
    path.chmod(0o755)

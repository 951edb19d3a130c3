"""The sandbox of commands: bubblewrap with a system that is read-only, the workspace as far as it is granted,
no network unless granted, and nothing else of the machine.

File tools need no process of their own for that: they see the same folder with the same access (scope.py) and
cannot leave it. Knows no tool; whether a call is sandboxed is decided in scope.py.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from openclaw_gateway.children import marked
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.fs.steering import NOTES, STEERING
from openclaw_gateway.fs.tree import SKIPPED
from openclaw_gateway.tools.base import ToolAgent
from openclaw_gateway.tools.exec.commands.environment import search_path
from openclaw_gateway.tools.scope import Access

_TRIAL_S = 10.0
_DEPTH, _MOST_FOLDERS = 3, 2_000
# Of /etc only what programs need to find users, hosts and certificates: no host keys, no shadow.
_ETC = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "group",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "passwd",
    "pki",
    "protocols",
    "services",
    "ssl",
    "timezone",
)
_EMPTY = ("/tmp", "/var/tmp", "/run")  # noqa: S108  the sandbox's own
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/lib32", "/opt", "/nix/store")


def sandboxed_command(
    program: str,
    argv: tuple[str, ...],
    *,
    directory: Path,
    cwd: Path,
    access: Access,
    network: bool,
    environ: Mapping[str, str],
    reads: Sequence[Path] = (),
    over: Sequence[str] = (),
) -> tuple[str, ...]:
    """`argv` inside the sandbox. `directory` is its workspace (a scratch folder when access is "none"); it
    sees `reads` too, read-only. `over` are bubblewrap's words for what is laid over parts of it."""
    words = [
        program,
        "--die-with-parent",
        "--new-session",
        "--unshare-all",
        "--cap-drop",
        "ALL",
        "--clearenv",
    ]
    if network:
        words += ["--share-net"]
    words += [word for path in _SYSTEM for word in _system(Path(path))]
    for name in _ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    if network:
        words += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    for path in _EMPTY:
        words += ["--tmpfs", path]
    words += ["--ro-bind" if access == "ro" else "--bind", str(directory), str(directory)]
    words += over
    words += [word for path in reads for word in ("--ro-bind", str(path), str(path))]
    for name, value in {**environ, "HOME": _EMPTY[0], "TMPDIR": _EMPTY[0]}.items():
        words += ["--setenv", name, value]
    return (*words, "--chdir", str(cwd), "--", *argv)


def laid_over(workspace: Workspace, *, writes_git: bool = False) -> tuple[str, ...]:
    """The skills' folders; repositories' .git, read-only unless the command `writes_git`; and of a guarded
    workspace what steers others, read-only, and its audience's notes in place of others'.
    Blocks. What is not there yet cannot be covered."""
    shelves = tuple(word for path in workspace.shelves for word in ("--ro-bind-try", str(path), str(path)))
    root = workspace.start.resolve()
    if not writes_git:
        shelves += tuple(word for path in _repositories(root) for word in ("--ro-bind", path, path))
    if not workspace.guarded:
        return shelves
    named = frozenset(name.casefold() for name in STEERING)
    steering = sorted(path for path in root.iterdir() if path.name.casefold() in named and path.exists())
    words = [*shelves, *(word for path in steering for word in ("--ro-bind", str(path), str(path)))]
    if not (root / NOTES).is_dir():
        return tuple(words)
    if workspace.notes is None:
        return (*words, "--tmpfs", str(root / NOTES))
    workspace.notes.mkdir(parents=True, exist_ok=True, mode=0o700)
    return (*words, "--bind", str(workspace.notes), str(root / NOTES))


def _repositories(root: Path) -> list[str]:
    """Each .git that is no link, not too deep: what obeys it runs outside of the sandbox too."""
    found: list[str] = []
    left, pending = _MOST_FOLDERS, [(str(root), 0)]
    while pending and left > 0:
        folder, depth = pending.pop(0)
        left -= 1
        with suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.name == ".git" and not entry.is_symlink():
                    found.append(entry.path)
                elif depth < _DEPTH and entry.name not in SKIPPED and entry.is_dir(follow_symlinks=False):
                    pending.append((entry.path, depth + 1))
    return found


def bubblewrap(environ: Mapping[str, str], workspace: Path) -> str | None:
    """The path of the program, if it is installed where no agent could have put it."""
    return shutil.which("bwrap", path=search_path(environ.get("PATH", ""), workspace))


async def check_sandbox(agent: ToolAgent, environ: Mapping[str, str]) -> str | None:
    """Why this agent's sandbox cannot be had here; None when it can, or none is asked for."""
    if (agent.sandbox.get("mode") or "off") == "off":
        return None
    program = bubblewrap(environ, agent.workspace)
    asked = f"agent {agent.id}: sandbox.mode is {agent.sandbox['mode']!r}, but"
    if program is None:
        return f"{asked} bubblewrap (bwrap) is not installed. Install it, or set sandbox.mode to off."
    trial = sandboxed_command(
        program,
        ("/bin/sh", "-c", "exit 0"),
        directory=Path("/usr"),
        cwd=Path("/usr"),
        access="ro",
        network=agent.sandbox.get("network") is True,
        environ={},
    )
    process = await asyncio.create_subprocess_exec(
        *trial,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=marked({}),
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(_TRIAL_S):
            _, said = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.communicate()
        return f"{asked} a trial of bubblewrap did not end within {_TRIAL_S:g} s."
    if process.returncode == 0:
        return None
    words = said.decode(errors="replace").strip().splitlines()
    return (
        f"{asked} bubblewrap does not work here ({words[-1] if words else 'without a message'}). Usually the "
        "system forbids user namespaces; allow them, or set sandbox.mode to off."
    )


def _system(path: Path) -> list[str]:
    if path.is_symlink():
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []

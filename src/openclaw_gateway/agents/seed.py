"""A new workspace gets its first files; one that has any of them, from whichever program, is left as it is.

Knows only file names and templates; when to seed is its caller's decision. Meant to be called in a thread.
"""

import os
from importlib.resources import files
from pathlib import Path

import structlog

from openclaw_gateway.agents import templates
from openclaw_gateway.agents.homes import Home

log = structlog.get_logger()

FIRST_MEETING = "BOOTSTRAP.md"
SEEDED = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", FIRST_MEETING)


def move_in(home: Home) -> None:
    """Seed the agent's workspace. Not being able to is no reason for an agent not to answer."""
    path = str(home.workspace)
    try:
        home.workspace.mkdir(parents=True, exist_ok=True, mode=0o700)
        created = seed(home.workspace) if home.seed else ()
    except OSError as error:
        log.warning("workspace.not_seeded", agent=home.agent_id, path=path, error=error.strerror)
        return
    if created:
        log.info("workspace.seeded", agent=home.agent_id, path=path, files=created)


def seed(workspace: Path) -> tuple[str, ...]:
    """Create the folder and its first files; the names that were created. Raises OSError."""
    workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
    return tuple(name for name in _missing(workspace) if _create(workspace, name))


def unseeded(home: Home) -> tuple[str, ...]:
    """What `move_in` would create now."""
    return _missing(home.workspace) if home.seed else ()


def _missing(workspace: Path) -> tuple[str, ...]:
    return () if any(os.path.lexists(workspace / name) for name in SEEDED) else SEEDED


def _create(workspace: Path, name: str) -> bool:
    """False when something has that name, be it a link to nowhere."""
    text = files(templates).joinpath(name).read_bytes()
    try:
        descriptor = os.open(workspace / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
    return True

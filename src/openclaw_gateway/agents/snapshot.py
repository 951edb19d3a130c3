"""What lies in one agent's workspace right now: its prompt files and its skills.

Does the IO and decides nothing about the prompt; meant to be called in a thread. `look` tells cheaply
whether `take` would find something new.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.skill_rules import FOLDER, SkillRules
from openclaw_gateway.agents.skill_search import skill_files
from openclaw_gateway.agents.skills import Skill, find_skills
from openclaw_gateway.config.watch import TICK_NS, Mark, mark
from openclaw_gateway.fs.prompt_file import FileText, Unusable, read_inside

# In the order in which the prompt shows them.
PROMPT_FILES = ("AGENTS.md", "SOUL.md", "TOOLS.md", "IDENTITY.md", "USER.md", "BOOTSTRAP.md", "MEMORY.md")

Look = tuple[Mark, ...]


class Snapshot(Struct, frozen=True):
    """`notes` are sentences for the operator about files that could not be used, `unmet` about skills
    that this machine lacks something for."""

    files: tuple[FileText, ...] = ()
    skills: tuple[Skill, ...] = ()
    notes: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


class Ground(Struct, frozen=True):
    """What all workspaces have in common: the skills beside them, and the environment."""

    skills: SkillRules
    environ: Mapping[str, str]


class Seen(Struct, frozen=True):
    """A snapshot with what tells whether it still holds. `look` None: too fresh to tell."""

    snapshot: Snapshot
    look: Look | None
    taken_ns: int


def look(home: Home, shared: Look) -> Look:
    """The state of everything that `take` reads; `shared` is that of the skills outside the workspace."""
    names = () if home.injection == "never" else PROMPT_FILES
    return (
        *(mark(home.workspace / name) for name in names),
        *look_at_skills((home.workspace / FOLDER,)),
        *shared,
    )


def look_at_skills(folders: Iterable[Path]) -> Look:
    return tuple(
        mark(path)
        for folder in folders
        for path in (folder, *(folder / file for file in skill_files(folder)))
    )


def prompt_folders(home: Home) -> tuple[Path, ...]:
    """Where the files that `take` reads in the workspace lie."""
    folder = home.workspace / FOLDER
    return (home.workspace, folder, *((folder / file).parent for file in skill_files(folder)))


def take(home: Home, ground: Ground) -> Seen:
    """Read everything. Whatever cannot be used becomes a note."""
    taken_ns = time.time_ns()
    seen = look(home, look_at_skills(ground.skills.folders))
    files: list[FileText] = []
    notes: list[str] = []
    for name in () if home.injection == "never" else PROMPT_FILES:
        try:
            file = read_inside(home.workspace, name)
        except Unusable as error:
            notes.append(f"{name} {error}.")
            continue
        if file is not None and file.text:
            files.append(file)
    found = find_skills(home.workspace, ground.skills, home.skills, ground.environ)
    snapshot = Snapshot(tuple(files), found.skills, (*notes, *found.notes), found.unmet)
    return Seen(snapshot, None if _fresh(seen, taken_ns) else seen, taken_ns)


def take_changed(known: Sequence[tuple[Home, Look | None]], ground: Ground) -> tuple[tuple[str, Seen], ...]:
    """Take a new snapshot of every agent whose workspace does not look as it did."""
    shared = look_at_skills(ground.skills.folders)
    return tuple(
        (home.agent_id, take(home, ground)) for home, before in known if before != look(home, shared)
    )


def _fresh(seen: Look, now_ns: int) -> bool:
    # A time far in the future (somebody's `touch`, another machine's clock) says nothing and must not count.
    return any(abs(now_ns - when) < TICK_NS for of in seen if of is not None for when in of[2:])

"""The skills an agent may use: which there are, and the list of them in the prompt.

A skill is a folder with a SKILL.md; only its head is of interest here, the model reads the rest itself
when it needs it. Skills of the workspace win over those of the state directory.
"""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.agents.files import Unusable, read_inside
from openclaw_gateway.agents.front_matter import front_matter

FOLDER = "skills"
FILE = "SKILL.md"
MAX_SKILLS = 500
MAX_PROMPT_CHARS = 18_000
_MAX_DESCRIPTION = 1_024


class Skill(Struct, frozen=True):
    """`location` is what the model has to read: relative in the workspace, else absolute."""

    name: str
    description: str
    location: str


def skill_files(root: Path) -> tuple[str, ...]:
    """The places under `root` where a skill may be, in the order of their names."""
    try:
        names = sorted(entry.name for entry in (root / FOLDER).iterdir() if entry.name[0] != ".")
    except OSError:
        return ()
    return tuple(f"{FOLDER}/{name}/{FILE}" for name in names[:MAX_SKILLS])


def find_skills(
    workspace: Path, state_dir: Path, allowed: Iterable[str] | None
) -> tuple[tuple[Skill, ...], tuple[str, ...]]:
    """(the skills by name, what is wrong with others). `allowed` None means all of them."""
    names = None if allowed is None else {name.lower() for name in allowed}
    found: dict[str, Skill] = {}
    notes: list[str] = []
    for root, relative in ((workspace, True), (state_dir, False)):
        for file in skill_files(root):
            folder = file.split("/")[1]
            try:
                skill = _skill(root, file, folder, relative=relative)
            except Unusable as error:
                notes.append(f"{file} {error}.")
                continue
            if skill is None or skill.name.lower() in found:
                continue
            if names is None or not names.isdisjoint({skill.name.lower(), folder.lower()}):
                found[skill.name.lower()] = skill
    return tuple(found[name] for name in sorted(found)), tuple(notes)


def available_skills(skills: Iterable[Skill], limit: int = MAX_PROMPT_CHARS) -> str:
    """The list as the prompt shows it, in at most `limit` characters; empty without skills."""
    entries = [_entry(skill) for skill in skills]
    if not entries:
        return ""
    kept, room = [], limit - 120
    for entry in entries:
        room -= len(entry) + 1
        if room < 0:
            break
        kept.append(entry)
    lines = ["<available_skills>", *kept, "</available_skills>"]
    if len(kept) < len(entries):
        lines.append(f"({len(entries) - len(kept)} more are in the {FOLDER} folder.)")
    return "\n".join(lines)


def _skill(root: Path, file: str, folder: str, *, relative: bool) -> Skill | None:
    """None when there is no such file, or when it says that only a person may use it."""
    content = read_inside(root, file)
    if content is None:
        return None
    head = front_matter(content.text)
    if not head.get("description"):
        raise Unusable("has no description in its front matter, so that nobody could tell when to use it")
    if head.get("disable-model-invocation", "").lower() == "true":
        return None
    name = " ".join((head.get("name") or folder).split())
    description = " ".join(head["description"].split())[:_MAX_DESCRIPTION]
    return Skill(name, description, file if relative else str(root / file))


def _entry(skill: Skill) -> str:
    return "".join(_tags(skill))


def _tags(skill: Skill) -> Iterator[str]:
    yield "<skill>"
    for tag in ("name", "description", "location"):
        yield f"<{tag}>{escape(getattr(skill, tag), quote=False)}</{tag}>"
    yield "</skill>"

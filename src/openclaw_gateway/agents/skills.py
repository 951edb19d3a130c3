"""The skills an agent may use: which there are, and the list of them in the prompt.

A skill is a folder with a SKILL.md; only its head is of interest here, the model reads the rest itself
when it needs it, so it is told of those that its tools reach. Skills of the workspace win over those of
the state directory.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path

from msgspec import Struct

from openclaw_gateway.agents.files import Unusable, read_inside
from openclaw_gateway.agents.front_matter import front_matter
from openclaw_gateway.agents.requirements import Needs, missing, needs_of

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


class Found(Struct, frozen=True):
    """`skills` by name; what is wrong with others; which would be there if the machine had what they need."""

    skills: tuple[Skill, ...] = ()
    notes: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


def find_skills(
    workspace: Path, state_dir: Path, allowed: Iterable[str] | None, environ: Mapping[str, str]
) -> Found:
    """All skills of both folders that are `allowed`; None means that all are."""
    names = None if allowed is None else {name.lower() for name in allowed}
    found: dict[str, Skill] = {}
    notes: list[str] = []
    unmet: list[str] = []
    for root, relative in ((workspace, True), (state_dir, False)):
        for file in skill_files(root):
            folder = file.split("/")[1]
            try:
                head = _head(root, file)
                needs = needs_of(head.get("metadata", "")) if head else Needs()
            except Unusable as error:
                notes.append(f"{file} {error}.")
                continue
            except ValueError:
                notes.append(f"{file} has metadata in its front matter that is not as it should be.")
                continue
            name = " ".join((head.get("name") or folder).split())
            key = name.lower()
            if not head or key in found or not (names is None or names & {key, folder.lower()}):
                continue
            if lacking := missing(needs, environ):
                unmet.append(f"{name} needs {lacking}.")
                continue
            description = " ".join(head["description"].split())[:_MAX_DESCRIPTION]
            found[key] = Skill(name, description, file if relative else str(root / file))
    return Found(tuple(found[key] for key in sorted(found)), tuple(notes), tuple(unmet))


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


def _head(root: Path, file: str) -> Mapping[str, str]:
    """The front matter; empty when there is no such file, or when only a person may use the skill."""
    content = read_inside(root, file)
    if content is None:
        return {}
    head = front_matter(content.text)
    if not head.get("description"):
        raise Unusable("has no description in its front matter, so that nobody could tell when to use it")
    return {} if head.get("disable-model-invocation", "").lower() == "true" else head


def _entry(skill: Skill) -> str:
    return "".join(_tags(skill))


def _tags(skill: Skill) -> Iterator[str]:
    yield "<skill>"
    for tag in ("name", "description", "location"):
        yield f"<{tag}>{escape(getattr(skill, tag), quote=False)}</{tag}>"
    yield "</skill>"

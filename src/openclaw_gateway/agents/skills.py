"""The skills an agent may use: which there are, and the list of them in the prompt.

A skill is a folder with a SKILL.md; only its head is of interest here, the model reads the rest itself
when it needs it, so it is told of those that its tools reach. Skills of the workspace win over those of
the state directory, these over the other program's own, and these over those of the operator's folders.
"""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import ClassVar

from msgspec import Struct

from openclaw_gateway.agents.front_matter import front_matter
from openclaw_gateway.agents.requirements import Needs, missing, needs_of
from openclaw_gateway.agents.skill_rules import FOLDER, SkillRules
from openclaw_gateway.config.schema import SkillEntry
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.fs.prompt_file import Unusable, read_inside

FILE = "SKILL.md"
MAX_SKILLS = 500
MAX_PROMPT_CHARS = 18_000
_MAX_DESCRIPTION = 1_024
_NOT_GIVEN = (
    "is not given what skills.entries has for a skill of that name; name it in the agent's `skills`, or keep "
    "it in <state>/skills."
)


class Skill(Guarded, frozen=True):
    """`location` is what the model has to read: relative in the workspace, else absolute. `environ` is what
    commands are given for it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"environ"})

    name: str
    description: str
    location: str
    environ: Mapping[str, str] = {}


def skill_files(folder: Path) -> tuple[str, ...]:
    """The places in `folder` where a skill may be, in the order of their names."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name[0] != ".")
    except OSError:
        return ()
    return tuple(f"{name}/{FILE}" for name in names[:MAX_SKILLS])


class Found(Struct, frozen=True):
    """`skills` by name; what is wrong with others; which would be there if the machine had what they need."""

    skills: tuple[Skill, ...] = ()
    notes: tuple[str, ...] = ()
    unmet: tuple[str, ...] = ()


def find_skills(
    workspace: Path, rules: SkillRules, allowed: Iterable[str] | None, environ: Mapping[str, str]
) -> Found:
    """All skills of all folders that are `allowed` and enabled; None means that all are allowed.

    A skill of the workspace is given what the configuration has for it only by a name that is in `allowed`.
    """
    names = None if allowed is None else {name.lower() for name in allowed}
    found: dict[str, Skill] = {}
    notes: list[str] = []
    unmet: list[str] = []
    for place in (None, *rules.folders):
        # In the workspace no link may lead out of it, not even by way of the folder itself.
        root, prefix = (workspace, f"{FOLDER}/") if place is None else (place, "")
        for inside in skill_files(root / prefix):
            folder, file = inside.split("/")[0], f"{prefix}{inside}"
            try:
                head = _head(root, file)
                needs = needs_of(head.get("metadata", ""), head.get("requires", "")) if head else Needs()
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
            entry = rules.entry(needs.skill_key, name, folder)
            if entry is not None and not entry.enabled:
                continue
            if place is None:
                # Who writes there says what a skill is called, so only names of the agent's own list count.
                meant = rules.entry(*(each for each in (name, folder) if each.lower() in (names or ())))
                if entry is not None and meant is None and (entry.api_key or entry.env):
                    notes.append(f"{file} {_NOT_GIVEN}")
                entry = meant
                if entry is not None and not entry.enabled:
                    continue
            if place == rules.bundled and place is not None and not rules.bundled_may(name, folder):
                continue
            # A skill of the workspace is anybody's text, and could name any key of the gateway's.
            given = _given(entry, needs, {} if place is None else environ)
            if lacking := missing(needs, {**environ, **given}):
                unmet.append(f"{name} needs {lacking}.")
                continue
            description = " ".join(head["description"].split())[:_MAX_DESCRIPTION]
            found[key] = Skill(name, description, file if place is None else str(root / file), given)
    return Found(tuple(found[key] for key in sorted(found)), tuple(notes), tuple(unmet))


def _given(entry: SkillEntry | None, needs: Needs, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables that the configuration has for a skill, and those of `environ` that it requires."""
    required = {name: environ[name] for name in needs.requires.env if name in environ}
    if entry is None:
        return required
    named = {needs.primary_env: entry.api_key} if needs.primary_env and entry.api_key else {}
    return {**required, **named, **entry.env}


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

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

from openclaw_gateway.agents.requirements import in_words
from openclaw_gateway.agents.skill_rules import FOLDER, SkillRules
from openclaw_gateway.agents.skill_search import look_for_skills
from openclaw_gateway.config.schema.guarded import Guarded

MAX_PROMPT_CHARS = 18_000


class Skill(Guarded, frozen=True):
    """`location` is what the model has to read: relative in the workspace, else absolute. `environ` is what
    commands are given for it."""

    hidden: ClassVar[frozenset[str]] = frozenset({"environ"})

    name: str
    description: str
    location: str
    environ: Mapping[str, str] = {}


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
    search = look_for_skills(workspace, rules, allowed, environ)
    found = sorted((one for one in search.standings if one.is_ready), key=lambda one: one.name.lower())
    unmet = tuple(
        f"{one.name} needs {in_words(one.lacks)}."
        for one in search.standings
        if one.may_be_used and not one.is_ready
    )
    skills = tuple(Skill(one.name, one.description, one.location, one.given) for one in found)
    return Found(skills, search.notes, unmet)


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


def _entry(skill: Skill) -> str:
    return "".join(_tags(skill))


def _tags(skill: Skill) -> Iterator[str]:
    yield "<skill>"
    for tag in ("name", "description", "location"):
        yield f"<{tag}>{escape(getattr(skill, tag), quote=False)}</{tag}>"
    yield "</skill>"

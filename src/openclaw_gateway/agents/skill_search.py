"""Every skill of all folders, and how it stands with an agent: whether it may be used, and what it lacks.

Reads the heads of the files and decides nothing else; which of them an agent is told of is in skills.py.
Folders come in the order in which they win: a skill that is ready stands before those of its name behind it.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal

from msgspec import Struct

from openclaw_gateway.agents.front_matter import front_matter
from openclaw_gateway.agents.requirements import Lacks, Needs, lacking, needs_of
from openclaw_gateway.agents.skill_rules import FOLDER, SkillRules
from openclaw_gateway.config.schema import SkillEntry
from openclaw_gateway.config.schema.guarded import Guarded
from openclaw_gateway.fs.prompt_file import Unusable, read_inside

FILE = "SKILL.md"
MAX_SKILLS = 500
_MAX_DESCRIPTION = 1_024
_NOT_GIVEN = (
    "is not given what skills.entries has for a skill of that name; name it in the agent's `skills`, or keep "
    "it in <state>/skills."
)

Source = Literal["workspace", "managed", "bundled", "extra"]


class Standing(Guarded, frozen=True):
    """`file` is where it lies in the folder of its `source`, `location` what the model has to read.

    `is_listed`: the agent may have it; `is_let_in`: so may this machine (`skills.allowBundled`). One that is
    not `for_model` is a person's to use alone. `given` is what commands get for it.
    """

    hidden: ClassVar[frozenset[str]] = frozenset({"given"})

    name: str
    folder: str
    description: str
    source: Source
    file: str
    location: str
    needs: Needs
    lacks: Lacks
    given: Mapping[str, str]
    is_enabled: bool = True
    is_listed: bool = True
    is_let_in: bool = True
    for_model: bool = True

    @property
    def may_be_used(self) -> bool:
        return self.is_enabled and self.is_listed and self.is_let_in and self.for_model

    @property
    def is_ready(self) -> bool:
        return self.may_be_used and not self.lacks


class Search(Struct, frozen=True):
    """`notes` are what is wrong with files, and with what they are given."""

    standings: tuple[Standing, ...] = ()
    notes: tuple[str, ...] = ()


def skill_files(folder: Path) -> tuple[str, ...]:
    """The places in `folder` where a skill may be, in the order of their names."""
    try:
        names = sorted(entry.name for entry in folder.iterdir() if entry.name[0] != ".")
    except OSError:
        return ()
    return tuple(f"{name}/{FILE}" for name in names[:MAX_SKILLS])


def look_for_skills(
    workspace: Path, rules: SkillRules, allowed: Iterable[str] | None, environ: Mapping[str, str]
) -> Search:
    """`allowed` None means that all are. Those of a name behind one that is ready are left out.

    A skill of the workspace is given what the configuration has for it only by a name that is in `allowed`.
    """
    judge = _Judge(rules, None if allowed is None else frozenset(name.lower() for name in allowed), environ)
    standings: list[Standing] = []
    notes: list[str] = []
    ready: set[str] = set()
    for file in _files(workspace, rules):
        try:
            head = _head(file)
            needs = needs_of(head.get("metadata", ""), head.get("requires", "")) if head else Needs()
        except Unusable as error:
            notes.append(f"{file.path} {error}.")
            continue
        except ValueError:
            notes.append(f"{file.path} has metadata in its front matter that is not as it should be.")
            continue
        if not head or _name(head, file).lower() in ready:
            continue
        standing = judge.standing(file, head, needs)
        if standing.may_be_used and judge.keeps_back(file, standing):
            notes.append(f"{file.path} {_NOT_GIVEN}")
        if standing.is_ready:
            ready.add(standing.name.lower())
        standings.append(standing)
    return Search(tuple(standings), tuple(notes))


class _File(Struct, frozen=True):
    """`path` is inside `root`; `folder` is the skill's own."""

    source: Source
    root: Path
    path: str
    folder: str


def _files(workspace: Path, rules: SkillRules) -> Iterator[_File]:
    for source, root in _places(workspace, rules):
        # In the workspace no link may lead out of it, not even by way of the folder itself.
        prefix = f"{FOLDER}/" if source == "workspace" else ""
        for inside in skill_files(root / prefix):
            yield _File(source, root, f"{prefix}{inside}", inside.split("/")[0])


def _places(workspace: Path, rules: SkillRules) -> Iterator[tuple[Source, Path]]:
    yield "workspace", workspace
    for folder in rules.folders:
        if folder == rules.bundled:
            yield "bundled", folder
        else:
            yield ("managed" if folder == rules.managed else "extra"), folder


class _Judge(Guarded, frozen=True):
    """What the configuration says of skills, to one agent. `names` are those on its list."""

    hidden: ClassVar[frozenset[str]] = frozenset({"environ"})

    rules: SkillRules
    names: frozenset[str] | None
    environ: Mapping[str, str]

    def standing(self, file: _File, head: Mapping[str, str], needs: Needs) -> Standing:
        name, names = _name(head, file), self.names
        entry = self.rules.entry(needs.skill_key, name, file.folder)
        is_enabled = entry is None or entry.enabled
        if file.source == "workspace":
            entry = self._meant(name, file.folder)
            is_enabled = is_enabled and (entry is None or entry.enabled)
        # A skill of the workspace is anybody's text, and could name any key of the gateway's.
        given = _given(entry, needs, {} if file.source == "workspace" else self.environ)
        return Standing(
            name=name,
            folder=file.folder,
            description=" ".join(head["description"].split())[:_MAX_DESCRIPTION],
            source=file.source,
            file=file.path,
            location=file.path if file.source == "workspace" else str(file.root / file.path),
            needs=needs,
            lacks=lacking(needs, {**self.environ, **given}),
            given=given,
            is_enabled=is_enabled,
            is_listed=names is None or bool(names & {name.lower(), file.folder.lower()}),
            is_let_in=file.source != "bundled" or self.rules.bundled_may(name, file.folder),
            for_model=head.get("disable-model-invocation", "").lower() != "true",
        )

    def keeps_back(self, file: _File, standing: Standing) -> bool:
        """Whether a skill of the workspace is not given what the configuration has for one of its name."""
        entry = self.rules.entry(standing.needs.skill_key, standing.name, file.folder)
        if file.source != "workspace" or entry is None or self._meant(standing.name, file.folder):
            return False
        return bool(entry.api_key or entry.env)

    def _meant(self, *names: str) -> SkillEntry | None:
        """Who writes in the workspace says what a skill is called: only names of the agent's list count."""
        return self.rules.entry(*(name for name in names if name.lower() in (self.names or ())))


def _name(head: Mapping[str, str], file: _File) -> str:
    return " ".join((head.get("name") or file.folder).split())


def _given(entry: SkillEntry | None, needs: Needs, environ: Mapping[str, str]) -> Mapping[str, str]:
    """The variables that the configuration has for a skill, and those of `environ` that it requires."""
    required = {name: environ[name] for name in needs.requires.env if name in environ}
    if entry is None:
        return required
    named = {needs.primary_env: entry.api_key} if needs.primary_env and entry.api_key else {}
    return {**required, **named, **entry.env}


def _head(file: _File) -> Mapping[str, str]:
    """The front matter; empty when there is no such file. Raises Unusable."""
    content = read_inside(file.root, file.path)
    if content is None:
        return {}
    head = front_matter(content.text)
    if not head.get("description"):
        raise Unusable("has no description in its front matter, so that nobody could tell when to use it")
    return head

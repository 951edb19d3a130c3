"""How the skills of an agent stand, as `skills.status` and `openclaw skills` tell it. Pure.

The shape is that of OpenClaw's `skills.status`: what its control page reads of a skill. Places are those
inside the folder of their source, never a path of the machine, and of a variable or a key only its name is
told.
"""

from collections.abc import Callable, Iterable

from msgspec import Struct

from openclaw_gateway.agents.skill_rules import FOLDER
from openclaw_gateway.agents.skill_search import Standing


class SkillNeeds(Struct, frozen=True, rename="camel"):
    bins: tuple[str, ...] = ()
    any_bins: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    config: tuple[str, ...] = ()
    os: tuple[str, ...] = ()


class ConfigCheck(Struct, frozen=True):
    """A key of the configuration that a skill asks for; without it the skill is used all the same."""

    path: str
    satisfied: bool


class SkillStatus(Struct, frozen=True, rename="camel"):
    """`eligible`: nothing of the machine is missing, and it is neither off nor kept out. `model_visible`: the
    agent is told of it."""

    name: str
    description: str
    source: str
    bundled: bool
    file_path: str
    base_dir: str
    skill_key: str
    primary_env: str | None
    always: bool
    disabled: bool
    blocked_by_allowlist: bool
    blocked_by_agent_filter: bool
    eligible: bool
    platform_incompatible: bool
    model_visible: bool
    requirements: SkillNeeds
    missing: SkillNeeds
    config_checks: tuple[ConfigCheck, ...]
    user_invocable: bool = False
    command_visible: bool = False
    install: tuple[str, ...] = ()


class SkillsReport(Struct, frozen=True, rename="camel"):
    agent_id: str
    skills: tuple[SkillStatus, ...]
    notes: tuple[str, ...]
    workspace_dir: str = "workspace"
    managed_skills_dir: str = FOLDER


def skills_report(
    agent_id: str, standings: Iterable[Standing], notes: tuple[str, ...], configured: Callable[[str], bool]
) -> SkillsReport:
    """One for each name: the one that is ready, else the first. `configured` tells whether a key is set."""
    chosen: dict[str, Standing] = {}
    for one in standings:
        key = one.name.lower()
        if key not in chosen or one.is_ready:
            chosen[key] = one
    rows = tuple(_status(chosen[key], configured) for key in sorted(chosen))
    return SkillsReport(agent_id, rows, notes)


def _status(one: Standing, configured: Callable[[str], bool]) -> SkillStatus:
    needs, requires, lacks = one.needs, one.needs.requires, one.lacks
    checks = tuple(ConfigCheck(key, configured(key)) for key in requires.keys)
    absent = tuple(check.path for check in checks if not check.satisfied)
    return SkillStatus(
        name=one.name,
        description=one.description,
        source=f"openclaw-{one.source}",
        bundled=one.source == "bundled",
        file_path=one.file,
        base_dir=one.file.rpartition("/")[0],
        skill_key=needs.skill_key or one.name,
        primary_env=needs.primary_env or None,
        always=needs.always,
        disabled=not one.is_enabled,
        blocked_by_allowlist=not one.is_let_in,
        blocked_by_agent_filter=not one.is_listed,
        eligible=one.is_enabled and one.is_let_in and not lacks,
        platform_incompatible=bool(lacks.os),
        model_visible=one.is_ready,
        requirements=SkillNeeds(requires.bins, requires.any_bins, requires.env, requires.keys, needs.os),
        missing=SkillNeeds(lacks.bins, lacks.any_bins, lacks.env, absent, lacks.os),
        config_checks=checks,
    )

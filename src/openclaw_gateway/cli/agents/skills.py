"""The skills of the configured agents, as their folders are now. Asks no gateway and writes nothing."""

from openclaw_gateway.agents.homes import homes_of
from openclaw_gateway.agents.roster import compile_roster
from openclaw_gateway.agents.skill_report import SkillsReport, SkillStatus, skills_report
from openclaw_gateway.agents.skill_rules import skill_rules
from openclaw_gateway.agents.skill_search import look_for_skills
from openclaw_gateway.cli.agents.choice import named_agent
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.shown import is_set


def agent_skills(loaded: LoadedConfig, agent_id: str | None) -> tuple[SkillsReport, ...]:
    """Of one agent, or of all. Raises CommandFailed."""
    roster, homes = compile_roster(loaded.config.agents), homes_of(loaded)
    ids = roster.ids if agent_id is None else (named_agent(roster, agent_id).id,)
    rules, document = skill_rules(loaded), loaded.document

    def report(id_: str) -> SkillsReport:
        search = look_for_skills(homes[id_].workspace, rules, homes[id_].skills, loaded.environ)
        return skills_report(id_, search.standings, search.notes, lambda key: is_set(document, key))

    return tuple(map(report, ids))


def lacks(skill: SkillStatus) -> list[str]:
    """What is missing of the machine, a sentence's part each."""
    absent = skill.missing
    return [
        *(f"the command {name}" for name in absent.bins),
        *([f"one of the commands {', '.join(absent.any_bins)}"] if absent.any_bins else []),
        *(f"the variable {name}" for name in absent.env),
        *([f"the system {' or '.join(absent.os)}"] if absent.os else []),
    ]


def state(skill: SkillStatus) -> str:
    """One word or two for how it stands."""
    if skill.model_visible:
        return "ready"
    if skill.disabled:
        return "off"
    if skill.blocked_by_allowlist or skill.blocked_by_agent_filter:
        return "not allowed"
    return "not for the model" if skill.eligible else "lacks something"

"""How the skills of an agent stand, for whoever may read. Knows no door."""

from openclaw_gateway.agents.skill_report import SkillsReport, skills_report
from openclaw_gateway.config.shown import is_set
from openclaw_gateway.errors import Overloaded
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.principal import READ, Principal


async def skills_of(principal: Principal, generation: Generation, agent_id: str) -> SkillsReport:
    """Of an agent of the roster. Looks at the folders anew. Raises Forbidden, Overloaded."""
    principal.require(READ)
    try:
        search = await generation.inputs.prompts.skills_of(agent_id)
    except TimeoutError:
        raise Overloaded("The folders of the skills could not be read in time.", retry_after=30) from None
    document = generation.shown.document
    return skills_report(agent_id, search.standings, search.notes, lambda key: is_set(document, key))

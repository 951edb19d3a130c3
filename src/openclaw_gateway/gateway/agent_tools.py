"""The tools of an agent as whoever may read is told of them. Knows no door and calls no tool."""

from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.agents.roster import entries_of
from openclaw_gateway.config.schema import Profile
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.principal import READ, Principal
from openclaw_gateway.gateway.routing import unknown_agent
from openclaw_gateway.models.fitted_tools import unfit
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.tools.policy.pipeline import profile_of
from openclaw_gateway.wire.run import Origin, ToolSpec


class AgentTools(Struct, frozen=True):
    """`summaries` are one line for each, by name; `left_out` are (tool, model, why) of those that a model
    cannot be told of. `profile` is what the configuration begins with, None = no limit."""

    specs: tuple[ToolSpec, ...]
    summaries: Mapping[str, str]
    left_out: tuple[tuple[str, str, str], ...]
    profile: Profile | None


def tools_of(
    principal: Principal, generation: Generation, agent_id: str, session: str | None = None
) -> AgentTools:
    """Those it has in a session (None = its main one), and what its models are offered without.

    Raises MissingScope, InvalidRequest (agent_not_found)."""
    principal.require(READ)
    plan = generation.plans.get(agent_id)
    if plan is None:
        raise unknown_agent(agent_id, generation.roster)
    asks = Origin(principal.owner, "terminal", "operator")
    toolbox = plan.equipment.toolbox(asks, session or main_key(agent_id))
    tools, config = toolbox.specs, generation.config
    own = next(entry.tools for entry in entries_of(config.agents) if entry.id == agent_id)
    left_out = tuple((name, target.ref, why) for target in plan.targets for name, why in unfit(tools, target))
    return AgentTools(tools, dict(toolbox.summaries), left_out, profile_of(config.tools, own))

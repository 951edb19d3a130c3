"""The agent an operator names on the command line. A name nobody has is never taken for another agent's."""

from openclaw_gateway.agents.roster import Agent, Roster, compile_roster
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.surroundings import Surroundings


def named_agent(roster: Roster, agent_id: str) -> Agent:
    """Raises CommandFailed, also for an empty name: that is a shell variable nobody has set."""
    agent = roster.get(agent_id.strip())
    if agent is None:
        raise CommandFailed(
            f'There is no agent "{agent_id}". These are configured: {", ".join(roster.ids)}.',
            code="agent_not_found",
        )
    return agent


def configured_id(around: Surroundings, agent_id: str) -> str:
    """The id of an agent of the configuration. Raises CommandFailed, ConfigError."""
    return named_agent(compile_roster(around.load().config.agents), agent_id).id

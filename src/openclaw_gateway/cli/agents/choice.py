"""The agent an operator names on the command line. A name nobody has is never taken for another agent's."""

from pathlib import Path

from openclaw_gateway.agents.roster import Agent, Roster, compile_roster
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.surroundings import Surroundings
from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.config.reading import Source
from openclaw_gateway.config.rules import agent_ids
from openclaw_gateway.config.schema import AgentEntry, AgentsConfig


def named_agent(roster: Roster, agent_id: str) -> Agent:
    """Raises CommandFailed, also for an empty name: that is a shell variable nobody has set."""
    agent = roster.get(agent_id)
    if agent is None:
        raise CommandFailed(
            f'There is no agent "{agent_id}". These are configured: {", ".join(roster.ids)}.',
            code="agent_not_found",
        )
    return agent


def configured_id(around: Surroundings, agent_id: str, config_path: Path | None = None) -> str:
    """The id of an agent of the configuration. Raises CommandFailed; ConfigError for an unreadable .env.

    Only the ids are looked at: the rest may need variables that are the gateway's alone.
    """
    reading = Source.of(around.environ, around.home, config_path, around.cwd).read()
    document = reading.document if reading.problems else reading.checked.document
    entries = tuple(AgentEntry(id=normal_agent_id(text)) for _, text in agent_ids(document))
    return named_agent(compile_roster(AgentsConfig(entries=entries)), agent_id).id

"""The agents this gateway serves, compiled once from the configuration.

Pure. Knows nothing of models beyond their references, and nothing of sessions or doors. Agent ids are
matched without regard to case; the configuration brings them in their normal form.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.prompt import compile_prompt
from openclaw_gateway.config.agent_id import DEFAULT_AGENT_ID, asked_agent_id
from openclaw_gateway.config.schema import AgentEntry, AgentsConfig, ModelChoice

DEFAULT_TIMEOUT_S = 600.0


class Agent(Struct, frozen=True):
    """One agent. `model` None means the gateway's default; `timeout_s` None means no limit.

    `thinking` is the level its model thinks at when a request does not say; `params` are the agent's own
    settings for any model, `model_params` for one model reference. `utility_model` is asked what is no part
    of a conversation; None = the agent's own.
    """

    id: str
    name: str
    prompt: str
    model: str | None = None
    fallbacks: tuple[str, ...] = ()
    thinking: str | None = None
    params: Mapping[str, Any] = {}
    model_params: Mapping[str, Mapping[str, Any]] = {}
    timeout_s: float | None = DEFAULT_TIMEOUT_S
    utility_model: str | None = None


class Roster:
    """All agents by id, and which one answers when nobody is named."""

    def __init__(self, agents: Iterable[Agent], default_id: str) -> None:
        self._agents = {agent.id: agent for agent in agents}
        self.default_id = default_id

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._agents)

    def __iter__(self) -> Iterator[Agent]:
        return iter(self._agents.values())

    def get(self, agent_id: str) -> Agent | None:
        """The agent of that id; letter case and space around it do not count."""
        found = self._agents.get(agent_id)
        if found is None and (asked := asked_agent_id(agent_id)) is not None:
            found = self._agents.get(asked)
        return found


def compile_roster(config: AgentsConfig) -> Roster:
    """Every configured agent with its own settings over the defaults; `main` alone if there is none."""
    return Roster([_compile(entry, config) for entry in entries_of(config)], default_agent_id(config))


def entries_of(config: AgentsConfig) -> Sequence[AgentEntry]:
    """The configured agents, or `main` as if it were configured with nothing."""
    return config.entries or (AgentEntry(id=DEFAULT_AGENT_ID),)


def default_agent_id(config: AgentsConfig) -> str:
    """Who answers when nobody is named."""
    entries = entries_of(config)
    return config.system_agent_id or next((entry.id for entry in entries if entry.default), entries[0].id)


def _compile(entry: AgentEntry, config: AgentsConfig) -> Agent:
    defaults = config.defaults
    own, shared = entry.model or ModelChoice(), defaults.model or ModelChoice()
    name = entry.name or entry.identity.name or entry.id
    timeout = entry.timeout_seconds if entry.timeout_seconds is not None else defaults.timeout_seconds
    return Agent(
        id=entry.id,
        name=name,
        prompt=compile_prompt(name=entry.identity.name or entry.name, theme=entry.identity.theme),
        model=own.primary or shared.primary,
        fallbacks=own.fallbacks if own.primary or own.fallbacks else shared.fallbacks,
        thinking=entry.thinking_default or defaults.thinking_default,
        params=entry.params,
        model_params={ref: shared.params for ref, shared in entry.models.items()},
        timeout_s=DEFAULT_TIMEOUT_S if timeout is None else timeout or None,
        utility_model=(entry.utility_model or defaults.utility_model or ModelChoice()).primary,
    )

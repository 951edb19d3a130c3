"""Settles, for every agent, which models, tools and prompt it has: once per configuration.

What is settled is pure; a plan is that, with what is open in this process. Cheap per agent (a thousand agents
are planned at start): tools and prompts are built at an agent's first run.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.homes import Home, homes_of
from openclaw_gateway.agents.prompt_cache import PromptCache
from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import AgentEntry, Config
from openclaw_gateway.errors import GatewayError, ToolError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.plans.equipment import External, FullEquipment, folder_in, permitted
from openclaw_gateway.runs.plans.plan import Equipment, PlainEquipment, Plan, Refusal
from openclaw_gateway.runs.plans.policies import policies_of
from openclaw_gateway.runs.plans.toolbox import Toolbox
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.tools.base import (
    Errand,
    Letter,
    Returned,
    Said,
    SessionLine,
    Sight,
    ToolAgent,
    ToolContext,
    ToolServices,
)
from openclaw_gateway.tools.builtin import built_in
from openclaw_gateway.tools.exec.approvals_file import ApprovalsFile
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.sandbox import check_sandbox
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.policy.pipeline import PolicyInput
from openclaw_gateway.tools.scope import sandboxed
from openclaw_gateway.tools.tool_settings import sandbox_settings, tool_settings
from openclaw_gateway.wire.run import Origin

_LOOKING = Origin("", "terminal", "operator")

Targets = tuple[ModelTarget, ...]


class Settled(Struct, frozen=True):
    """What the configuration settles for one agent. Without tools its `policies` are empty. `utility` None:
    its own model is asked what is no part of a conversation."""

    targets: tuple[ModelTarget, ...]
    tools: ToolAgent
    policies: tuple[PolicyInput, ...]
    utility: ModelTarget | None = None


class PlanInputs(Struct, frozen=True):
    """What plans are made with."""

    prompts: PromptCache
    services: ToolServices
    external: External


def settle(
    agent: Agent,
    entry: AgentEntry,
    home: Home,
    config: Config,
    targets: Targets,
    *,
    utility: ModelTarget | None = None,
) -> Settled:
    """Pure. `targets` and `utility` are what `targets_of` and `utility_of` gave."""
    tools = ToolAgent(
        id=agent.id,
        workspace=home.workspace,
        settings=tool_settings(config, entry),
        sandbox=sandbox_settings(config, entry),
    )
    policies = policies_of(config.tools, entry.tools, targets) if targets[0].family.tools else ()
    return Settled(targets, tools, policies, utility)


def targets_of(
    agent: Agent, catalog: Catalog, default_ref: str
) -> tuple[Targets, tuple[tuple[str, GatewayError], ...]]:
    """(the agent's model and its fallbacks, in order; which of them cannot be had, and why). Pure."""
    refs = (agent.model or default_ref, *agent.fallbacks)
    found: list[ModelTarget] = []
    errors: list[tuple[str, GatewayError]] = []
    for ref in refs:
        try:
            found.append(target_of(agent, catalog, ref))
        except GatewayError as error:
            errors.append((ref, error))
    return tuple(found), tuple(errors)


def target_of(agent: Agent, catalog: Catalog, ref: str) -> ModelTarget:
    """A model with the agent's settings. Raises GatewayError when it cannot be had. Pure."""
    thinking = {} if agent.thinking is None else {"reasoningEffort": agent.thinking}
    params = {**thinking, **agent.model_params.get(ref, {}), **agent.params}
    return catalog.resolve(ref, params=params, agent=agent.id)


def utility_of(agent: Agent, catalog: Catalog) -> ModelTarget | None:
    """Raises GatewayError when it cannot be had. Pure."""
    if agent.utility_model is None:
        return None
    return catalog.resolve(agent.utility_model, params=agent.params, agent=agent.id)


def refused_plan(agent: Agent, reason: str) -> Plan:
    """Of an agent none of whose models can be had."""
    return Plan(agent, (), PlainEquipment(agent), Refusal(reason))


def make_plan(agent: Agent, settled: Settled, inputs: PlanInputs) -> Plan:
    return Plan(agent, settled.targets, _equipment(agent, settled, inputs), utility=settled.utility)


async def without_sandbox(agents: Mapping[str, ToolAgent], environ: Mapping[str, str]) -> dict[str, str]:
    """Why agents that were promised a sandbox cannot have it, by agent id. Each setting is tried once."""
    tried: dict[str, str | None] = {}
    reasons: dict[str, str] = {}
    for agent_id, agent in agents.items():
        if agent.sandbox.get("mode", "off") == "off":
            continue
        setting = repr(sorted(agent.sandbox.items()))
        if setting not in tried:
            tried[setting] = await check_sandbox(agent, environ)
        reason = tried[setting]
        if reason is not None:
            reasons[agent_id] = reason
    return reasons


def main_toolbox(loaded: LoadedConfig, agent_id: str, targets: Targets) -> Toolbox:
    """An agent's built-in tools after policy in its main session, for whoever only wants to look."""
    config = loaded.config
    entry = next((each for each in config.agents.entries if each.id == agent_id), AgentEntry(id=agent_id))
    tool_agent = ToolAgent(
        agent_id,
        homes_of(loaded)[agent_id].workspace,
        tool_settings(config, entry),
        sandbox_settings(config, entry),
    )
    absent = _Absent()
    services = ToolServices(
        loaded.own_dir,
        loaded.environ,
        ApprovalsFile(loaded.own_dir),
        absent,
        absent,
        Performer(loaded.environ),
        CommandSessions(),
        sub_agents=absent,
    )
    policies = policies_of(config.tools, entry.tools, targets)
    inside = sandboxed(tool_agent, _LOOKING, main_key(agent_id))
    folder = folder_in(services, tool_agent, inside=inside)
    return permitted(built_in(services, tool_agent), policies, folder, inside=inside)


class _Absent:
    """Capabilities of a process that only looks at agents: tools are made but never run."""

    async def list_sessions(self, context: ToolContext, sight: Sight) -> tuple[SessionLine, ...]:
        raise ToolError("There are no conversations in this process.")

    async def history(
        self, context: ToolContext, sight: Sight, session_key: str, limit: int, *, include_tools: bool
    ) -> tuple[Said, ...]:
        raise ToolError("There are no conversations in this process.")

    async def send(self, context: ToolContext, sight: Sight, message: Letter, timeout_s: float) -> str | None:
        raise ToolError("There are no conversations in this process.")

    async def status(self, context: ToolContext, sight: Sight, session_key: str | None) -> Mapping[str, Any]:
        raise ToolError("There are no conversations in this process.")

    async def run_errand(self, context: ToolContext, errand: Errand) -> Returned:
        raise ToolError("There are no runs in this process.")

    def list_agents(self) -> tuple[tuple[str, str], ...]:
        return ()

    def models_of(self, agent_id: str) -> tuple[str, ...]:
        return ()


def _equipment(agent: Agent, settled: Settled, inputs: PlanInputs) -> Equipment:
    if not settled.policies:
        return PlainEquipment(agent)
    return FullEquipment(
        agent,
        prompts=inputs.prompts,
        services=inputs.services,
        tool_agent=settled.tools,
        policies=settled.policies,
        external=inputs.external,
        model=settled.targets[0].ref,
    )

"""Settles, for every agent, which models, tools and prompt it has. Done once, when the gateway is built.

Cheap per agent (a thousand agents are planned at start): tools and prompts are built at an agent's first
run. Raises nothing but ConfigError, which names every agent whose model cannot be resolved.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from msgspec import Struct

from openclaw_gateway.agents.book import PromptBook
from openclaw_gateway.agents.homes import Home, homes_of
from openclaw_gateway.agents.roster import Agent, Roster, compile_roster
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.config.schema import AgentEntry, Config
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.outfit import External, FullOutfit, built_in, folder_in, permitted
from openclaw_gateway.runs.plan import Outfit, PlainOutfit, Plan
from openclaw_gateway.runs.policies import policies_of
from openclaw_gateway.runs.toolbox import Toolbox
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.tools.base import (
    Letter,
    Said,
    SessionLine,
    Sight,
    ToolAgent,
    ToolContext,
    ToolError,
    ToolHouse,
)
from openclaw_gateway.tools.commands.sessions import CommandSessions
from openclaw_gateway.tools.sandbox import check_sandbox
from openclaw_gateway.tools.scope import sandboxed
from openclaw_gateway.tools.settings import sandbox_settings, tool_settings
from openclaw_gateway.wire.run import Origin

_LOOKING = Origin("", "terminal", "operator")


class Workshop(Struct, frozen=True):
    """What plans are made from."""

    config: Config
    catalog: Catalog
    default_ref: str
    homes: Mapping[str, Home]
    book: PromptBook
    house: ToolHouse
    external: External


def make_plans(roster: Roster, shop: Workshop) -> dict[str, Plan]:
    """One plan per agent. Raises ConfigError."""
    entries = {entry.id: entry for entry in shop.config.agents.entries}
    plans: dict[str, Plan] = {}
    faulty: dict[str, list[str]] = {}
    for agent in roster:
        try:
            targets = _targets(agent, shop)
        except GatewayError as error:
            faulty.setdefault(error.message, []).append(agent.id)
            continue
        entry = entries.get(agent.id) or AgentEntry(id=agent.id)
        plans[agent.id] = Plan(agent, targets, _outfit(agent, entry, targets, shop))
    if faulty:
        raise ConfigError([f"{_named(ids)}: {message}" for message, ids in faulty.items()])
    return plans


def _named(ids: list[str]) -> str:
    more = f" and {len(ids) - 5} more" if len(ids) > 5 else ""
    return f"{'agent' if len(ids) == 1 else 'agents'} {', '.join(ids[:5])}{more}"


async def without_sandbox(plans: Mapping[str, Plan], environ: Mapping[str, str]) -> dict[str, str]:
    """Why agents that were promised a sandbox cannot have it, by agent id. Each setting is tried once."""
    tried: dict[str, str | None] = {}
    reasons: dict[str, str] = {}
    for plan in plans.values():
        if not isinstance(plan.outfit, FullOutfit) or not plan.outfit.is_sandboxed:
            continue
        agent = plan.outfit.tool_agent
        setting = repr(sorted(agent.sandbox.items()))
        if setting not in tried:
            tried[setting] = await check_sandbox(agent, environ)
        reason = tried[setting]
        if reason is not None:
            reasons[plan.agent.id] = reason
    return reasons


def main_toolbox(loaded: LoadedConfig, agent_id: str, target: ModelTarget) -> Toolbox:
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
    house = ToolHouse(loaded.own_dir, loaded.environ, absent, absent, CommandSessions())
    policies = policies_of(config.tools, entry.tools, (target, *_fallbacks(loaded, agent_id)))
    inside = sandboxed(tool_agent, _LOOKING, main_key(agent_id))
    folder = folder_in(house, tool_agent, inside=inside)
    return permitted(built_in(house, tool_agent), policies, folder, inside=inside)


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

    def list_agents(self) -> tuple[tuple[str, str], ...]:
        return ()


def _fallbacks(loaded: LoadedConfig, agent_id: str) -> list[ModelTarget]:
    """Those that can be resolved."""
    agent = compile_roster(loaded.config.agents).get(agent_id)
    catalog = Catalog(loaded.config, loaded.environ)
    found: list[ModelTarget] = []
    for ref in agent.fallbacks if agent is not None else ():
        with suppress(GatewayError):
            found.append(catalog.resolve(ref))
    return found


def _targets(agent: Agent, shop: Workshop) -> tuple[ModelTarget, ...]:
    refs = (agent.model or shop.default_ref, *agent.fallbacks)
    thinking = {} if agent.thinking is None else {"reasoningEffort": agent.thinking}
    return tuple(
        shop.catalog.resolve(ref, params={**thinking, **agent.model_params.get(ref, {}), **agent.params})
        for ref in refs
    )


def _outfit(agent: Agent, entry: AgentEntry, targets: Sequence[ModelTarget], shop: Workshop) -> Outfit:
    if not targets[0].tools:
        return PlainOutfit(agent)
    tool_agent = ToolAgent(
        id=agent.id,
        workspace=shop.homes[agent.id].workspace,
        settings=tool_settings(shop.config, entry),
        sandbox=sandbox_settings(shop.config, entry),
    )
    return FullOutfit(
        agent,
        book=shop.book,
        house=shop.house,
        tool_agent=tool_agent,
        policies=policies_of(shop.config.tools, entry.tools, targets),
        external=shop.external,
        model=targets[0].ref,
    )

"""Settles, for every agent, which models, tools and prompt it has. Done once, when the gateway is built.

Cheap per agent (a thousand agents are planned at start): tools and prompts are built at an agent's first
run. Raises nothing but ConfigError, which names every agent whose model cannot be resolved.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.agents.book import PromptBook
from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.roster import Agent, Roster
from openclaw_gateway.config.schema import AgentEntry, Config
from openclaw_gateway.errors import ConfigError, GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.outfit import External, FullOutfit
from openclaw_gateway.runs.plan import Outfit, PlainOutfit, Plan
from openclaw_gateway.tools.base import ToolAgent, ToolHouse
from openclaw_gateway.tools.policy import PolicyInput


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
    problems: list[str] = []
    for agent in roster:
        try:
            targets = _targets(agent, shop)
        except GatewayError as error:
            problems.append(f"agent {agent.id}: {error.message}")
            continue
        entry = entries.get(agent.id) or AgentEntry(id=agent.id)
        plans[agent.id] = Plan(agent, targets, _outfit(agent, entry, targets[0], shop))
    if problems:
        raise ConfigError(problems)
    return plans


def _targets(agent: Agent, shop: Workshop) -> tuple[ModelTarget, ...]:
    refs = (agent.model or shop.default_ref, *agent.fallbacks)
    return tuple(
        shop.catalog.resolve(ref, params={**agent.model_params.get(ref, {}), **agent.params}) for ref in refs
    )


def _outfit(agent: Agent, entry: AgentEntry, target: ModelTarget, shop: Workshop) -> Outfit:
    if not target.tools:
        return PlainOutfit(agent)
    sandbox = _over(_mapping(shop.config.agents.defaults.sandbox), _mapping(entry.sandbox))
    return FullOutfit(
        agent,
        book=shop.book,
        house=shop.house,
        tool_agent=ToolAgent(
            id=agent.id,
            workspace=shop.homes[agent.id].workspace,
            settings=_over(_mapping(shop.config.tools), _mapping(entry.tools)),
            sandbox=sandbox,
        ),
        policy=PolicyInput(
            tools=shop.config.tools,
            agent=entry.tools,
            provider=target.provider,
            model=target.model,
            sandboxed=sandbox.get("mode", "off") == "all",
        ),
        external=shop.external,
        model=target.ref,
    )


def _mapping(section: object) -> Mapping[str, Any]:
    """A section as the file spells it, without what the file does not say."""
    built = msgspec.to_builtins(section) if section is not None else {}
    return built if isinstance(built, dict) else {}


def _over(shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """The agent's settings over the global ones, key by key."""
    merged = dict(shared)
    for key, value in own.items():
        below = merged.get(key)
        both = isinstance(value, Mapping) and isinstance(below, Mapping)
        merged[key] = _over(below, value) if both else value  # type: ignore[arg-type]
    return merged

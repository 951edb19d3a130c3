"""The models that a client may choose for an agent: its own, and those that the configuration lists.

The lists are OpenClaw's: the keys of `agents.defaults.models` and of the agent's `models`, or, where it is
written, `modelPolicy.allow` alone, whose `*` stands for anything. What is chosen is asked alone: nobody gets
another model's answer instead. Made with a configuration; a plan with a chosen model is made when it is first
asked for.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final, TypeVar

from msgspec.structs import replace

from openclaw_gateway.agents.homes import Home
from openclaw_gateway.agents.roster import Agent, entries_of
from openclaw_gateway.config.schema import AgentEntry, Config
from openclaw_gateway.errors import GatewayError, InvalidRequest
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.runs.plans.plan import Plan
from openclaw_gateway.runs.plans.planning import PlanInputs, make_plan, settle, target_of
from openclaw_gateway.tools.name_pattern import matches

HEADER: Final = "x-openclaw-model"
T = TypeVar("T")
_MOST_PLANS: Final = 256
_NAMED = 10


class ModelChoices:
    def __init__(self, config: Config, homes: Mapping[str, Home], catalog: Catalog) -> None:
        self._config = config
        self._homes = homes
        self._catalog = catalog
        self._entries = {entry.id: entry for entry in entries_of(config.agents)}
        self._targets: OrderedDict[tuple[str, str], ModelTarget] = OrderedDict()
        self._plans: OrderedDict[tuple[str, str], Plan] = OrderedDict()

    def look_up(self, agents: Iterable[Agent]) -> None:
        """Ask now for the keys of the providers that may be chosen: a program that gives them may take its
        time, and later somebody waits."""
        for agent in agents:
            providers = {provider_id(each.partition("/")[0]) for each in self._listed(agent.id)}
            for provider in providers & self._catalog.endpoints.names():
                with suppress(GatewayError):
                    self._catalog.endpoints.of(provider, agent.id)

    def chosen(self, plan: Plan, asked: str) -> str:
        """The reference of the model that is asked for by its reference or alias.

        Raises InvalidRequest: model_not_allowed, and model_not_found for one that is listed and cannot be
        had.
        """
        agent = plan.agent
        try:
            ref = self._catalog.reference(asked)
        except GatewayError:
            raise self._not_allowed(plan, asked) from None
        for target in plan.targets:
            if self._spelled(target.ref) == ref:
                return target.ref
        if not self._allows(agent.id, ref):
            raise self._not_allowed(plan, asked)
        try:
            return self._target(agent, ref).ref
        except GatewayError:
            raise InvalidRequest(
                f"The model '{ref}' is listed and cannot be had at the moment: its provider is not there, or "
                "lacks its key. The operator sees why when an agent uses it.",
                code="model_not_found",
                param=HEADER,
            ) from None

    def plan(self, plan: Plan, ref: str, inputs: PlanInputs) -> Plan:
        """The agent's plan with this model alone, which `chosen` gave. Raises InvalidRequest where the
        configuration has changed meanwhile."""
        own = tuple(target for target in plan.targets if target.ref == ref)
        if own:
            return replace(plan, targets=own)
        self.chosen(plan, ref)
        agent = plan.agent
        if (agent.id, ref) not in self._plans:
            entry, home = self._entries[agent.id], self._homes[agent.id]
            settled = settle(agent, entry, home, self._config, (self._target(agent, ref),))
            _remember(self._plans, (agent.id, ref), make_plan(agent, settled, inputs))
        return self._plans[agent.id, ref]

    def to_try(self, plan: Plan, asked: str) -> ModelTarget:
        """Any model of a provider whose keys are looked up already, because an agent may ask it; listed or
        not. Raises InvalidRequest."""
        try:
            ref = self._catalog.reference(asked)
        except GatewayError:
            raise self._not_allowed(plan, asked) from None
        for target in plan.targets:
            if self._spelled(target.ref) == ref:
                return target
        refs = (*(target.ref for target in plan.targets), *self._listed(plan.agent.id))
        if provider_id(ref.partition("/")[0]) not in {provider_id(each.partition("/")[0]) for each in refs}:
            raise self._not_allowed(plan, asked)
        return target_of(plan.agent, self._catalog, ref)

    def _not_allowed(self, plan: Plan, asked: str) -> InvalidRequest:
        agent_id = plan.agent.id
        there = list(dict.fromkeys((*(target.ref for target in plan.targets), *self._listed(agent_id))))
        more = f" and {len(there) - _NAMED} more" if len(there) > _NAMED else ""
        return InvalidRequest(
            f"The model '{_shown(asked)}' is not allowed for agent '{agent_id}'. Allowed are "
            f"{', '.join(there[:_NAMED])}{more}; the operator adds others to agents.defaults.models, or "
            "to modelPolicy.allow where that is written.",
            code="model_not_allowed",
            param=HEADER,
        )

    def _target(self, agent: Agent, ref: str) -> ModelTarget:
        """Raises GatewayError."""
        if (agent.id, ref) not in self._targets:
            _remember(self._targets, (agent.id, ref), target_of(agent, self._catalog, ref))
        return self._targets[agent.id, ref]

    def _allows(self, agent_id: str, ref: str) -> bool:
        return matches(ref.lower(), tuple(self._spelled(each).lower() for each in self._listed(agent_id)))

    def _spelled(self, ref: str) -> str:
        """With the provider's name as everything compares it."""
        provider, slash, model = ref.strip().partition("/")
        return f"{provider_id(provider)}/{model}" if slash else ref

    def _listed(self, agent_id: str) -> tuple[str, ...]:
        entry, defaults = self._entries.get(agent_id, AgentEntry(agent_id)), self._config.agents.defaults
        for policy in (entry.model_policy, defaults.model_policy):
            if policy.allow is not None:
                return policy.allow
        # There a `*` says nothing: nobody wrote one to open everything.
        return tuple(each for each in (*defaults.models, *entry.models) if "*" not in each)


def _remember(kept: OrderedDict[tuple[str, str], T], key: tuple[str, str], value: T) -> None:
    kept[key] = value
    if len(kept) > _MOST_PLANS:
        kept.popitem(last=False)


def _shown(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text[:80])

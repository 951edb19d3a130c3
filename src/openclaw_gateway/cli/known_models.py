"""The models of a configuration: which there are, who uses each, and what each resolves to. Asks nobody."""

from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.blueprint import Blueprint
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.target import LOCAL, ModelTarget
from openclaw_gateway.runs.planning import target_of


class KnownModel(Struct, frozen=True):
    """`agents` use it, the first of each agent's models or a fallback. Either `target` or `problem` is there;
    an `embedded` one runs in this machine's own child process."""

    ref: str
    agents: tuple[str, ...] = ()
    target: ModelTarget | None = None
    problem: str = ""

    @property
    def embedded(self) -> bool:
        return self.target is not None and self.target.provider == LOCAL and not self.target.endpoint.base_url


def known_models(plan: Blueprint) -> tuple[KnownModel, ...]:
    """Those that agents use first, in the order of the agents; then what else is listed."""
    users: dict[str, list[str]] = {}
    for agent in plan.roster:
        for ref in (agent.model or plan.model.ref, *agent.fallbacks):
            users.setdefault(_reference(plan, ref), []).append(agent.id)
    for ref in (*plan.catalog.refs(), *plan.loaded.config.agents.defaults.models):
        users.setdefault(_reference(plan, ref), [])
    return tuple(one_model(plan, ref, users) for ref in users if not ref.endswith("/*"))


def one_model(plan: Blueprint, ref: str, users: Mapping[str, list[str]] | None = None) -> KnownModel:
    """`ref` as an operator writes it: `provider/model` or an alias."""
    name = _reference(plan, ref)
    agents = tuple(dict.fromkeys((users or {}).get(name, ())))
    agent = plan.roster.get(agents[0] if agents else plan.roster.default_id)
    try:
        target = target_of(agent, plan.catalog, name) if agent else plan.catalog.resolve(name)
    except GatewayError as error:
        return KnownModel(name, agents, problem=error.message)
    return KnownModel(name, agents, target)


def _reference(plan: Blueprint, ref: str) -> str:
    try:
        return plan.catalog.reference(ref)
    except GatewayError:
        return ref

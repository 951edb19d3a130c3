"""The models of a configuration: which there are, who uses each, and what each resolves to. Asks nobody."""

from collections.abc import Mapping

from msgspec import Struct

from openclaw_gateway.agents.roster import Roster
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.endpoints import NoKey
from openclaw_gateway.models.target import LOCAL, ModelTarget
from openclaw_gateway.runs.plans.planning import target_of


class KnownModel(Struct, frozen=True):
    """`agents` use it, the first of each agent's models or a fallback. Either `target` or `problem` is there;
    `lacks_key` says what the problem is; an `embedded` one runs in this machine's own child process."""

    ref: str
    agents: tuple[str, ...] = ()
    target: ModelTarget | None = None
    problem: str = ""
    lacks_key: bool = False

    @property
    def embedded(self) -> bool:
        return self.target is not None and self.target.provider == LOCAL and not self.target.endpoint.base_url


class KnownModels(Struct, frozen=True):
    """`default_ref` is the model of agents that have none of their own; `listed` are further ones that the
    configuration names."""

    roster: Roster
    catalog: Catalog
    default_ref: str
    listed: tuple[str, ...] = ()

    def all(self) -> tuple[KnownModel, ...]:
        """Those that agents use first, in the order of the agents; then what else is listed."""
        users: dict[str, list[str]] = {}
        for agent in self.roster:
            for ref in (agent.model or self.default_ref, *agent.fallbacks):
                users.setdefault(self._reference(ref), []).append(agent.id)
        for ref in (*self.catalog.refs(), *self.listed):
            users.setdefault(self._reference(ref), [])
        return tuple(self._one(ref, users) for ref in users if not ref.endswith("/*"))

    def one(self, ref: str) -> KnownModel:
        """`ref` as an operator writes it: `provider/model` or an alias."""
        return self._one(self._reference(ref), {})

    def _one(self, name: str, users: Mapping[str, list[str]]) -> KnownModel:
        agents = tuple(dict.fromkeys(users.get(name, ())))
        agent = self.roster.get(agents[0] if agents else self.roster.default_id)
        try:
            target = target_of(agent, self.catalog, name) if agent else self.catalog.resolve(name)
        except GatewayError as error:
            return KnownModel(name, agents, None, error.message, isinstance(error, NoKey))
        return KnownModel(name, agents, target)

    def _reference(self, ref: str) -> str:
        try:
            return self.catalog.reference(ref)
        except GatewayError:
            return ref

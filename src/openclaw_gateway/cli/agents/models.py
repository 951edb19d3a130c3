"""The model an agent would be given by a start of the gateway, without starting anything."""

from msgspec import Struct

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.blueprint.last_survey import read_kept
from openclaw_gateway.blueprint.outside import look_outside
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import choose_default
from openclaw_gateway.models.keys import Keys
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import LOCAL
from openclaw_gateway.runs.plans.planning import Targets, targets_of


class AgentModel(Struct, frozen=True):
    """`ref` None when there is none, for the reason in `problem`. The `embedded` one is small."""

    ref: str | None
    embedded: bool = False
    problem: str = ""
    targets: Targets = ()


class AgentModels:
    def __init__(self, loaded: LoadedConfig) -> None:
        keys = Keys(loaded.config, loaded.environ, look_outside(loaded))
        self._catalog = Catalog(loaded.config, loaded.environ, keys)
        self._default: str | None = None
        self._problem = ""
        local = LocalModel.from_environment(loaded.environ)
        try:
            self._default = choose_default(
                loaded.config,
                loaded.environ,
                local_available=local.unavailable() is None,
                has_key=keys.has,
                survey=read_kept(loaded.own_dir).survey,
            ).ref
        except GatewayError as error:
            self._problem = error.message

    def of(self, agent: Agent) -> AgentModel:
        ref = agent.model or self._default
        if ref is None:
            return AgentModel(None, problem=self._problem)
        targets, errors = targets_of(agent, self._catalog, ref)
        problem = " ".join(dict.fromkeys(error.message for _, error in errors))
        if not targets:
            return AgentModel(ref, problem=problem)
        embedded = targets[0].provider == LOCAL and not targets[0].endpoint.base_url
        return AgentModel(targets[0].ref, embedded, problem, targets)

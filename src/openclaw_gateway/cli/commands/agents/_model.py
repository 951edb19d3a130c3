"""The model an agent would be given by a start of the gateway, without starting anything."""

from msgspec import Struct

from openclaw_gateway.agents.roster import Agent
from openclaw_gateway.config.load import LoadedConfig
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.defaults import choose_default
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.target import LOCAL, ModelTarget


class AgentModel(Struct, frozen=True):
    """`ref` None when there is none, for the reason in `problem`. The `embedded` one is small."""

    ref: str | None
    embedded: bool = False
    problem: str = ""
    target: ModelTarget | None = None


class AgentModels:
    def __init__(self, loaded: LoadedConfig) -> None:
        self._catalog = Catalog(loaded.config, loaded.environ)
        self._default: str | None = None
        self._problem = ""
        local = LocalModel.from_environment(loaded.environ)
        try:
            self._default = choose_default(
                loaded.config, loaded.environ, local_available=local.unavailable() is None
            ).ref
        except GatewayError as error:
            self._problem = error.message

    def of(self, agent: Agent) -> AgentModel:
        ref = agent.model or self._default
        if ref is None:
            return AgentModel(None, problem=self._problem)
        try:
            target = self._catalog.resolve(ref, params={})
        except GatewayError as error:
            return AgentModel(ref, problem=error.message)
        embedded = target.provider == LOCAL and not target.endpoint.base_url
        return AgentModel(target.ref, embedded, target=target)

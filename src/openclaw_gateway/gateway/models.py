"""The models behind the agents, for who may see them: which there are, and whether one answers now.

Who may is decided here. Knows no door, and no key of a provider.
"""

from collections.abc import Callable

from openclaw_gateway.errors import NotFound, Overloaded
from openclaw_gateway.gateway.principal import ADMIN, READ, Principal
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.trial import Trial, tried
from openclaw_gateway.runs.known_models import KnownModel, KnownModels

_MOST_TRIALS = 4


class Models:
    """`known` are those of the configuration in force. Each method raises Forbidden."""

    def __init__(self, known: Callable[[], KnownModels], caller: ModelCaller) -> None:
        self._known = known
        self._caller = caller
        self._trials = 0

    def all(self, principal: Principal) -> tuple[KnownModel, ...]:
        """Those that agents use first."""
        principal.require(READ)
        return self._known().all()

    async def test(self, principal: Principal, ref: str) -> Trial:
        """Ask it one short question, which its provider bills. Raises NotFound, Overloaded, ProviderError."""
        principal.require(ADMIN)
        model = self._known().one(ref)
        if model.target is None:
            raise NotFound(model.problem, code="model_not_found", param="model")
        if self._trials >= _MOST_TRIALS:
            raise Overloaded(
                f"{_MOST_TRIALS} models are being tested. Ask again when one has answered.", retry_after=5.0
            )
        self._trials += 1
        try:
            return await tried(self._caller, model.target)
        finally:
            self._trials -= 1

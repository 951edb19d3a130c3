"""Models tried for an operator, with the gateway's own connections. No run: no session, no ledger.

A few at once: each costs tokens, and may take its time.
"""

import structlog

from openclaw_gateway.errors import GatewayError, InvalidRequest, Overloaded
from openclaw_gateway.gateway.generation import Generation
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.trial import TRIAL_S, Trial, tried

log = structlog.get_logger()

MOST = 4


class ModelTrials:
    def __init__(self, caller: ModelCaller) -> None:
        self._caller = caller
        self._open = 0

    def target(
        self, principal: Principal, generation: Generation, agent_id: str, model: str | None
    ) -> ModelTarget:
        """A model as an agent is given it: by its reference or alias, None = the agent's first. Raises
        Forbidden, InvalidRequest."""
        principal.require(ADMIN)
        plan = generation.plans[agent_id]
        if model is not None and model.strip():
            return generation.choices.to_try(plan, model)
        if not plan.targets:
            why = plan.refusal.reason if plan.refusal else "It has no model."
            raise InvalidRequest(f"The agent '{agent_id}' cannot be asked: {why}", code="model_not_found")
        return plan.target

    async def tried(self, principal: Principal, target: ModelTarget, timeout_s: float = TRIAL_S) -> Trial:
        """Raises Forbidden, Overloaded, ProviderError."""
        principal.require(ADMIN)
        if self._open >= MOST:
            raise Overloaded(f"{MOST} models are being tried already.", retry_after=5)
        self._open += 1
        try:
            trial = await tried(self._caller, target, min(timeout_s, TRIAL_S))
        except GatewayError as error:
            log.info("model.tried", model=target.ref, code=error.code)
            raise
        finally:
            self._open -= 1
        log.info("model.tried", model=target.ref, ms=trial.duration_ms)
        return trial

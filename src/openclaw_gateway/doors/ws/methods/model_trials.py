"""`models.test`: one short question to a model. `models.probe`: the same of a provider, in OpenClaw's shape.

Both cost a few tokens, and are the operator's. `models.test` is ours; of a model that does not answer its
result says why, as `openclaw models test` does.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.errors import InvalidRequest, ProviderError, ProviderReason
from openclaw_gateway.gateway.principal import ADMIN
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.models.defaults import provider_id
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.models.trial import TRIAL_S, answered, failed

_Name = Annotated[str, Meta(min_length=1, max_length=256)]
_Milliseconds = Annotated[int, Meta(ge=1, le=1_000_000_000)]
# What OpenClaw calls a failure; the rest is "unknown".
_STATUS: Mapping[ProviderReason, str] = {
    "auth": "auth",
    "permission": "auth",
    "rate_limit": "rate_limit",
    "billing": "billing",
    "timeout": "timeout",
    "format": "format",
    "bad_response": "format",
    "model_not_found": "no_model",
}


class TestParams(Struct, frozen=True, rename="camel"):
    """`model` is a reference or an alias; without one the agent's first."""

    model: _Name | None = None
    agent_id: _Name | None = None
    timeout_ms: _Milliseconds | None = None


class ProbeParams(Struct, frozen=True, rename="camel"):
    provider: _Name
    profile_id: _Name | None = None
    timeout_ms: _Milliseconds | None = None
    agent_id: str | None = None


async def _test(call: MethodCall, params: TestParams) -> object:
    """Raises Forbidden, InvalidRequest, Overloaded."""
    gateway, principal = call.gateway, call.principal
    agent_id = gateway.route(Ask(agent=params.agent_id)).agent_id
    target = gateway.operator.model_trials.target(principal, gateway.generation, agent_id, params.model)
    try:
        trial = await gateway.operator.model_trials.tried(principal, target, _seconds(params.timeout_ms))
    except ProviderError as error:
        return failed(target.ref, error)
    return answered(target.ref, trial)


async def _probe(call: MethodCall, params: ProbeParams) -> object:
    """With the first of the agent's models there, else of any agent's. Raises Forbidden, InvalidRequest,
    Overloaded."""
    if params.profile_id is not None:
        raise InvalidRequest(
            "Stored profiles are not tried one by one here: leave profileId out, and the provider is asked "
            "as an agent would ask it.",
            code="invalid_params",
            param="profileId",
        )
    target = _of_provider(call, params)
    if target is None:
        why = f"No agent has a model of {params.provider[:80]}: give one a model of it, or use models.test."
        return {"provider": params.provider, "status": "no_model", "error": why, "results": []}
    began = time.monotonic()
    row: dict[str, Any] = {"status": "ok"}
    try:
        await call.gateway.operator.model_trials.tried(call.principal, target, _seconds(params.timeout_ms))
    except ProviderError as error:
        row = {"status": _STATUS.get(error.reason, "unknown"), "error": error.message}
    row["latencyMs"] = int((time.monotonic() - began) * 1000)
    return {"provider": params.provider, **row, "results": [{"label": target.ref, **row}]}


def _of_provider(call: MethodCall, params: ProbeParams) -> ModelTarget | None:
    plans = call.gateway.generation.plans
    first = call.gateway.route(Ask(agent=params.agent_id or None)).agent_id
    plan_order = (plans[first], *(plan for agent_id, plan in plans.items() if agent_id != first))
    wanted = provider_id(params.provider)
    targets = (target for plan in plan_order for target in plan.targets)
    return next((target for target in targets if provider_id(target.provider) == wanted), None)


def _seconds(milliseconds: int | None) -> float:
    return TRIAL_S if milliseconds is None else milliseconds / 1000


METHODS = (
    Method("models.test", ADMIN, TestParams, _test),
    Method("models.probe", ADMIN, ProbeParams, _probe),
)

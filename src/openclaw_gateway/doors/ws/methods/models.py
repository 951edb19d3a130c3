"""`models.list` and `.authStatus`: the models behind the agents. (The HTTP door's models are the agents.)

`models.list` is OpenClaw's, as it stands behind the capability `published-model-catalog`; every view is of
what the configuration has, for no provider is asked. `model_trials` asks models.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from openclaw_gateway.config.schema import Config
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.runs.plans.known_models import KnownModel
from openclaw_gateway.runs.run import now_ms

# Ways to say it that also models have which do not think.
_NOT_TOLD = ("never", "effort")
_Name = Annotated[str, Meta(min_length=1, max_length=256)]


class ListParams(Struct, frozen=True, rename="camel"):
    """`agent_id`: only what that agent uses; `provider`: only that provider's."""

    agent_id: _Name | None = None
    provider: _Name | None = None
    view: Literal["default", "configured", "provider-config", "all"] = "default"


async def _list(call: MethodCall, params: ListParams) -> object:
    gateway = call.gateway
    default_ref = gateway.target_name(gateway.roster.default_id)
    rows = []
    for model in gateway.known_models(call.principal):
        provider, _, id_ = model.ref.partition("/")
        if params.provider not in (None, provider) or (params.agent_id or None) not in (None, *model.agents):
            continue
        tags = ["default"] if model.ref == default_ref else []
        rows.append({"id": id_ or model.ref, "provider": provider, **_told(model, gateway.config, tags)})
    return {"models": rows}


def _told(model: KnownModel, config: Config, tags: list[str]) -> dict[str, Any]:
    provider, _, id_ = model.ref.partition("/")
    entry = config.models.providers.get(provider)
    written = next((each for each in entry.models if each.id == id_), None) if entry else None
    more = config.agents.defaults.models.get(model.ref)
    told: dict[str, Any] = {
        "name": (written.name if written else None) or id_ or model.ref,
        "available": model.target is not None,
        "tags": [*tags, *(["configured"] if model.agents else [])],
    }
    if more is not None and more.alias:
        told["alias"] = more.alias
    if model.target is None:
        # The protocol has no word for what else may be wrong.
        return told | ({"unavailableReason": "missing-auth"} if model.lacks_key else {})
    family = model.target.family
    thinks = family.reasons or (family.known and family.thinking.way not in _NOT_TOLD)
    told |= {
        "reasoning": thinks if written is None else written.reasoning,
        "supportsTools": bool(family.tools),
        "input": ["text", *(["image"] if family.images else [])],
    }
    if model.target.context_window:
        told["contextWindow"] = model.target.context_window
    return told


async def _auth_status(call: MethodCall, params: Nothing) -> object:
    """Whether the models of a provider can be asked; nothing of its keys."""
    usable = {target.provider for plan in call.gateway.generation.plans.values() for target in plan.targets}
    providers = sorted({*call.gateway.config.models.providers, *usable})
    rows = [
        {"provider": name, "displayName": name, "status": "static" if name in usable else "missing"}
        for name in providers
    ]
    return {"ts": now_ms(), "providers": [{**row, "profiles": []} for row in rows]}


METHODS = (
    Method("models.list", READ, ListParams, _list),
    Method("models.authStatus", READ, Nothing, _auth_status),
)

"""`models.list`: the providers' models behind the agents (the HTTP door's models are the agents)."""

from typing import Any

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.runs.run import now_ms


async def _list(call: MethodCall, params: Nothing) -> object:
    gateway = call.gateway
    rows: dict[str, dict[str, Any]] = {}
    for provider, entry in gateway.config.models.providers.items():
        for model in entry.models:
            row: dict[str, Any] = {
                "id": model.id,
                "name": model.name or model.id,
                "provider": provider,
                "reasoning": model.reasoning,
            }
            if model.context_window is not None:
                row["contextWindow"] = model.context_window
            rows[f"{provider}/{model.id}"] = row
    for agent_id in gateway.roster.ids:
        # An agent may use a model that its provider's list does not mention.
        provider, _, model_id = gateway.target_name(agent_id).partition("/")
        if model_id:
            rows.setdefault(
                f"{provider}/{model_id}", {"id": model_id, "name": model_id, "provider": provider}
            )
    return {"models": list(rows.values())}


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
    Method("models.list", READ, Nothing, _list),
    Method("models.authStatus", READ, Nothing, _auth_status),
)

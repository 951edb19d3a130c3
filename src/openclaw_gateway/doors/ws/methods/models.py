"""`models.list`: the providers' models behind the agents (the HTTP door's models are the agents)."""

from typing import Any

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ


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


METHODS = (Method("models.list", READ, Nothing, _list),)

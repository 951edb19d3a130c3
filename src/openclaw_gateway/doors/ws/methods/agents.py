"""`agents.list`: whom one can talk to."""

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import READ


async def _list(call: MethodCall, _: Nothing) -> object:
    gateway = call.gateway
    return {
        "defaultId": gateway.roster.default_id,
        "mainKey": "main",
        "scope": "per-sender",
        "agents": [
            {
                "id": agent.id,
                "name": agent.name,
                "identity": {"name": agent.name},
                "model": gateway.target_name(agent.id),
            }
            for agent in gateway.roster
        ],
    }


METHODS = (Method("agents.list", READ, Nothing, _list),)

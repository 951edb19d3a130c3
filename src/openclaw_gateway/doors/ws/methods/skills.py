"""`skills.status`: the skills of an agent, which are ready, and what the others lack."""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.gateway.skills import skills_of


class StatusParams(Struct, frozen=True, rename="camel"):
    agent_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    session_key: Annotated[str, Meta(min_length=1, max_length=512)] | None = None


async def _status(call: MethodCall, params: StatusParams) -> object:
    """Raises InvalidRequest, Overloaded."""
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    return await skills_of(call.principal, call.gateway.generation, route.agent_id)


METHODS = (Method("skills.status", READ, StatusParams, _status),)

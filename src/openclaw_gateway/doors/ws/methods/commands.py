"""`commands.list`: what can be typed as `/name`. Nothing here: a client's own commands stay its own."""

from msgspec import Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import READ


class ListParams(Struct, frozen=True):
    """Whatever narrows the list is accepted."""


async def _list(_: MethodCall, __: ListParams) -> object:
    return {"commands": []}


METHODS = (Method("commands.list", READ, ListParams, _list),)

"""`exec.approvals.get` and `.set`: the file of what commands agents may run. Shapes as published.

The list of what is denied, which OpenClaw's shape has not, is neither shown nor changed.
"""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import ADMIN
from openclaw_gateway.tools.exec.approvals_document import Written


class SetParams(Struct, frozen=True, rename="camel"):
    file: Written
    base_hash: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


async def _get(call: MethodCall, _: Nothing) -> object:
    """Raises Forbidden, ApprovalsUnusable."""
    return await call.gateway.operator.exec_rules.read(call.principal)


async def _set(call: MethodCall, params: SetParams) -> object:
    """Raises Forbidden, InvalidRequest, ApprovalsUnusable."""
    gateway = call.gateway
    return await gateway.operator.exec_rules.write(
        call.principal, params.file, params.base_hash, gateway.roster.ids
    )


METHODS = (
    Method("exec.approvals.get", ADMIN, Nothing, _get),
    Method("exec.approvals.set", ADMIN, SetParams, _set),
)

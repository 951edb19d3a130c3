"""`exec.approval.*`: the questions whether a command may run, and their answers.

Names and shapes are OpenClaw's (docs/gateway/protocol, "Approval families"): `list` gives an array. What
a client asks itself (`request`, `waitDecision`) is in approval_requests.
"""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.gateway.principal import APPROVALS
from openclaw_gateway.wire.approvals import Decision


class GetParams(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=256)]


class ResolveParams(Struct, frozen=True):
    id: Annotated[str, Meta(min_length=1, max_length=256)]
    decision: Decision


async def _list(call: MethodCall, _: Nothing) -> object:
    return call.gateway.approvals.open(call.principal)


async def _get(call: MethodCall, params: GetParams) -> object:
    asked = call.gateway.approvals.find(call.principal, params.id)
    return {
        "id": asked.id,
        "commandText": asked.request.command,
        "commandPreview": None,
        "allowedDecisions": asked.request.allowed_decisions,
        "host": asked.request.host,
        "nodeId": None,
        "agentId": asked.request.agent_id,
        "expiresAtMs": asked.expires_at_ms,
    }


async def _resolve(call: MethodCall, params: ResolveParams) -> object:
    settled = call.gateway.approvals.answer(call.principal, params.id, params.decision, call.client)
    return {"ok": True, "decision": settled.decision, "resolvedBy": settled.by}


METHODS = (
    Method("exec.approval.list", APPROVALS, Nothing, _list),
    Method("exec.approval.get", APPROVALS, GetParams, _get),
    Method("exec.approval.resolve", APPROVALS, ResolveParams, _resolve),
)

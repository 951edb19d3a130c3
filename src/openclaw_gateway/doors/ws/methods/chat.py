"""`chat.abort`: stop what runs, by session or by run, whichever door started it."""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.routing import Ask


class AbortParams(Struct, frozen=True, rename="camel"):
    """With a run id only that run; the session key then need not be given."""

    session_key: Annotated[str, Meta(max_length=512)] | None = None
    run_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None


async def _abort(call: MethodCall, params: AbortParams) -> object:
    gateway = call.gateway
    if params.run_id is not None:
        aborted = await gateway.abort(call.principal, params.run_id)
        run_ids: tuple[str, ...] = (params.run_id,) if aborted else ()
    elif params.session_key is not None and params.session_key.strip():
        route = gateway.route(Ask(session_key=params.session_key))
        run_ids = await gateway.abort_session(call.principal, route.session_key or "")
    else:
        raise InvalidRequest(
            "invalid chat.abort params: must have required property 'sessionKey' or 'runId'",
            code="invalid_params",
            param="sessionKey",
        )
    return {"ok": True, "aborted": bool(run_ids), "runIds": run_ids}


METHODS = (Method("chat.abort", WRITE, AbortParams, _abort),)

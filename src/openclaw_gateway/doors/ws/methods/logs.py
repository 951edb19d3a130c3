"""`logs.tail`: the newest lines of the gateway's log, and those behind a cursor. Shapes as published."""

from typing import Annotated

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.gateway.principal import READ

_LINES, _BYTES = 500, 250_000


class TailParams(Struct, frozen=True, rename="camel"):
    cursor: Annotated[int, Meta(ge=0)] | None = None
    limit: Annotated[int, Meta(ge=1, le=5_000)] = _LINES
    max_bytes: Annotated[int, Meta(ge=1, le=1_000_000)] = _BYTES


async def _tail(call: MethodCall, params: TailParams) -> object:
    """Raises LogMissing."""
    name, piece = await call.gateway.operator.log.tail(
        call.principal, after=params.cursor, most_lines=params.limit, most_bytes=params.max_bytes
    )
    return {
        "file": name,
        "cursor": piece.cursor,
        "size": piece.size,
        "lines": piece.lines,
        "truncated": piece.truncated,
        "reset": piece.is_reset,
    }


METHODS = (Method("logs.tail", READ, TailParams, _tail),)

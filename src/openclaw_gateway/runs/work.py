"""A request as it is written down for another process to execute, and read there. Pure.

What stands here may be read by the release before and the one after: fields are added, with a default, and
none changes its meaning.
"""

from typing import Final

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from openclaw_gateway.errors import StoreError
from openclaw_gateway.logs.asked import NOBODY, Asked
from openclaw_gateway.wire.run import RunRequest


class RunWork(Struct, frozen=True, omit_defaults=True):
    """`detached` is the request's; `asked` who led to it, for the log; `created_ms` the run's, Unix
    milliseconds."""

    request: RunRequest
    detached: Raw | UnsetType = UNSET
    asked: Asked = NOBODY
    created_ms: int = 0


_work: Final = msgspec.json.Decoder(RunWork)


def written(request: RunRequest, asked: Asked, created_ms: int) -> bytes:
    detached = UNSET if request.detached is None else request.detached
    return msgspec.json.encode(RunWork(replace(request, detached=None), detached, asked, created_ms))


def read(body: bytes) -> RunWork:
    """What was written, with a whole request. Raises StoreError (code "store_corrupt")."""
    try:
        work = _work.decode(body)
    except msgspec.MsgspecError:
        raise StoreError(
            "What another process has written down of this run cannot be read: ask again.",
            code="store_corrupt",
        ) from None
    if isinstance(work.detached, UnsetType):
        return work
    return replace(work, request=replace(work.request, detached=work.detached))

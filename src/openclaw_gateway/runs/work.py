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
    """`detached` is the request's; `asked` who led to it, for the log."""

    request: RunRequest
    detached: Raw | UnsetType = UNSET
    asked: Asked = NOBODY


_work: Final = msgspec.json.Decoder(RunWork)


def written(request: RunRequest, asked: Asked) -> bytes:
    detached = UNSET if request.detached is None else request.detached
    return msgspec.json.encode(RunWork(replace(request, detached=None), detached, asked))


def read(body: bytes) -> tuple[RunRequest, Asked]:
    """Raises StoreError (code "store_corrupt")."""
    try:
        work = _work.decode(body)
    except msgspec.MsgspecError:
        raise StoreError(
            "What another process has written down of this run cannot be read: ask again.",
            code="store_corrupt",
        ) from None
    request = work.request
    if not isinstance(work.detached, UnsetType):
        request = replace(request, detached=work.detached)
    return request, work.asked

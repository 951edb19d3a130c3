"""What an endpoint declares of itself: each path and method, what is sent there, what is answered, and how it
may be refused. `openapi` makes the document of it, tests hold the endpoint to it. Says nothing at requests.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.doors.openai.chunks import ErrorObject
from openclaw_gateway.errors import (
    PROVIDER_REASONS,
    ConfigError,
    Forbidden,
    GatewayError,
    HeadersTooLarge,
    InvalidRequest,
    MethodNotAllowed,
    Misdirected,
    NotFound,
    Overloaded,
    ProviderError,
    RateLimited,
    RequestTimeout,
    ShuttingDown,
    StartupError,
    Unauthorized,
    UnsupportedTransfer,
    UriTooLong,
)
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE

Refusals = tuple[type[GatewayError], ...]
_VARIABLE = re.compile(r"\{\w+\}")


class Sent(Struct, frozen=True):
    """The JSON body of a request. `read` decodes it, and is asked which fields it takes; `least` is the
    smallest that is answered: its fields are the required ones."""

    read: Callable[[Body], object]
    least: Mapping[str, Any]


class Operation(Struct, frozen=True):
    """`path` has its variables in braces. `answers` are the types of JSON by status, several in a tuple, None
    = no JSON; `events`, where the answer may be streamed, is the type of each event's data. `headers` are
    those of the request that count, with what they say, `query` the fields behind the path; `error` is what a
    refusal looks like. `scope` is what its caller must have; None = READ to look, WRITE for all else."""

    method: Literal["GET", "POST", "DELETE"]
    path: str
    summary: str
    answers: Mapping[int, Any]
    sent: Sent | None = None
    events: Any = None
    headers: Mapping[str, str] = {}
    query: Mapping[str, str] = {}
    error: Any = ErrorObject
    media_type: str = "application/json"
    scope: str | None = None


def methods_at(operations: Iterable[Operation], path: str) -> list[str]:
    """What can be done at a path, as it was sent."""
    return [each.method for each in operations if _fits(each, path)]


def scope_at(operations: Iterable[Operation], method: str, path: str) -> str:
    """What must be allowed to whoever asks this there. Where nothing is declared it is what the strictest
    operation of the method wants: nobody gets further by another spelling of a path."""
    wanted = "GET" if method == "HEAD" else method
    usual = READ if wanted == "GET" else WRITE
    with_it = [each for each in operations if each.method == wanted]
    scopes = {each.scope or usual for each in with_it if _fits(each, path)}
    scopes = scopes or {each.scope or usual for each in with_it} or {usual}
    return next(scope for scope in (ADMIN, WRITE, READ) if scope in scopes)


def _fits(operation: Operation, path: str) -> bool:
    """A slash at the end makes no other path."""
    pattern = _VARIABLE.sub("[^/]+", operation.path) + "/?"
    return re.fullmatch(pattern, path) is not None or re.fullmatch(pattern, f"/v1{path}") is not None


def refusals_of(root: type[GatewayError]) -> Iterator[type[GatewayError]]:
    """`root` and all that are of its kind."""
    yield root
    for kind in root.__subclasses__():
        yield from refusals_of(kind)


# What may happen before any endpoint is asked.
AT_THE_DOOR: Refusals = (
    GatewayError,
    InvalidRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    UriTooLong,
    Misdirected,
    RateLimited,
    HeadersTooLarge,
    UnsupportedTransfer,
    Overloaded,
    ShuttingDown,
)
# What may happen to a request that starts a run.
OF_A_RUN: Refusals = tuple(
    kind
    for kind in refusals_of(GatewayError)
    if kind.__module__ == GatewayError.__module__ and not issubclass(kind, ConfigError | StartupError)
)


def statuses(refusals: Refusals) -> dict[int, tuple[str, ...]]:
    """Each status with the codes it may come with, lowest first."""
    found: dict[int, set[str]] = {}
    for kind in refusals:
        if issubclass(kind, ProviderError):
            for status, _, code, _ in PROVIDER_REASONS.values():
                found.setdefault(status, set()).add(code)
        else:
            found.setdefault(kind.status, set()).add(kind.default_code)
    return {status: tuple(sorted(found[status])) for status in sorted(found)}

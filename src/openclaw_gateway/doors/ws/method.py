"""What a method of the control protocol is: a name, the scope it needs, its params, its handler.

Methods are declared in methods/, one file per family, in a tuple `METHODS`. A handler sees a `MethodCall`;
it never sees a socket, a frame or a credential.
"""

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.doors.ws.protocol import read_params
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.principal import Principal
from openclaw_gateway.gateway.service import Gateway
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.decode import DecodeError
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.frames import RequestFrame

P = TypeVar("P", bound=Struct)
P_contra = TypeVar("P_contra", contravariant=True)


class Nothing(Struct, frozen=True):
    """Params of a method that takes none; whatever is sent is not used."""


ANSWERED = object()
"""What a handler returns whose `reply` was its one answer."""


class RunFailed(Exception):
    """A run ended without an answer; the last frame of `agent` says how."""

    def __init__(self, run_id: str, error: ErrorInfo) -> None:
        super().__init__(error.message)
        self.run_id = run_id
        self.error = error


class MethodCall(Protocol):
    """One request of a client that is connected."""

    @property
    def gateway(self) -> Gateway: ...

    @property
    def principal(self) -> Principal: ...

    @property
    def client(self) -> str:
        """What the client calls itself; nothing is decided by it."""

    async def reply(self, payload: object) -> None:
        """Send an answer before the last one, which is what the handler returns; ANSWERED = none."""

    def events_after(self, key: str) -> AbstractContextManager[None]:
        """This client hears of the run with this id or idempotency key only after the block: first its reply,
        then the events."""

    def follow(self, run: Run) -> None:
        """Send this client the events of a live run, from its beginning, unless it gets them already."""

    def follows(self, run: Run) -> bool:
        """Whether this client is being sent the events of a run."""

    def resume(self, run: Run, behind: int) -> None:
        """Send this client the events of a run, which may have ended, behind the one with that number, unless
        it gets them already."""

    def subscribe(self, session: str | None = None) -> None:
        """From now on send this client the events of a session's runs; None = of all the caller's, and which
        sessions change. Raises Overloaded."""

    def unsubscribe(self, session: str | None = None) -> None: ...

    def watch(self) -> None:
        """From now on tell this client when the caller's connections or the gateway's health change."""

    async def delivered(self, run: Run) -> None:
        """Wait until the events of an ended run have been sent to this client."""


class Handler(Protocol[P_contra]):
    def __call__(self, call: MethodCall, params: P_contra, /) -> Awaitable[object]: ...


class Method(Generic[P]):
    def __init__(self, name: str, scope: str, params: type[P], handle: Handler[P]) -> None:
        self.name = name
        self.scope = scope
        self._decoder = msgspec.json.Decoder(params)
        self._handle = handle

    def bind(self, frame: RequestFrame) -> Callable[[MethodCall], Awaitable[object]]:
        """The handler with the frame's params. Raises InvalidRequest."""
        try:
            params: P = read_params(self._decoder, frame)
        except DecodeError as error:
            raise InvalidRequest(
                f"invalid {self.name} params: {error}", code="invalid_params", param=error.path or None
            ) from None
        return lambda call: self._handle(call, params)

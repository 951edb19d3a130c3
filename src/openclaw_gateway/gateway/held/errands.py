"""What the holder of a session has done to it in its turn: a note written, the older part summarised.

Each is a run of that session, so that it waits for those before it; what another owner has is not found.
"""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.held.sessions import HeldSessions
from openclaw_gateway.gateway.principal import ADMIN, Principal
from openclaw_gateway.gateway.requests import Question, run_request
from openclaw_gateway.gateway.routing import Route
from openclaw_gateway.runs.run import Run
from openclaw_gateway.wire.run import Compact, Door, Errand, Note, RunRequest, RunResult

Start = Callable[[Principal, RunRequest], Awaitable[Run]]


class Done(Struct, frozen=True):
    """The run that an errand was, and its result."""

    run: Run
    result: RunResult


class SessionErrands:
    """`start` begins a run of a principal's."""

    def __init__(self, start: Start, sessions: HeldSessions) -> None:
        self._start = start
        self._sessions = sessions

    async def note(self, principal: Principal, door: Door, route: Route, text: str) -> Done:
        """Write a note of the assistant's; on disk when this returns without an error in the result. Raises
        NotFound, SessionBusy, Overloaded, StoreError."""
        return await self._do(principal, door, route, Note(text))

    async def compact(self, principal: Principal, door: Door, route: Route) -> Done:
        """Summarise the older part now. Raises NotFound, AgentUnavailable, SessionBusy, Overloaded,
        StoreError."""
        return await self._do(principal, door, route, Compact())

    async def _do(self, principal: Principal, door: Door, route: Route, errand: Errand) -> Done:
        principal.require(ADMIN)
        key = route.session_key or ""
        if await self._sessions.find(principal, key) is None:
            raise NotFound("There is no such session: see sessions.list.", param="sessionKey")
        run = await self._start(principal, run_request(principal, door, route, Question((), errand=errand)))
        return Done(run, await run.wait())

"""Answers that nobody waits for: each is noted at its start, so that whoever asks for it later hears what
became of it, and be it that the gateway was stopped meanwhile.

What a finished one says is kept elsewhere (`runs/kept`); here is what is known of the others.
"""

from msgspec import Raw, Struct

from openclaw_gateway.gateway.idempotency import may_go_on
from openclaw_gateway.runs.live import LiveRuns
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import Store
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus


class Noted(Struct, frozen=True):
    """`about` is what the door wants to know of it, as JSON; the time is Unix milliseconds."""

    about: Raw
    created_ms: int
    status: RunStatus
    error: ErrorInfo | None = None


class Background:
    def __init__(self, live: LiveRuns, store: Store) -> None:
        self._live = live
        self._store = store

    async def note(self, run: Run, about: Raw) -> None:
        """Raises StoreError."""
        # A repeat of the request has the same run, and may come at the same time: the first note stands.
        await self._store.keep(run.request.origin.owner, _name(run.id), bytes(about))

    async def noted(self, owner: str, run_id: str) -> Noted | None:
        """Raises StoreError."""
        about = await self._store.kept(owner, _name(run_id))
        if about is None:
            return None
        run = self._live.find(run_id)
        if run is not None and not may_go_on(run):
            return Noted(Raw(about), run.created_ms, *_state(run))
        record = await self._store.get_run(owner, run_id)
        if record is None and run is not None:
            return Noted(Raw(about), run.created_ms, *_state(run))
        if record is None:
            return Noted(Raw(about), 0, "interrupted")
        # One that is open is at work in another process.
        return Noted(Raw(about), record.created_ms, record.status, record.error)

    async def forget(self, owner: str, run_id: str) -> bool:
        """False when it was not noted. Raises StoreError."""
        return await self._store.forget(owner, _name(run_id))


def _state(run: Run) -> tuple[RunStatus, ErrorInfo | None]:
    if run.result is not None:
        return run.result.status, run.result.error
    if run.abort_reason is not None:
        return "aborted", None
    return ("running" if run.emitted else "queued"), None


def _name(run_id: str) -> str:
    return f"background:{run_id}"

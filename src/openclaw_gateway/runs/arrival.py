"""A run as it comes to the store: what is written of it, and what its client is told when it may not come.

Pure. The same for a run that waits for its turn here and for one that is given to another process.
"""

from openclaw_gateway.errors import GatewayError, SessionBusy, StoreError
from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.work import written
from openclaw_gateway.sessions.store import NewRun, RunRecord


def at_work() -> SessionBusy:
    """What a request gets that would not wait."""
    busy = SessionBusy(
        "This session is at work on another request, and yours said that it would not wait "
        "(x-openclaw-queue: reject). Send it again later, or say wait or interrupt."
    )
    # Its client has said what it wants instead of waiting; an SDK would ask again by itself.
    busy.retryable = False
    return busy


class Repeated(GatewayError):
    """The owner has used this idempotency key for a run whose answer is kept, or which is still going on."""

    status = 409
    type = "invalid_request_error"
    default_code = "duplicate_run"

    def __init__(self, run: RunRecord) -> None:
        super().__init__(
            f"This idempotency key was already used by run {run.id}, which is {run.status}. Use a new "
            "key for a new message."
        )
        self.run = run


def may_have_begun(error: BaseException) -> bool:
    """Whether a `begin` that raised this may have been carried out, and only the answer been lost. A taken id
    is somebody else's run."""
    if isinstance(error, StoreError):
        return error.code != "run_id_taken"
    return not isinstance(error, GatewayError)


def new_run(run: Run, session: str | None, *, shared: bool = False, given: bool = False) -> NewRun:
    """As it is recorded; one that is `shared`, or `given` away, with all that another process needs."""
    request, origin = run.request, run.request.origin
    work = written(request, run.asked, run.created_ms) if shared or given else None
    return NewRun(
        run.id,
        origin.owner,
        session,
        request.agent_id,
        user=origin.user,
        parent=origin.parent,
        idempotency=request.idempotency,
        work=work,
        given=given,
        created_ms=run.created_ms,
    )

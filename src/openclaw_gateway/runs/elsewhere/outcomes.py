"""How a run that another process executes ends for its clients here. Pure."""

import msgspec

from openclaw_gateway.errors import GatewayError, Overloaded, RunAborted, RunCutShort
from openclaw_gateway.runs.elsewhere.taken_back import WAITS_NO_MORE
from openclaw_gateway.runs.run import (
    BY_REQUEST,
    CLIENT_LEFT,
    HANDED_OVER,
    LEASE_ENDS,
    SHUTTING_DOWN,
    TAKEN_OVER,
    UNASKED,
    UNDELIVERED,
    Run,
)
from openclaw_gateway.wire.error_info import after_tools, error_info
from openclaw_gateway.wire.run import RunResult, RunStatus

# What the store says of a run that another process has: of one at work, and of one that waits.
_ELSEWHERE = WAITS_NO_MORE | {"fenced"}
_STOPPED = frozenset({CLIENT_LEFT, UNDELIVERED, SHUTTING_DOWN})
_ITS_LOSS = frozenset({TAKEN_OVER, LEASE_ENDS})


def is_final(run: Run, result: RunResult) -> bool:
    """Whether a repeat of the request gets this result; what else is kept of it, the store has."""
    if result.status == "completed":
        return True
    return result.status == "aborted" and is_asked(run)


def is_asked(run: Run) -> bool:
    """Whether somebody has asked here for its end."""
    return run.abort_reason is not None and run.abort_reason not in UNASKED


def was_taken_over(run: Run, ended: RunResult) -> bool:
    """Whether another process may have the run now: this one was away for longer than it was its own. One
    that was taken up here has its clients elsewhere, and of one that was refused they know."""
    if run.begun is not None or run.parent is not None or run.refused or ended.error is None:
        return False
    return has_taken_over(run, ended) or _may_have(run)


def has_taken_over(run: Run, ended: RunResult) -> bool:
    """Whether another process has it for certain."""
    return run.abort_reason == TAKEN_OVER or (ended.error is not None and ended.error.code in _ELSEWHERE)


def _may_have(run: Run) -> bool:
    """Whether one without a session was stopped because another may have it, and the store has not said."""
    return run.is_lost and run.abort_reason == LEASE_ENDS and run.request.session_key is None


def holds_there(run: Run, ended: RunResult) -> str | None:
    """Why one that was taken over was to end here, where that is a reason there too: nobody wants it any
    more, or this process does not wait for it. Of one that waited, who has it knows already."""
    if run.abort_reason in _ITS_LOSS or (ended.error is not None and ended.error.code in WAITS_NO_MORE):
        return None
    return run.abort_reason


def goes_on_there(run: Run) -> bool:
    """Whether one that ends here goes on where it is executed: who follows and leaves stops nothing, because
    others may wait for it, and neither does a process that goes and has nobody here who waits."""
    if run.is_followed and run.abort_reason in _STOPPED:
        return True
    return run.abort_reason == HANDED_OVER


def internal() -> RunResult:
    return failed(GatewayError("The run failed inside the gateway. The operator finds the cause in its log."))


def nobody() -> Overloaded:
    return Overloaded(
        "No worker of this gateway is running, so nothing was done. Its operator starts one "
        "(`openclaw gateway run --role worker`); try again then.",
        code="no_worker",
        retry_after=5,
    )


def because(run: Run, why: GatewayError | None, result: RunResult) -> RunResult:
    """How it ended, where it was this process that had it stopped: its executor knows no more than that."""
    if why is None or result.status != "aborted":
        return result
    info = error_info(why)
    if result.called or run.request.invocation is not None:
        info = after_tools(info)
    return msgspec.structs.replace(result, status=_status(why), error=info)


def unsaid(run: Run, status: RunStatus) -> GatewayError:
    """Why a run has no answer of which the store knows only how it ended."""
    if status == "aborted":
        return RunAborted(f"The run was aborted: {run.abort_reason or BY_REQUEST}.")
    return RunCutShort(
        "The machine that had this run could not record or answer it. Send the request again.", retry_after=1
    )


def failed(error: GatewayError) -> RunResult:
    return RunResult(_status(error), error=error_info(error))


def _status(error: GatewayError) -> RunStatus:
    return "aborted" if isinstance(error, RunAborted) else "failed"

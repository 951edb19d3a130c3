"""What a client is told of a run that was stopped: by its limit, by a wish, or because this process goes.

Pure. The same whichever process executes it.
"""

from openclaw_gateway.errors import GatewayError, RunAborted, RunCutShort, RunTimeout, StoreError
from openclaw_gateway.runs.run import HANDED_OVER, LEASE_ENDS, SHUTTING_DOWN, TAKEN_OVER, Run


def why_stopped(run: Run) -> GatewayError:
    if run.abort_reason == HANDED_OVER:
        return RunCutShort(
            "The gateway is shutting down; another process goes on with this run. Read its session's "
            "transcript, or ask for the run again under its name."
        )
    if run.abort_reason == SHUTTING_DOWN:
        return RunCutShort(
            "The gateway is shutting down and had to stop this run. Try again in a few seconds.",
            retry_after=5,
        )
    if run.abort_reason == TAKEN_OVER:
        # Where it is known what the other process has made of it, that is told instead.
        return RunCutShort(
            "Another process has taken over this run, because this one was away for too long: send the "
            "request again.",
            code="fenced",
            retry_after=1,
        )
    if run.abort_reason == LEASE_ENDS:
        return StoreError(
            "The session store did not answer for so long that this run had to be stopped, because another "
            "process may have it by now: send the request again.",
            retry_after=1,
        )
    if run.abort_reason is not None:
        return RunAborted(f"The run was aborted: {run.abort_reason}.")
    return RunTimeout(
        "The run took longer than its limit and was stopped. Raise agents.defaults.timeoutSeconds "
        "(or the request's timeout) if it should have more time."
    )

"""What a client is told of a run that was stopped: by its limit, by a wish, or because this process goes.

Pure. The same whichever process executes it.
"""

from msgspec.structs import replace

from openclaw_gateway.errors import GatewayError, RunAborted, RunCutShort, RunTimeout
from openclaw_gateway.runs.run import HANDED_OVER, SHUTTING_DOWN, Run
from openclaw_gateway.wire.error_info import ErrorInfo

_USED_TOOLS = "The agent had already used tools: see what they did before you ask again."


def after_tools(info: ErrorInfo) -> ErrorInfo:
    """What the tools did is done: the same request once more would do it again."""
    return replace(info, message=f"{info.message} {_USED_TOOLS}", retryable=False, retry_after=None)


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
    if run.abort_reason is not None:
        return RunAborted(f"The run was aborted: {run.abort_reason}.")
    return RunTimeout(
        "The run took longer than its limit and was stopped. Raise agents.defaults.timeoutSeconds "
        "(or the request's timeout) if it should have more time."
    )

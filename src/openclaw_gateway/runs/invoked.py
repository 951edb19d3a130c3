"""A call of an agent's tool that a client makes itself: a run in which no model is asked.

The same tools as in any other run of this agent, for the same origin: policy, sandbox, approvals and
deadlines are where they always are. Each leaves a line in the log.
"""

import time

import structlog

from openclaw_gateway.runs.run import Run
from openclaw_gateway.runs.tool_calls import execute
from openclaw_gateway.wire.messages import ToolMessage
from openclaw_gateway.wire.run import Invocation, RunResult

log = structlog.get_logger()

_SHOWN = "\n[images that belong to it: {}; they are not sent here]"


async def invoked(run: Run, invocation: Invocation) -> RunResult:
    request, call = run.request, invocation.call
    started = time.monotonic()
    toolbox = run.plan.equipment.toolbox(request.origin, invocation.session_key)
    # What a first run makes ready, its tools need too: the workspace.
    await run.plan.equipment.system(toolbox, "", continuation=False)
    with run.at_tools():
        (message,) = await execute(run, (call,), toolbox, _unheard, model="")
    log.info(
        "tool.invoked",
        request=run.asked.request,
        run=run.id,
        agent=request.agent_id,
        tool=call.name,
        session=invocation.session_key,
        is_error=message.is_error,
        ms=int((time.monotonic() - started) * 1000),
    )
    shown = _SHOWN.format(len(message.images)) if message.images else ""
    return RunResult(
        "completed",
        message.content + shown,
        finish_reason="stop",
        is_error=message.is_error,
        called=1,
        cost=0.0,
    )


def _unheard(message: ToolMessage) -> None:
    pass

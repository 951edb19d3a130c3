"""Steering: a message that waits for its session is taken up by the run that is at work there.

Pure. Which run may take up which message, and how the one whose message was taken up ends: as the other does,
with no answer of its own. Knows no lane and no store.
"""

from collections.abc import Sequence

import msgspec

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs.rounds import check_senses
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import Taken
from openclaw_gateway.wire.messages import Message, UserMessage
from openclaw_gateway.wire.run import KeptResult, Origin, RunResult, Sampling


def may_end(mine: Origin, theirs: Origin) -> bool:
    """The operator may end whatever is at work in his sessions, others what the same person asked for."""
    return mine.audience == "operator" or (mine.audience, mine.user) == (theirs.audience, theirs.user)


def may_take_up(run: Run, waiting: Run) -> bool:
    """Whether a run at work is to answer the message of one that waits for its session.

    A client of the HTTP door resends what it saw, and it has not seen such a message: its runs take up none.
    Whoever says how hard it is to be thought about is answered so. What the one at work may do is done in the
    name of who is heard: so nobody is who could not end it.
    """
    asked = waiting.request
    if run.abort_reason is not None or run.request.origin.door == "http":
        return False
    if asked.queue != "steer" or waiting.abort_reason is not None or waiting.taken_by is not None:
        return False
    if run.request.agent_id != asked.agent_id or asked.sampling not in (Sampling(), run.request.sampling):
        return False
    if asked.errand is not None or len(asked.messages) != 1 or not isinstance(asked.messages[0], UserMessage):
        return False
    try:
        check_senses(run.plan.target, asked.messages)
    except InvalidRequest:
        return False
    return may_end(asked.origin, run.request.origin)


def taken_result(by: Run, result: RunResult) -> RunResult:
    """How a run ends whose message `by` has taken up, which ended with `result`. Tokens count once."""
    return RunResult(result.status, error=result.error, cost=0.0, taken_by=by.shown_id)


def taken_with(by: Run, result: RunResult, turn: Sequence[Message]) -> tuple[Taken, ...]:
    """What is recorded of the runs whose messages `by` has taken up, with its own end."""
    places = {id(message): place for place, message in enumerate(turn)}
    told = taken_result(by, result)
    return tuple(
        Taken(
            run.id,
            places.get(id(message)),
            kept_result(run, told) if by.keeps_answer and run.request.idempotency else None,
        )
        for run, message in by.taken
    )


def kept_result(run: Run, result: RunResult) -> bytes:
    """A result as it is kept for who repeats the request."""
    if run.request.detached is None:
        return msgspec.json.encode(result)
    fields = {name: getattr(result, name) for name in result.__struct_fields__}
    return msgspec.json.encode(KeptResult(**fields, detached=run.request.detached))

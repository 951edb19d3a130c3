"""What is done to a session in its turn instead of an answer: a note is written, the older part summarised.

An errand is a run like any other: it waits in the lane, ends by an abort or a deadline, and has its row in
the ledger. Knows no door.
"""

from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.context.keeper import ContextKeeper
from openclaw_gateway.runs.context.size import awaits_results
from openclaw_gateway.runs.memory import Memory
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.store import Claimed
from openclaw_gateway.wire.run import Errand, Note, RunResult


class Errands:
    def __init__(self, memory: Memory, contexts: ContextKeeper) -> None:
        self._memory = memory
        self._contexts = contexts

    async def do(self, run: Run, errand: Errand, claimed: Claimed, answer: Answer) -> RunResult:
        """What is to be recorded stands in `answer`. The text of a result is the note, or the summary: "" =
        there was nothing to be summarised.

        Raises InvalidRequest (tool_results_awaited), ProviderError, StoreError; TimeoutError at an abort."""
        transcript = await self._memory.transcript(claimed)
        if isinstance(errand, Note):
            if awaits_results(transcript.entries):
                raise InvalidRequest(
                    "The conversation waits for the results of tools that its client executes: nothing is "
                    "written between a call and its result. Try again when they are there.",
                    code="tool_results_awaited",
                )
            # Nobody is told of it before it is on disk: its end is all that is told.
            answer.note(errand.text)
            text = errand.text
        else:
            with run.interruptible():
                text = await self._contexts.compact_now(
                    run.plan.targets,
                    lambda events: run.emit(answer.take(events, run.emitted)),
                    claimed.claim,
                    transcript,
                )
        return RunResult(
            "completed",
            text,
            finish_reason="stop",
            usage=answer.usage,
            model=answer.model,
            cost=answer.bill.cost,
        )

"""The one code path: from an accepted request to a recorded turn.

enter the lane -> started -> (model call -> tool calls)* -> record the turn -> ended. Whatever happens on
the way, a run ends exactly once, and with a session its turn is on disk before anybody hears of the end.
Everything that may take long is awaited inside `run.interruptible()`; the store is not, because what it
was asked to record must not be half recorded. Knows no door.
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from openclaw_gateway.errors import Fenced, GatewayError, RunAborted, StoreError
from openclaw_gateway.runs.answer import Answer
from openclaw_gateway.runs.errands import Errands
from openclaw_gateway.runs.invoked import invoked
from openclaw_gateway.runs.kept import KeptAnswers
from openclaw_gateway.runs.lanes import Lanes
from openclaw_gateway.runs.memory import Memory, Recalled
from openclaw_gateway.runs.rounds import Rounds
from openclaw_gateway.runs.run import HANDED_OVER, LEASE_ENDS, TAKEN_OVER, UNASKED, Run, now_ms
from openclaw_gateway.runs.shown import Shown
from openclaw_gateway.runs.steering import kept_result, taken_with
from openclaw_gateway.runs.stopped import why_stopped
from openclaw_gateway.sessions.store import Claim, Claimed, Ending
from openclaw_gateway.sessions.transcript import turn_for
from openclaw_gateway.wire.error_info import after_tools, error_info
from openclaw_gateway.wire.events import RunStarted
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import ClientTools, Invocation, NamedTool, RunResult, RunStatus
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()
GoesOn = Callable[[Run, RunResult], Awaitable[RunResult]]
_NOTHING = Recalled((), ())


class RunLoop:
    """Executes runs. `execute` is the body of a run's own task and never raises but for cancellation.
    `goes_on` gives how one ends that another process has taken over; how it ended here, of any other."""

    def __init__(
        self,
        lanes: Lanes,
        memory: Memory,
        rounds: Rounds,
        kept: KeptAnswers,
        shown: Shown,
        *,
        goes_on: GoesOn | None = None,
    ) -> None:
        self._lanes = lanes
        self._memory = memory
        self._rounds = rounds
        self._kept = kept
        self._goes_on = goes_on
        self._shown = shown
        self._errands = Errands(memory, rounds.contexts)
        # Bound: the one that is not looks itself up for each line.
        self._log = log.bind()

    async def execute(self, run: Run) -> None:
        result: RunResult | None = None
        try:
            result = await self._result_of(run)
            if self._goes_on is not None and result.error is not None:
                result = await self._goes_on(run, result)
        except (Exception, asyncio.CancelledError) as error:
            _reraise_if_meant(error)
            log.exception("run.crashed", request=run.asked.request, run=run.id)
        finally:
            # Before another word is said: who waits must not wait for a log line.
            result = result or _failed(Answer(), _internal())
            run.end(result)
        # What failed is looked for, also by who reads nothing below warnings.
        say = self._log.warning if result.status == "failed" else self._log.info
        say(
            "run.ended",
            request=run.asked.request,
            run=run.id,
            agent=run.request.agent_id,
            session=run.request.session_key,
            door=run.request.origin.door,
            peer=run.asked.peer,
            user=run.request.origin.user,
            status=result.status,
            ms=run.elapsed_ms(),
            model=result.model or None,
            tokens=result.usage.total_tokens,
            code=result.error.code if result.error else None,
        )

    def give_up(self, run: Run) -> None:
        """The end of a run whose task could not reach it; one that has ended stays as it is."""
        if run.result is None:
            run.end(_failed(Answer(), why_stopped(run) if run.abort_reason else _internal()))

    def _result_of(self, run: Run) -> Awaitable[RunResult]:
        if run.unsupported:
            log.info(
                "run.ignored_params",
                request=run.asked.request,
                run=run.id,
                agent=run.request.agent_id,
                params=run.unsupported,
            )
        if run.request.task is not None:
            log.info(
                "run.housekeeping",
                request=run.asked.request,
                run=run.id,
                agent=run.request.agent_id,
                task=run.request.task,
            )
        session = run.request.session_key
        if session is not None:
            return self._in_session(run, session)
        is_recorded = run.request.idempotency is not None or run.begun is not None
        return self._recorded(run) if is_recorded else self._answered(run)

    async def _recorded(self, run: Run) -> RunResult:
        """Without a session, but its client may ask for it again."""
        try:
            await self._lanes.record(run)
        except GatewayError as error:
            run.refuse(error)
            return _failed(Answer(), error)
        result: RunResult | None = None
        try:
            result = await self._answered(run)
        finally:
            ended = _failed(Answer(), _internal()) if result is None else result
            # One that was handed over is nobody's, and not to end before another has taken it up; but what
            # was done meanwhile need not be done again.
            if run.abort_reason != HANDED_OVER or ended.error is None:
                ended = await self._concluded(run, ended)
        return ended

    async def _concluded(self, run: Run, result: RunResult) -> RunResult:
        """The result, which is another one where another process has had the run since."""
        run.is_ending = True
        try:
            is_recorded = await self._lanes.conclude(run, _ending(run, result))
        except Fenced as error:
            # What was done before anybody said so is not what was recorded.
            is_said = run.abort_reason == TAKEN_OVER and result.error is not None
            return result if is_said else _lost(run, None, result, error)
        if not is_recorded and run.abort_reason == LEASE_ENDS and result.error is not None:
            # Another may have begun it anew: nobody is told how it ended here who may hear that one.
            run.is_lost = True
        return result

    async def _answered(self, run: Run) -> RunResult:
        if run.request.invocation is not None:
            return await self._invoked(run, run.request.invocation)
        answer = _answer_of(run)
        result, _ = await self._converse(run, None, answer)
        if result.tool_calls:
            ids = (call.id for call in result.tool_calls)
            await self._memory.held.keep(run.request, ids, answer.messages)
        return await self._keeping(run, answer, result)

    async def _invoked(self, run: Run, invocation: Invocation) -> RunResult:
        answer = Answer()
        # Where it was stopped it may have done something.
        answer.has_used_tools = True
        try:
            run.emit((RunStarted(run.id, run.request.agent_id, run.request.session_key, now_ms()),))
            with run.interruptible():
                result = await invoked(run, invocation)
        except TimeoutError:
            result = _failed(answer, why_stopped(run))
        run.keeps_answer = _is_final(run, answer, result)
        return result

    async def _in_session(self, run: Run, session: str) -> RunResult:
        try:
            return await self._in_lane(run, session)
        finally:
            await self._lanes.let_go(run)

    async def _in_lane(self, run: Run, session: str) -> RunResult:
        try:
            claimed = await self._lanes.enter(run, session)
            if claimed is None:
                return await self._lanes.taken_up(run)
        except TimeoutError:
            stopped = _failed(Answer(), why_stopped(run))
            run.keeps_answer = _is_final(run, Answer(), stopped)
            return stopped
        except GatewayError as error:
            run.refuse(error)
            return _failed(Answer(), error)
        answer = Answer()
        turn: tuple[Message, ...] = ()
        result: RunResult | None = None
        recalled = _NOTHING
        try:
            answer = _answer_of(run)
            result, recalled = await self._converse(run, claimed, answer)
            # Before the turn: what is recorded as the answer to a name must be one that is kept.
            result = await self._keeping(run, answer, result)
            turn = turn_for(result.status, recalled.new, await self._said(run, answer, result.status))
        except (Exception, asyncio.CancelledError) as error:
            turn, result = (), None
            _reraise_if_meant(error)
            log.exception("run.crashed", request=run.asked.request, run=run.id)
        finally:
            # Whatever raises, also the log: the lane is left, or nobody would ever have a turn again.
            result = result or _failed(answer, _internal())
            ending = _ending(run, result, turn, recalled)
            result = await self._left(run, claimed.claim, ending, result)
        return result

    async def _keeping(self, run: Run, answer: Answer, result: RunResult) -> RunResult:
        """The result, which is another one when an answer that is to be kept could not be."""
        if run.request.keep is None or result.status != "completed":
            return result
        try:
            await self._kept.keep(run, answer.messages, result)
        except StoreError as error:
            log.warning("run.not_kept", request=run.asked.request, run=run.id, error=error.message)
            result = _failed(answer, error)
            run.keeps_answer = _is_final(run, answer, result)
        return result

    async def _left(self, run: Run, claim: Claim, ending: Ending, result: RunResult) -> RunResult:
        """The result, which is another one when the turn could not be recorded."""
        try:
            await self._lanes.leave(run, claim, ending)
        except StoreError as error:
            return _lost(run, claim.session, result, error)
        return result

    async def _converse(
        self, run: Run, claimed: Claimed | None, answer: Answer
    ) -> tuple[RunResult, Recalled]:
        """(the result, what the run continued); whatever goes wrong is a result."""
        result, recalled = await self._said_and_done(run, claimed, answer)
        run.keeps_answer = _is_final(run, answer, result)
        return result, recalled

    async def _said_and_done(
        self, run: Run, claimed: Claimed | None, answer: Answer
    ) -> tuple[RunResult, Recalled]:
        recalled = _NOTHING
        try:
            run.emit((RunStarted(run.id, run.request.agent_id, run.request.session_key, now_ms()),))
            if claimed is not None and run.request.errand is not None:
                return await self._errands.do(run, run.request.errand, claimed, answer), recalled
            if claimed is None:
                recalled = await self._memory.stateless(run.request)
            else:
                recalled = await self._memory.recall(run.request, claimed)
            with run.interruptible():
                finish_reason = await self._rounds.play(run, answer, recalled, self._lanes.heard)
        except TimeoutError:
            return _failed(answer, why_stopped(run)), recalled
        except GatewayError as error:
            return _failed(answer, error), recalled
        except (Exception, asyncio.CancelledError) as error:
            _reraise_if_meant(error)
            log.exception("run.crashed", request=run.asked.request, run=run.id)
            return _failed(answer, _internal()), recalled
        result = RunResult(
            "completed",
            answer.text,
            answer.reasoning,
            finish_reason,
            answer.usage,
            tool_calls=answer.tool_calls,
            model=answer.model,
            called=answer.called,
            cost=answer.bill.cost,
            completed_ms=now_ms(),
        )
        return result, recalled

    async def _said(self, run: Run, answer: Answer, status: RunStatus) -> tuple[Message, ...]:
        """What of the answer belongs to the turn: of an aborted run, what has reached a client."""
        if status != "aborted":
            return answer.messages
        return answer.delivered(await self._shown.of(run))


def _lost(run: Run, session: str | None, result: RunResult, error: StoreError) -> RunResult:
    """What a run has come to whose end could not be recorded."""
    run.keeps_answer = False
    run.is_lost = True
    log.warning(
        "run.not_recorded", request=run.asked.request, run=run.id, session=session, error=error.message
    )
    return msgspec.structs.replace(result, status="failed", error=error_info(error))


def _reraise_if_meant(error: BaseException) -> None:
    """A cancellation of the run's own task goes on; one that leaked out of somebody's code is a fault."""
    if isinstance(error, asyncio.CancelledError) and is_being_cancelled():
        raise error


def _answer_of(run: Run) -> Answer:
    client = run.request.client_tools
    if not client.tools:
        return Answer(targets=run.plan.targets)
    return Answer(client.names, demanded=_demanded(client), targets=run.plan.targets)


def _is_final(run: Run, answer: Answer, result: RunResult) -> bool:
    """Whether a repeat of the request gets this result. Where nothing was done it may be tried again, unless
    somebody has said that it shall stop."""
    if result.status == "completed" or answer.has_used_tools:
        return True
    return result.status == "aborted" and run.abort_reason not in UNASKED


def _ending(
    run: Run, result: RunResult, turn: tuple[Message, ...] = (), recalled: Recalled = _NOTHING
) -> Ending:
    # Who has given a run away may have lost what was said of it meanwhile.
    may_be_asked = run.request.idempotency is not None or run.begun is not None or run.is_known_elsewhere
    kept = kept_result(run, result) if run.keeps_answer and may_be_asked else None
    # A run that leaves nothing changes nothing.
    keeps = recalled.keeps if turn else None
    taken = taken_with(run, result, turn) if run.taken else ()
    return Ending(result.status, result.usage, turn, result.error, kept, keeps, recalled.alone, taken)


def _demanded(client: ClientTools) -> frozenset[str]:
    match client.choice:
        case NamedTool(name=name):
            return frozenset({name})
        case "required":
            return client.names
        case "auto" | "none":
            return frozenset()


def _failed(answer: Answer, error: GatewayError) -> RunResult:
    status: RunStatus = "aborted" if isinstance(error, RunAborted) else "failed"
    info = error_info(error)
    if answer.has_used_tools:
        info = after_tools(info)
    return RunResult(
        status,
        answer.text,
        answer.reasoning,
        None,
        answer.usage,
        info,
        model=answer.model,
        called=answer.called,
        cost=answer.bill.cost,
    )


def _internal() -> GatewayError:
    return GatewayError("The run failed inside the gateway. The operator finds the cause in its log.")

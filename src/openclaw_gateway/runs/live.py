"""The runs of this process: admission, start, look-up, abort, drain.

Owns every run's task, and the hub that tells of them. A refusal is immediate. A finished run that asked
to be retained stays findable for a while, in a bounded number; the others are forgotten at once.
"""

import asyncio
from collections import OrderedDict
from contextlib import suppress

import structlog

from openclaw_gateway.errors import Overloaded, RunAborted, ToolLoop
from openclaw_gateway.runs.hub import Hub
from openclaw_gateway.runs.loop import RunLoop
from openclaw_gateway.runs.plan import Plan
from openclaw_gateway.runs.run import BY_REQUEST, CLIENT_LEFT, PARENT_ENDED, SHUTTING_DOWN, Run, now_ms
from openclaw_gateway.sessions.bus import Bus, Signal
from openclaw_gateway.wire.run import RunRequest

log = structlog.get_logger()

RECORD_S = 15.0
RETAINED_RUNS = 1_000
RETAINED_MS = 600_000


class LiveRuns:
    def __init__(self, loop: RunLoop, bus: Bus, *, max_runs: int) -> None:
        self._loop = loop
        self._bus = bus
        self.hub = Hub()
        self._max_runs = max_runs
        self._running: dict[str, tuple[Run, asyncio.Task[None]]] = {}
        self._retained: OrderedDict[str, tuple[Run, int]] = OrderedDict()
        self._draining = False
        self._deafen = bus.heed(self._signalled)

    def __len__(self) -> int:
        return len(self._running)

    @property
    def draining(self) -> bool:
        return self._draining

    async def start(self, request: RunRequest, plan: Plan) -> Run:
        """Start a run; returns once it is accepted (with a session: on disk). A key that is live or retained
        returns that run.

        Raises Overloaded, SessionBusy, StoreError; of a run that a run starts also ToolLoop, and RunAborted
        when that one has ended. A caller that is cancelled meanwhile aborts the run.
        """
        if request.idempotency_key is not None and (earlier := self.find(request.idempotency_key)):
            return earlier
        run = self._launch(request, plan)
        try:
            await run.accepted
        except asyncio.CancelledError:
            run.abort(CLIENT_LEFT)
            raise
        return run

    def find(self, run_id: str) -> Run | None:
        """The live or retained run with this id."""
        live = self._running.get(run_id)
        if live is not None:
            return live[0]
        kept = self._retained.get(run_id)
        return kept[0] if kept is not None else None

    def running(self) -> list[Run]:
        return [run for run, _ in self._running.values()]

    def refuse(self) -> None:
        """From now on `start` raises Overloaded."""
        self._draining = True

    async def drain(self, seconds: float) -> None:
        """Wait for the runs; after `seconds` abort the rest and wait for them to be recorded."""
        self.refuse()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.idle()
        for run in self.running():
            run.abort(SHUTTING_DOWN)
        try:
            async with asyncio.timeout(RECORD_S):
                await self.idle()
        except TimeoutError:
            log.warning("runs.not_ended", runs=len(self._running))
        self._deafen()

    async def idle(self) -> None:
        """Wait until no run is live."""
        while self._running:
            await asyncio.wait([task for _, task in self._running.values()])

    def _launch(self, request: RunRequest, plan: Plan) -> Run:
        self._admit()
        parent = self._parent(request)
        run = Run(request, plan, self._bus, parent)
        if parent is not None:
            parent.children.append(run)
        task = asyncio.create_task(self._loop.execute(run), name=run.id)
        self._running[run.id] = (run, task)
        task.add_done_callback(lambda _: self._ended(run))
        self.hub.started(run)
        return run

    def _signalled(self, run_id: str, signal: Signal) -> None:
        """Somebody, perhaps in another process, asks something of a run that is perhaps here."""
        live = self._running.get(run_id)
        if live is not None and signal == "abort":
            live[0].abort(BY_REQUEST)

    def _admit(self) -> None:
        if self._draining:
            raise Overloaded(
                "The gateway is shutting down. Try again in a few seconds.", code="draining", retry_after=5
            )
        if len(self._running) >= self._max_runs:
            raise Overloaded(
                f"The gateway already executes {self._max_runs} runs, its limit (gateway.limits.maxRuns "
                "or agents.defaults.maxConcurrent). Try again in a moment.",
                retry_after=1,
            )

    def _parent(self, request: RunRequest) -> Run | None:
        """The run that starts this one. Nobody waits for an answer that can only come after his own."""
        if request.origin.parent is None:
            return None
        running = self._running.get(request.origin.parent)
        if running is None:
            raise RunAborted("The run that would have started this one has ended.")
        parent = running[0]
        above: Run | None = parent
        while above is not None:
            if above.request.session_key == request.session_key and request.session_key is not None:
                raise ToolLoop(
                    "That conversation waits for this one: answer here instead of asking there.",
                    code="session_waits",
                )
            above = above.parent
        return parent

    def _ended(self, run: Run) -> None:
        del self._running[run.id]
        self.hub.ended(run)
        for child in run.children:
            child.abort(PARENT_ENDED)
        if run.parent is not None:
            run.parent.children.remove(run)
        if run.refused or run.request.idempotency_key is None:
            self._bus.forget(run.id)
            return
        run.forget_words()
        self._retained[run.id] = (run, now_ms())
        while self._retained:
            oldest, (_, ended_ms) = next(iter(self._retained.items()))
            if len(self._retained) <= RETAINED_RUNS and now_ms() - ended_ms < RETAINED_MS:
                break
            del self._retained[oldest]
            self._bus.forget(oldest)

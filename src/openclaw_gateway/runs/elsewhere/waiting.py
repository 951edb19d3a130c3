"""Messages that wait at other processes for a session whose run is at work here, and would steer it.

Who has one says so to all. The run at work looks into the store before its next round, only if it was told
so, and marks there what it takes up. Where the news is lost, a message waits for its turn; where this process
is, whoever executes the run next finds the message waiting.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence

import structlog

from openclaw_gateway.errors import StoreError
from openclaw_gateway.runs.elsewhere.news import MessageWaits, NewsChannel
from openclaw_gateway.runs.run import BY_REQUEST, Run
from openclaw_gateway.runs.steering import may_take_up, taken_result
from openclaw_gateway.runs.work import read
from openclaw_gateway.sessions.bus import Bus, Signal
from openclaw_gateway.sessions.shared import SharedStore, Waiting
from openclaw_gateway.sessions.store import Claim, Recorded

log = structlog.get_logger()

# Sessions of which it is known that something waits. The oldest are forgotten first.
_MOST = 10_000


class WaitingElsewhere:
    def __init__(self, store: SharedStore, bus: Bus, channel: NewsChannel) -> None:
        self._store = store
        self._bus = bus
        self._channel = channel
        # (owner, session); also of those whose run is not here, or not yet.
        self._told: OrderedDict[tuple[str, str], None] = OrderedDict()
        # The runs that answer, by the id of the one that waits.
        self._answered: dict[str, Run] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ignore: Callable[[], None] = bus.heed(self._signalled)
        channel.heed(MessageWaits, self._waits)

    async def close(self) -> None:
        self._ignore()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def tell(self, run: Run) -> None:
        """This one waits here."""
        request = run.request
        if request.queue == "steer" and request.session_key is not None:
            self._channel.tell(MessageWaits(request.origin.owner, request.session_key))

    def is_told(self, lane: tuple[str, str]) -> bool:
        return lane in self._told

    async def taken(self, run: Run, claim: Claim, here: Sequence[Run]) -> list[Run]:
        """Those whose messages the run at work takes up, wherever they wait, in order of arrival. `here` are
        those that wait in this process."""
        lane = (claim.owner, claim.session)
        self._told.pop(lane, None)
        known = {other.id: other for other in here}
        waiting: list[Run] = []
        heard: frozenset[str] = frozenset()
        try:
            for found in await self._store.waiting(claim):
                other = known.pop(found.run_id, None) or self._stand_in(run, found)
                if other is not None and may_take_up(run, other):
                    waiting.append(other)
            beyond = [other.id for other in waiting if other not in here]
            if beyond:
                heard = await self._store.hear(claim, beyond)
        except StoreError as error:
            log.warning("steering.not_heard", run=run.id, error=error.message)
            self._waits(MessageWaits(*lane))
        taken = [other for other in waiting if other.id in heard or other in here]
        taken += [other for other in here if other not in taken]
        taken = [other for other in taken if may_take_up(run, other)]
        for other in taken:
            if other.id in heard:
                self._answers(run, other, claim.token)
        return taken

    def _stand_in(self, run: Run, found: Waiting) -> Run | None:
        try:
            work = read(found.body)
        except StoreError:
            return None  # of a newer release: it has its own turn there
        other = Run(work.request, run.plan, self._bus, id_=found.run_id)
        other.asked, other.begun = work.asked, Recorded()
        return other

    def _answers(self, run: Run, other: Run, token: int) -> None:
        self._answered[other.id] = run
        task = asyncio.create_task(self._end_with(run, other, token), name=f"steering:{other.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end_with(self, run: Run, other: Run, token: int) -> None:
        """Whose message was answered is told so where he waits; of one that has its own turn after all the
        store knows no answer."""
        try:
            result = await run.wait()
        finally:
            self._answered.pop(other.id, None)
        try:
            record = await self._store.get_run(other.request.origin.owner, other.id)
        except StoreError as error:
            # Where it waits, the store is asked, too.
            log.warning("steering.not_told", run=other.id, error=error.message)
            return
        if record is not None and record.answered_by == run.id:
            other.hold(token)
            other.end(taken_result(run, result))

    def _waits(self, news: MessageWaits) -> None:
        lane = (news.owner, news.session)
        self._told[lane] = None
        self._told.move_to_end(lane)
        if len(self._told) > _MOST:
            self._told.popitem(last=False)

    def _signalled(self, run_id: str, signal: Signal) -> None:
        """Who stops a message that is answered here stops the answer."""
        run = self._answered.get(run_id)
        if run is not None and signal == "abort":
            run.abort(BY_REQUEST)

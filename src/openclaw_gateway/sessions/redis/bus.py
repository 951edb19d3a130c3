"""RedisBus: the Bus of many processes. Who reads a run in the process that executes it reads memory, as with
LocalBus; a copy goes out behind it, and comes in where another process has a reader.

Nothing here waits for the server, and nothing fails because it is away: readers elsewhere get nothing then,
and the log is written again when it is back. Belongs to one event loop.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial

import structlog

from openclaw_gateway.random_ids import fresh_digits
from openclaw_gateway.sessions.bus import BusHealth, Hear, Heed, Signal, Watch
from openclaw_gateway.sessions.local.bus import LocalBus
from openclaw_gateway.sessions.local.log import EventLog
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.attempts import RedisAttempts
from openclaw_gateway.sessions.redis.bells import (
    Announced,
    Followed,
    Listener,
    LockedOut,
    News,
    Rung,
    Signalled,
    TookOver,
    channel,
    letter,
)
from openclaw_gateway.sessions.redis.limits import RedisLimits
from openclaw_gateway.sessions.redis.link import DEFAULT_PACE, Pace
from openclaw_gateway.sessions.redis.mirror import BusReader
from openclaw_gateway.sessions.redis.outage import Outage, Patience
from openclaw_gateway.sessions.redis.outgoing import Outgoing
from openclaw_gateway.sessions.redis.places import places
from openclaw_gateway.sessions.redis.publisher import Publisher, Told
from openclaw_gateway.sessions.redis.puller import Puller
from openclaw_gateway.sessions.redis.reading import Reading
from openclaw_gateway.sessions.redis.rounds import RedisRounds
from openclaw_gateway.sessions.redis.urls import BusUrl
from openclaw_gateway.wire.events import Event
from openclaw_gateway.work.cancelling import is_being_cancelled

log = structlog.get_logger()

# How long a start waits for the first connection, and a shutdown for what is still on its way.
OPEN_S = 1.0
CLOSE_S = 1.0
# Of logs that have been written to their end, how many can still be given up before they expire.
MOST_FINISHED = 10_000
# Of runs that others read, how many are known.
MOST_FOLLOWED = 10_000
# A part that has worked so long begins again at once after a fault.
_WELL_S = 10.0


class RedisBus:
    """`limits` are those of all processes, counted at their server; `rounds` and `attempts` are kept there.
    `gateway` is the name of what they are: others, whose server it is as well, have another one.

    Raises ConfigError for files of certificates that cannot be used.
    """

    def __init__(self, url: BusUrl, *, gateway: str = "", pace: Pace = DEFAULT_PACE) -> None:
        self._me = fresh_digits()
        self._channel = channel(gateway)
        self._outage = Outage(str(url))
        self._local = LocalBus(grown=self._grown)
        self._outgoing: dict[str, Outgoing] = {}
        self._finished: dict[str, int] = {}  # run id -> token
        self._followed: dict[str, None] = {}
        self._kept_here: set[str] = set()
        self._hearing: list[Hear] = []
        self._tasks: list[asyncio.Task[None]] = []
        there = places(url, pace)
        self._listener = Listener(
            self._channel, self._me, there, self._outage, pace, heard=self._heard, back=self._back
        )
        told = Told(self._superseded, self._took_over, self._done)
        # By bucket; where one server holds all of them they are all the same.
        self._publishers: dict[int, Publisher] = {}
        pullers: dict[int, Puller] = {}
        for group in there.groups:
            first = group[0]
            publisher = Publisher(f"writing {first}", first, there, self._outage, told=told, pace=pace)
            wake_key = entries.wake_key(first, self._me)
            wake = partial(publisher.wake, *entries.wake(wake_key))
            puller = Puller(
                f"reading {first}", first, there, self._outage, wake_key=wake_key, wake=wake, pace=pace
            )
            self._publishers |= dict.fromkeys(group, publisher)
            pullers |= dict.fromkeys(group, puller)
        self._pullers = tuple(dict.fromkeys(pullers.values()))
        self._reading = Reading(self._local, pullers, self._publishers, self._follows)
        self.rounds = RedisRounds(gateway, self._publishers.__getitem__)
        self.attempts = RedisAttempts(gateway, self._publishers.__getitem__)
        self.limits = RedisLimits(gateway, self._me, self._publishers.__getitem__, self._lock_out)

    async def open(self) -> None:
        """Never fails: a server that is not there is said in the log, and waited for."""
        linked: list[Listener | Publisher | Puller] = [
            self._listener,
            *self._each_publisher(),
            *self._pullers,
        ]
        work = [_kept_up(each.run, partial(self._outage.failed, each.name)) for each in linked]
        work += [_kept_up(each.run) for each in (self.limits, self.limits.runs)]
        self._tasks += [asyncio.create_task(each, name="redis_bus") for each in work]
        with suppress(TimeoutError):
            async with asyncio.timeout(OPEN_S):
                await self._listener.tried.wait()

    async def close(self) -> None:
        if self._tasks:
            self.limits.runs.close()
            await asyncio.gather(*(publisher.drained(CLOSE_S) for publisher in self._each_publisher()))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        self._tasks.clear()
        self._reading.close()
        await self._local.close()
        self._hearing.clear()

    def emit(self, run_id: str, token: int, seq: int, events: Sequence[Event]) -> bool:
        if self._reading.mirrors and self._reading.knows_newer(run_id, token):
            return False
        return self._local.emit(run_id, token, seq, events)

    def subscribe(self, run_id: str, after: int = 0, *, here: bool = False, late: bool = False) -> BusReader:
        return self._reading.subscribe(run_id, after, here=here, late=late)

    def forget(self, run_id: str) -> None:
        self._local.forget(run_id)
        self._kept_here.discard(run_id)
        token = self._finished.pop(run_id, None)
        if token is not None:
            self._give_up(run_id, token)

    def went_elsewhere(self, run_id: str, token: int) -> None:
        self._superseded(run_id, token)

    def keep_here(self, run_id: str) -> None:
        self._kept_here.add(run_id)
        out = self._outgoing.pop(run_id, None)
        if out is not None:
            self._publishers[out.bucket].drop(out)

    def signal(self, run_id: str, signal: Signal) -> None:
        self._local.signal(run_id, signal)
        self._tell(Signalled(run_id, signal))

    def heed(self, heard: Heed) -> Callable[[], None]:
        return self._local.heed(heard)

    def announce(self, news: bytes) -> None:
        self._tell(Announced(news), hurries=False)

    def hear(self, heard: Hear) -> Callable[[], None]:
        self._hearing.append(heard)

        def ignore() -> None:
            if heard in self._hearing:
                self._hearing.remove(heard)

        return ignore

    def ring(self, topic: str) -> None:
        self._local.ring(topic)
        self._tell(Rung(topic))

    def watch(self, topic: str) -> Watch:
        return self._local.watch(topic)

    def health(self) -> BusHealth:
        return self._outage.health()

    def _grown(self, grown: EventLog) -> None:
        """A log of this process has new events."""
        if grown.run_id in self._kept_here:
            return
        out = self._outgoing.get(grown.run_id)
        if out is None or out.token != grown.token:
            out = self._began(grown, out)
        self._publishers[out.bucket].changed(out)

    def _began(self, grown: EventLog, before: Outgoing | None) -> Outgoing:
        """This process holds a run that it did not, or holds it again."""
        if before is not None:
            self._publishers[before.bucket].drop(before)
        out = self._outgoing[grown.run_id] = Outgoing(grown)
        out.is_followed = grown.run_id in self._followed
        self._reading.came_here(grown)
        return out

    def _superseded(self, run_id: str, token: int) -> None:
        """Another process holds the run now; whoever reads it here goes on with what that one writes."""
        before = self._outgoing.pop(run_id, None)
        if before is not None:
            self._publishers[before.bucket].drop(before)
        self._finished.pop(run_id, None)
        self._local.hand_over(run_id, token)
        self._reading.went_elsewhere(run_id)

    def _took_over(self, run_id: str, token: int) -> None:
        self._tell(TookOver(run_id, token))

    def _done(self, out: Outgoing, given_up: bool) -> None:
        """A log is written to its end."""
        if self._outgoing.get(out.run_id) is out:
            del self._outgoing[out.run_id]
        self._followed.pop(out.run_id, None)
        if given_up:
            return
        if out.log is not None and out.log.forgotten:
            self._give_up(out.run_id, out.token)
            return
        self._finished[out.run_id] = out.token
        if len(self._finished) > MOST_FINISHED:
            del self._finished[next(iter(self._finished))]

    def _lock_out(self, name: str, seconds: float) -> None:
        self._tell(LockedOut(name, seconds))

    def _give_up(self, run_id: str, token: int) -> None:
        commands = entries.give_up(entries.log_key(run_id), token)
        self._publishers[entries.bucket_of(run_id)].post(*commands, hurries=False)

    def _follows(self, run_id: str) -> None:
        """It is read here from now on, and others write it."""
        self._tell(Followed(run_id))

    def _is_read(self, run_id: str) -> None:
        """Another process reads a run that is written here, or may be."""
        self._followed[run_id] = None
        if len(self._followed) > MOST_FOLLOWED:
            del self._followed[next(iter(self._followed))]
        out = self._outgoing.get(run_id)
        if out is not None:
            out.is_followed = True
            self._publishers[out.bucket].hurry(out)

    def _tell(self, news: News, *, hurries: bool = True) -> None:
        self._publishers[0].post(letter(self._channel, self._me, news), hurries=hurries)

    def _heard(self, news: News) -> None:
        match news:
            case Rung(topic=topic):
                self._local.ring(topic)
            case Signalled(run_id=run_id, signal=signal):
                self._local.signal(run_id, signal)
            case Announced(news=said):
                for heard in tuple(self._hearing):
                    heard(said)
            case LockedOut(name=name, seconds=seconds):
                self.limits.lock(name, seconds)
            case TookOver(run_id=run_id, token=token):
                held = self._local.find(run_id)
                if held is not None and held.token < token:
                    self._superseded(run_id, token)
            case Followed(run_id=run_id):
                self._is_read(run_id)

    def _back(self) -> None:
        """Rings may have been missed, and the server may have come back with less than it had."""
        self._local.ring_all()
        for run_id in self._reading.mirrors:
            self._follows(run_id)
        for publisher in self._each_publisher():
            publisher.doubt()
        self.limits.runs.doubt()

    def _each_publisher(self) -> tuple[Publisher, ...]:
        return tuple(dict.fromkeys(self._publishers.values()))


async def _kept_up(run: Callable[[], Awaitable[None]], failed: Callable[[str], None] | None = None) -> None:
    """The edge of each task of the bus: without it a fault of ours, or a new kind of lie, would end one for
    good, and this process would be deaf to the others. `failed` is told that a part is away, which says
    itself that it is well again."""
    loop = asyncio.get_running_loop()
    patience = Patience()
    while True:
        began = loop.time()
        try:
            await run()
        except (Exception, asyncio.CancelledError) as error:
            is_over = is_being_cancelled()
            if is_over and isinstance(error, asyncio.CancelledError):
                raise
            log.exception("bus.crashed")
            if is_over:
                return
            if failed is not None:
                failed("a fault of this gateway: its log has the cause")
            if loop.time() - began > _WELL_S:
                patience.reset()
            await asyncio.sleep(patience.next_wait())
        else:
            return

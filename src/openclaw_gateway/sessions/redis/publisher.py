"""What goes out to one server: logs, news, and questions of readers, one pipeline after the other.

What comes while a pipeline is on its way goes with the next: it adds nothing to one delta, and gathers many
under load. What nobody waits for (a log that no other process reads, an announcement) goes with whatever
does, UNHURRIED_S later at the latest, so that it does not cost each time a way there and back. Whoever hands
something over never waits. Away, nothing is held but the logs themselves, of which those that have ended up
to a bound; back, each log is asked for and goes on where it is, or is written again. A server that answers
and takes nothing (its memory is full, it is a replica, we may not) is away as well, until it takes something.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from msgspec import Struct

from openclaw_gateway.sessions.local.log import settle
from openclaw_gateway.sessions.redis import entries
from openclaw_gateway.sessions.redis.held import Held
from openclaw_gateway.sessions.redis.link import Away, Command, ErrorReply, Link, Pace, Refused, Reply
from openclaw_gateway.sessions.redis.outage import Outage, Patience
from openclaw_gateway.sessions.redis.outgoing import Outgoing, Parcel
from openclaw_gateway.sessions.redis.places import Places

PIPELINE_BYTES = 1 << 20
UNHURRIED_S = 0.01
MOST_POSTED = 4_096
# Questions of one pipeline: each answer may be a page of a log.
MOST_ASKED = 64

# A log is superseded (by this token), has taken over from an older holder, or is done (and was given up).
Superseded = Callable[[str, int], None]
TookOver = Callable[[str, int], None]
Done = Callable[[Outgoing, bool], None]


class Told(Struct, frozen=True):
    """Whom a publisher tells of what it learns."""

    superseded: Superseded
    took_over: TookOver
    done: Done


class Publisher:
    """`name` is what it is called among the parts of an outage; `bucket` one of those its server holds."""

    def __init__(
        self, name: str, bucket: int, places: Places, outage: Outage, *, told: Told, pace: Pace
    ) -> None:
        self.name = name
        self._bucket = bucket
        self._places = places
        self._outage = outage
        self._told = told
        self._pace = pace
        self._all: dict[str, Outgoing] = {}
        self._changed: dict[Outgoing, None] = {}
        self._held = Held()
        self._is_away = False
        # Whether something was refused: then it is found out whether that is so of all that is written.
        self._is_in_doubt = False
        self._posted: deque[Command] = deque(maxlen=MOST_POSTED)
        self._waking: tuple[Command, ...] = ()
        self._asked: deque[tuple[Command, asyncio.Future[Reply]]] = deque()
        self._idle: asyncio.Future[bool] | None = None
        # Whether what there is to be sent goes now, and what makes it go else.
        self._is_due = False
        self._later: asyncio.TimerHandle | None = None
        self._drained: asyncio.Future[bool] | None = None

    def changed(self, out: Outgoing) -> None:
        """There is something new in a log."""
        self._all[out.run_id] = out
        self._changed[out] = None
        if self._is_away:
            self._hold(out)
        self._wake(hurries=out.is_followed)

    def hurry(self, out: Outgoing) -> None:
        """Somebody waits for what there is new in a log."""
        if out in self._changed:
            self._wake()

    def drop(self, out: Outgoing) -> None:
        """Nothing more is written of it."""
        if self._all.get(out.run_id) is out:
            del self._all[out.run_id]
        self._changed.pop(out, None)
        self._held.drop(out)

    def doubt(self) -> None:
        """The server may have been another one for a moment: every log is asked for."""
        for out in self._all.values():
            out.doubt()
            self._changed[out] = None
        self._wake()

    def post(self, *commands: Command, hurries: bool = True) -> None:
        """Send these with the next pipeline, after the logs; nobody hears of their answers. While the server
        is away they are dropped."""
        if not self._is_away:
            self._posted.extend(commands)
            self._wake(hurries=hurries)

    def wake(self, *commands: Command) -> None:
        """Send these with the next pipeline, whenever that is."""
        self._waking = commands
        self._wake()

    async def ask(self, command: Command) -> Reply:
        """Raises Away, also for an answer that is an error."""
        if self._is_away:
            raise Away("the server is away")
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked.append((command, answer))
        self._wake()
        try:
            async with asyncio.timeout(2 * self._pace.answer_s):
                return await answer
        except TimeoutError:
            raise Away("no answer in time") from None

    async def drained(self, within: float) -> None:
        """Wait until nothing is left to be sent, so long at most; not at all while the server is away."""
        if self._is_away or not (self._changed or self._posted or self._idle is None):
            return
        self._drained = asyncio.get_running_loop().create_future()
        self._wake()
        await asyncio.wait([self._drained], timeout=within)

    async def run(self) -> None:
        """Until it is cancelled."""
        patience = Patience()
        link: Link | None = None
        failures = int(self._is_away)
        try:
            while True:
                if not failures:
                    await self._work()
                try:
                    if link is None:
                        link = await self._places.open(self._bucket)
                        self._came_back()
                        await self._try(link)
                    if await self._pipeline(link):
                        patience.reset()
                    if self._is_in_doubt:
                        await self._try(link)
                    self._outage.well(self.name)
                    failures = 0
                except (Away, ValueError) as error:
                    self._lost(str(error))
                    failures += 1
                    if link is not None:
                        link.close()
                    if link is None or failures > 1 or isinstance(error, Refused):
                        self._outage.failed(self.name, str(error))
                        await asyncio.sleep(patience.next_wait())
                    # else: the server may have closed a link that nobody had used for long.
                    link = None
        finally:
            if self._later is not None:
                self._later.cancel()
                self._later = None
            if link is not None:
                link.close()
            # Of what was on its way nobody knows: whoever runs it again finds it as after an outage.
            self._lost("nothing is written any more")

    async def _work(self) -> None:
        """Wait until there is something to send, and it is time."""
        while not (self._is_due and self._has_something()):
            if self._drained is not None and not self._has_something():
                settle(self._drained, result=True)
            self._is_due = False
            self._idle = asyncio.get_running_loop().create_future()
            try:
                await self._idle
            finally:
                self._idle = None

    def _has_something(self) -> bool:
        return bool(self._changed or self._posted or self._asked or self._waking)

    async def _try(self, link: Link) -> None:
        """Raises Away, and Refused by a server that takes nothing."""
        (reply,) = await link.call([entries.trial(self._bucket)])
        if isinstance(reply, ErrorReply):
            raise Refused(str(reply))
        self._is_in_doubt = False

    async def _pipeline(self, link: Link) -> bool:
        """Whether the server has taken something. Raises Away, and ValueError for answers that make no sense;
        what was on its way is doubted then."""
        parcels, posted, asked = self._packed()
        waking = self._waking
        commands = [command for parcel in parcels for command in parcel.commands]
        posted += waking
        commands += posted
        commands += [command for command, _ in asked]
        if not commands:
            return True
        try:
            replies = await link.call(commands)
            at = 0
            for parcel in parcels:
                self._judge(parcel, replies[at : (at := at + len(parcel.commands))])
            self._heed(replies[at : at + len(posted)])
        except BaseException:
            for parcel in parcels:
                self._again(parcel.of)
            for _, answer in asked:
                _fail(answer, "the server went away")
            raise
        if self._waking is waking:
            # Not before: who waits at the server is woken by nothing else.
            self._waking = ()
        for (_, answer), reply in zip(asked, replies[at + len(posted) :], strict=True):
            if isinstance(reply, ErrorReply):
                self._is_in_doubt = True
                _fail(answer, str(reply))
            elif not answer.done():
                answer.set_result(reply)
        return bool(posted) or any(parcel.has_added for parcel in parcels)

    def _packed(self) -> tuple[list[Parcel], list[Command], list[tuple[Command, "asyncio.Future[Reply]"]]]:
        now = asyncio.get_running_loop().time()
        self._is_due = self._drained is not None
        if self._later is not None:
            self._later.cancel()
            self._later = None
        parcels: list[Parcel] = []
        unfinished: list[Outgoing] = []
        room = PIPELINE_BYTES
        # Those that have waited longest go first; what there is no room for stays.
        while self._changed and room > 0:
            out = next(iter(self._changed))
            del self._changed[out]
            parcel = out.parcel(now, room)
            room -= sum(len(word) for command in parcel.commands for word in command)
            if out.log is not None and out.state != "unsure" and parcel.end < _end(out):
                unfinished.append(out)
            if parcel.commands:
                parcels.append(parcel)
        self._changed.update(dict.fromkeys(unfinished))
        posted = [*self._posted]
        self._posted.clear()
        questions = self._questions()
        self._is_due = self._is_due or bool(self._changed or self._asked)
        return parcels, posted, questions

    def _questions(self) -> list[tuple[Command, "asyncio.Future[Reply]"]]:
        """Those that somebody waits for still, as many as go at once."""
        taken: list[tuple[Command, asyncio.Future[Reply]]] = []
        while self._asked and len(taken) < MOST_ASKED:
            question = self._asked.popleft()
            if not question[1].done():
                taken.append(question)
        return taken

    def _judge(self, parcel: Parcel, replies: Sequence[Reply]) -> None:
        out = parcel.of
        verdict = parcel.judged(replies)
        if self._all.get(out.run_id) is not out:
            return
        if parcel.took_over:
            self._told.took_over(out.run_id, out.token)
        match verdict:
            case "written":
                pass
            case "again":
                self._changed[out] = None
                self._is_due = True
            case "superseded":
                self.drop(out)
                self._told.superseded(out.run_id, parcel.end)
            case "done":
                self.drop(out)
                self._told.done(out, parcel.gives_up)

    def _heed(self, replies: Sequence[Reply]) -> None:
        for reply in replies:
            # A log need not be given up where a newer holder has written.
            if isinstance(reply, ErrorReply) and "XADD" not in str(reply):
                raise Refused(str(reply))

    def _again(self, out: Outgoing) -> None:
        if self._all.get(out.run_id) is out:
            out.doubt()
            self._changed[out] = None
            self._is_due = True

    def _came_back(self) -> None:
        self._is_away = False
        self._is_due = True
        self._held.clear()
        for out in self._all.values():
            if out.state == "sure":
                out.doubt()
            # Also what was taken up to be sent, and was not, because another could not be.
            self._changed[out] = None

    def _lost(self, why: str) -> None:
        self._posted.clear()
        self._refuse(why)
        if not self._is_away:
            self._is_away = True
            for out in tuple(self._all.values()):
                self._hold(out)

    def _hold(self, out: Outgoing) -> None:
        for surplus in self._held.add(out):
            self.drop(surplus)
            self._told.done(surplus, True)  # noqa: FBT003 - whether it was given up

    def _refuse(self, why: str) -> None:
        while self._asked:
            _fail(self._asked.popleft()[1], why)

    def _wake(self, *, hurries: bool = True) -> None:
        if hurries:
            self._is_due = True
            if self._idle is not None:
                settle(self._idle, result=True)
        elif self._later is None and not self._is_due:
            self._later = asyncio.get_running_loop().call_later(UNHURRIED_S, self._be_due)

    def _be_due(self) -> None:
        self._later = None
        self._wake()


def _end(out: Outgoing) -> int:
    return 0 if out.log is None else out.log.base + len(out.log.events)


def _fail(answer: "asyncio.Future[Reply]", why: str) -> None:
    if not answer.done():
        answer.set_exception(Away(why))

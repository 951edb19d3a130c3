"""What happens, sent to one client: events of the runs it may see, ticks, the end.

Pulls from each run's log at the pace of the socket: a client that reads slowly is told more at once,
and costs neither the run nor the gateway anything. Every event has the next number of this connection.
"""

import asyncio
import contextlib
from collections.abc import Iterator

from openclaw_gateway.doors.ws.protocol import event
from openclaw_gateway.doors.ws.runview import RunView
from openclaw_gateway.doors.ws.socket import Socket
from openclaw_gateway.doors.ws.tasks import Tasks
from openclaw_gateway.runs.run import Run, now_ms


class Feed:
    def __init__(self, socket: Socket) -> None:
        self._socket = socket
        self._seq = 0
        self._tasks = Tasks()
        self._followed: dict[str, asyncio.Event] = {}
        self._held: dict[str, Run | None] = {}

    async def emit(self, name: str, payload: object) -> None:
        """Raises ConnectionError when the client is gone."""
        self._seq += 1
        await self._socket.send(event(name, payload, self._seq))

    def heard(self, run: Run) -> None:
        """A run begins."""
        if run.shown_id in self._held:
            self._held[run.shown_id] = run
        else:
            self._follow(run)

    @contextlib.contextmanager
    def events_after(self, run_id: str) -> Iterator[None]:
        """Events of this run wait until the block is left; they are in its log."""
        self._held.setdefault(run_id, None)
        try:
            yield
        finally:
            run = self._held.pop(run_id, None)
            if run is not None:
                self._follow(run)

    def follow(self, run: Run) -> None:
        """Send the events of a live run from its beginning, unless they are being sent already."""
        if run.result is None:
            self._follow(run)

    async def delivered(self, run: Run) -> None:
        """Until the events of an ended run have left."""
        told = self._followed.get(run.id)
        if told is not None:
            await told.wait()

    async def tick(self, every_s: float) -> None:
        """A sign of life, for ever."""
        while True:
            await asyncio.sleep(every_s)
            await self.emit("tick", {"ts": now_ms()})

    async def wait(self, seconds: float) -> None:
        """Until every run this client hears of has ended."""
        await self._tasks.wait(seconds)

    async def close(self) -> None:
        await self._tasks.close()

    def _follow(self, run: Run) -> None:
        if run.id not in self._followed:
            self._followed[run.id] = asyncio.Event()
            self._tasks.run(self._forward(run), f"ws.feed:{run.shown_id}")

    async def _forward(self, run: Run) -> None:
        request = run.request
        view = RunView(run.shown_id, request.agent_id, request.session_key, run.created_ms)
        reader = run.reader()
        place = 0
        try:
            while not view.ended:
                events = await reader.log.batch(view.wait_s)
                for name, payload in view.take(events, now_ms()):
                    await self.emit(name, payload)
                place += len(events)
                reader.advance(place)
                if view.pause_s and not view.ended:
                    await _until_ended(run, view.pause_s)
        except LookupError:
            # The log was cut off (it is bounded): there is nothing more to tell.
            return
        finally:
            reader.close()
            self._followed.pop(run.id).set()


async def _until_ended(run: Run, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await run.wait()

"""The chat: a line is read, sent or obeyed, and what comes of it is shown; until there are no more lines.

Knows the link, the screen and the keyboard, and none of what they are made of.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any

from openclaw_gateway.cli.chat import place as places
from openclaw_gateway.cli.chat.approving import Approving
from openclaw_gateway.cli.chat.flow import Style
from openclaw_gateway.cli.chat.keyboard import Keyboard
from openclaw_gateway.cli.chat.obeying import Obeying
from openclaw_gateway.cli.chat.orders import order_of
from openclaw_gateway.cli.chat.quiet_keys import quiet_keys
from openclaw_gateway.cli.chat.screen import Screen
from openclaw_gateway.cli.chat.showing import Showing
from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.harmless import one_line, visible
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.client.errors import RemoteError
from openclaw_gateway.client.followed_run import FollowedRun
from openclaw_gateway.client.link import Again, Link, Lost, News
from openclaw_gateway.client.steps import Ended
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved

_ABORT_S = 5.0
_MOST_QUESTIONS = 100
_REFUSED_MODEL = frozenset({"model_not_allowed", "model_not_found"})


class Chat:
    """`failed`: something that was asked was not done."""

    def __init__(
        self, link: Link, screen: Screen, keyboard: Keyboard, *, agent: str | None, session: str | None
    ) -> None:
        self.failed = False
        self._link = link
        self._screen = screen
        self._keyboard = keyboard
        self._wanted = (session, agent)
        self._place = places.Place()
        self._obeying = Obeying(link, screen, self._place)
        self._showing = Showing(screen)
        self._approving = Approving(link, screen, keyboard, self._interrupted)
        self._questions: asyncio.Queue[ApprovalRequested] = asyncio.Queue(_MOST_QUESTIONS)
        self._known: set[str] = set()  # which are open
        self._run: FollowedRun | None = None
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, news: News) -> None:
        match news:
            case ApprovalRequested():
                # What is too much stays open, and `approvals pending` has it.
                if news.id not in self._known and not self._questions.full():
                    self._known.add(news.id)
                    self._questions.put_nowait(news)
                    if self._run is None:
                        self._own(self._ask_between())
            case ApprovalResolved():
                self._known.discard(news.id)
                self._approving.resolved(news)
            case Lost():
                self._notice(f"{self._screen.worded(news.why)} Trying to take it up again …", "bad")
            case Again():
                self._notice("Connected again.", "good")

    def interrupt(self) -> bool:
        """Ctrl-C: the run at work is stopped. False when there is none, or it was asked for already."""
        run = self._run
        if run is None or self._stopping:
            return False
        self._stopping = True
        self._notice("Stopping; Ctrl-C again leaves.", "dim")
        self._own(self._abort(run))
        return True

    async def talk(self) -> None:
        """Raises GatewayError and CommandFailed when the gateway cannot be reached to begin with."""
        self._link.hear(self.hear)
        await self._link.open()
        session, agent = self._wanted
        found = await places.found(self._link, session, agent)
        self._place.agent, self._place.session = found.agent, found.key
        self._greet(found)
        try:
            if found.running:
                await self._follow(await self._link.attach(found.running, found.key))
            while (line := await self._keyboard.line(f"{one_line(self._place.agent)}> ")) is not None:
                if line.strip() and not await self._taken(line):
                    return
        finally:
            await self._leave()

    async def _taken(self, line: str) -> bool:
        """Whether the chat goes on."""
        order = order_of(line)
        try:
            if order is None:
                await self._say(line)
                return True
            if order.name == "/quit":
                return False
            running = await self._obeying.obey(order)
            if running is not None:
                await self._follow(await self._link.attach(running, self._place.session))
        except (GatewayError, CommandFailed) as error:
            self.failed = True
            self._screen.fault(self._screen.worded(in_terminal_words(error.message)))
        return True

    async def _say(self, text: str) -> None:
        more: dict[str, object] = {}
        if self._obeying.attached:
            more["attachments"] = list(self._obeying.attached)
        if self._place.model:
            more["model"] = self._place.model
        try:
            run = await self._link.send(self._place.session, text, **more)
        except RemoteError as error:
            if self._place.model is None or error.code not in _REFUSED_MODEL:
                raise
            self._place.model = None
            said = f"{error.message} The next messages are answered by the agent's own model again."
            raise CommandFailed(said, code=error.code) from None
        self._obeying.attached.clear()
        await self._follow(run)

    async def _follow(self, run: FollowedRun) -> None:
        """Show a run to its end, and ask what is asked meanwhile."""
        self._run, self._stopping = run, False
        self._showing = Showing(self._screen)
        floor = asyncio.Lock()
        asking = asyncio.create_task(self._ask(floor))
        try:
            with quiet_keys() if self._keyboard.edits else contextlib.nullcontext():
                async for step in run:
                    async with floor:
                        self._showing.show(step)
                    if isinstance(step, Ended):
                        self.failed |= step.status == "failed"
        except asyncio.CancelledError:
            if not self._stopping:
                await self._abort(run)
            raise
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            self._showing.interrupt()
            self._screen.pause()
            self._run = None
            self._link.leave(run)

    async def _ask(self, floor: asyncio.Lock) -> None:
        """What is asked while a run is shown; nothing else is written meanwhile."""
        while True:
            asked = await self._questions.get()
            async with floor:
                if asked.id in self._known:
                    await self._approving.ask(asked)

    async def _ask_between(self) -> None:
        """A question of another conversation comes while a line is being typed: it is shown, not asked."""
        while not self._questions.empty() and self._run is None:
            asked = self._questions.get_nowait()
            if asked.id not in self._known:
                continue
            decisions = "|".join(asked.request.decisions)
            who = one_line(asked.request.session_key or "a conversation without a name")
            self._notice(
                f"{who} asks whether a command may run: {one_line(visible(asked.request.command))}\n"
                f"To answer: {self._screen.worded(f'`openclaw approvals answer {asked.id} {decisions}`')}",
                "dim",
            )

    def _greet(self, found: places.Found) -> None:
        if not self._screen.rendered:
            return
        kept = f", {counted(found.messages, 'message')} so far" if found.messages else ""
        model = one_line(found.model) or "no model"
        self._screen.beside(
            f"{one_line(found.agent)} ({model}) in {one_line(found.key)}{kept}. /help shows what there is."
        )

    def _interrupted(self) -> None:
        """Something comes between the steps of the run that is shown."""
        self._showing.interrupt()

    def _notice(self, text: str, style: Style) -> None:
        def write() -> None:
            self._interrupted()
            self._screen.beside(text, style)

        self._own(self._keyboard.above(write))

    async def _abort(self, run: FollowedRun) -> None:
        with contextlib.suppress(GatewayError, TimeoutError):
            await self._link.request("chat.abort", {"runId": run.run_id}, timeout_s=_ABORT_S)

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

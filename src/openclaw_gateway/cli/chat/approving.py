"""Questions whether a command may run, asked in the chat: one after the other, each until it is answered
here, elsewhere, or not any more."""

import asyncio
import contextlib
from collections.abc import Callable

from openclaw_gateway.cli.chat.keyboard import Keyboard
from openclaw_gateway.cli.chat.screen import Screen
from openclaw_gateway.cli.harmless import one_line, visible
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.client.link import Link
from openclaw_gateway.errors import GatewayError
from openclaw_gateway.wire.approvals import ApprovalRequested, ApprovalResolved, Decision

_LETTERS: dict[Decision, tuple[str, str]] = {
    "allow-once": ("y", "[y]es, once"),
    "allow-session": ("s", "for this [s]ession"),
    "allow-always": ("a", "[a]lways"),
    "deny": ("n", "[n]o"),
}
_DONE: dict[Decision, str] = {
    "allow-once": "Allowed once.",
    "allow-session": "Allowed for this conversation.",
    "allow-always": "Allowed from now on.",
    "deny": "Denied.",
}


class Approving:
    """`interrupt` is called before anything is written."""

    def __init__(self, link: Link, screen: Screen, keyboard: Keyboard, interrupt: Callable[[], None]) -> None:
        self._link = link
        self._screen = screen
        self._keyboard = keyboard
        self._interrupt = interrupt
        self._open: dict[str, asyncio.Event] = {}
        self._told: dict[str, ApprovalResolved] = {}

    def resolved(self, news: ApprovalResolved) -> None:
        ended = self._open.get(news.id)
        if ended is not None:
            self._told[news.id] = news
            ended.set()

    async def ask(self, asked: ApprovalRequested) -> None:
        """Until it is answered. Raises ConnectionLost and the like when the answer cannot be given."""
        ended = self._open[asked.id] = asyncio.Event()
        try:
            self._interrupt()
            self._show(asked)
            decision = await self._decision(asked, ended)
            if decision is None:
                self._say_ended(asked.id)
                return
            try:
                await self._link.request("exec.approval.resolve", {"id": asked.id, "decision": decision})
            except GatewayError as error:
                self._screen.beside(self._screen.worded(in_terminal_words(error.message)), "bad")
            else:
                self._screen.beside(_DONE[decision])
        finally:
            del self._open[asked.id]
            self._told.pop(asked.id, None)

    def _show(self, asked: ApprovalRequested) -> None:
        request, screen = asked.request, self._screen
        screen.beside(f"May this run? {one_line(request.warning_text)}", "heading")
        for line in visible(request.command).split("\n"):
            screen.beside(f"    {line}", "code")
        screen.beside(f"in {visible(request.cwd)}")
        if request.env_keys:
            screen.beside(f"with {visible(', '.join(request.env_keys))}")

    async def _decision(self, asked: ApprovalRequested, ended: asyncio.Event) -> Decision | None:
        """None: it has ended."""
        letters = {_LETTERS[one][0]: one for one in asked.request.decisions}
        prompt = ", ".join(_LETTERS[one][1] for one in asked.request.decisions) + "? "
        while True:
            answering = asyncio.create_task(self._keyboard.answer(prompt))
            ending = asyncio.create_task(ended.wait())
            try:
                await asyncio.wait((answering, ending), return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (answering, ending):
                    if not task.done():
                        task.cancel()
                        with contextlib.suppress(asyncio.CancelledError):
                            await task
            if answering.cancelled() or not answering.done():
                return None
            typed = answering.result()
            if typed is None:
                return "deny"
            found = letters.get(typed.strip().lower()[:1])
            if found is not None:
                return found

    def _say_ended(self, id_: str) -> None:
        told = self._told.get(id_)
        if told is None or told.reason:
            self._screen.beside("The question is over; the command does not run.")
        else:
            self._screen.beside(
                f"Answered by {one_line(told.resolved_by or 'somebody else')}: {told.decision}."
            )

"""The orders of a chat (`/new`, `/model`, …) carried out. The words are in `orders`."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from openclaw_gateway.cli.chat import place as places
from openclaw_gateway.cli.chat.attachment import attachment
from openclaw_gateway.cli.chat.orders import ORDERS, Order
from openclaw_gateway.cli.chat.screen import Screen
from openclaw_gateway.cli.counted import counted
from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.cli.harmless import one_line
from openclaw_gateway.client.link import Link

_MOST_ATTACHED = 10
_NONE = ("none", "clear")


class Obeying:
    """`attached` goes with the next message. What an order changes of the place, it changes in `place`."""

    def __init__(self, link: Link, screen: Screen, place: places.Place) -> None:
        self.attached: list[dict[str, str]] = []
        self._link = link
        self._screen = screen
        self._place = place
        self._listed: list[str] = []
        self._orders: dict[str, Callable[[str], Awaitable[str | None]]] = {
            "/new": self._new,
            "/agent": self._agent,
            "/model": self._model,
            "/attach": self._attach,
            "/sessions": self._sessions,
            "/usage": self._usage,
            "/abort": self._abort,
            "/help": self._help,
        }

    async def obey(self, order: Order) -> str | None:
        """The run at work in the conversation that was gone to. Raises CommandFailed, GatewayError."""
        obey = self._orders.get(order.name)
        if obey is None:
            raise CommandFailed(f"There is no {order.name}. /help shows what there is.")
        return await obey(order.rest)

    async def _new(self, _: str) -> None:
        self._place.session = await places.made(self._link, self._place.agent)
        self._screen.beside("A new conversation.")

    async def _agent(self, wanted: str) -> str | None:
        if not wanted:
            for id_, name, model in await places.agents(self._link):
                mark = "*" if id_ == self._place.agent else " "
                named = f"  {one_line(name)}" if name != id_ else ""
                self._screen.line(f"{mark} {one_line(id_)}{named}  {one_line(model)}".rstrip())
            return None
        return await self._go(None, wanted)

    async def _model(self, wanted: str) -> None:
        if wanted:
            self._place.model = None if wanted == "default" else wanted
            self._screen.beside(
                f"The next messages are answered by {wanted}."
                if self._place.model
                else "The agent's own model."
            )
            return
        own = (await places.found(self._link, self._place.session, None)).model
        for model in await places.models(self._link):
            mark = "*" if model == (self._place.model or own) else " "
            self._screen.line(f"{mark} {one_line(model)}{'  (default)' if model == own else ''}")

    async def _attach(self, named: str) -> None:
        if named in _NONE:
            self.attached.clear()
        elif named:
            if len(self.attached) == _MOST_ATTACHED:
                raise CommandFailed(f"At most {_MOST_ATTACHED} files go with one message.")
            self.attached.append(await asyncio.to_thread(attachment, Path(named.strip("'\""))))
        if not self.attached:
            self._screen.beside("Nothing goes with the next message.")
        for each in self.attached:
            self._screen.beside(f"With the next message: {one_line(each['fileName'])} ({each['mimeType']})")

    async def _sessions(self, wanted: str) -> str | None:
        if wanted:
            number = int(wanted) if wanted.isdecimal() else 0
            key = self._listed[number - 1] if 0 < number <= len(self._listed) else wanted
            return await self._go(key, None)
        rows = await places.sessions(self._link, self._place.agent)
        self._listed = [row.key for row in rows]
        for number, row in enumerate(rows, 1):
            mark = "*" if row.key == self._place.session else " "
            at = time.strftime("%Y-%m-%d %H:%M", time.localtime(row.updated_at / 1000))
            self._screen.line(f"{mark} {number:>2}  {at}  {one_line(row.display_name)}")
        if not rows:
            self._screen.beside("There are none yet.")
        return None

    async def _usage(self, _: str) -> None:
        asked, answered = await places.tokens(self._link, self._place.session)
        self._screen.line(f"{asked + answered:,} tokens: {asked:,} in, {answered:,} out")

    async def _abort(self, _: str) -> None:
        told = await self._link.request("chat.abort", {"sessionKey": self._place.session})
        self._screen.beside("Stopped." if told.get("aborted") else "Nothing runs in this conversation.")

    async def _help(self, _: str) -> None:
        for name, what in ORDERS.items():
            self._screen.line(f"{name:<10} {what}")
        self._screen.line(
            "Alt-Enter begins another line; Ctrl-C stops the answer, twice leaves; Ctrl-D leaves."
        )

    async def _go(self, session: str | None, agent: str | None) -> str | None:
        found = await places.found(self._link, session, agent)
        self._place.agent, self._place.session = found.agent, found.key
        kept = f" {counted(found.messages, 'message')} so far." if found.messages else ""
        self._screen.beside(f"{one_line(found.agent)} in {one_line(found.key)}.{kept}")
        return found.running

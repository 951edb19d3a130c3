"""The commands of all agents: one object per gateway, which ends them all when the gateway ends.

A command is always counted here while it runs; it is listed for its conversation only once it went to the
background (`keep`). Finished ones are kept for a while, so that their output can be read.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from openclaw_gateway.tools.exec.commands.command import Command, CommandRefused, Order


class CommandSessions:
    def __init__(
        self,
        *,
        max_running: int = 256,
        max_running_per_agent: int = 16,
        max_running_per_conversation: int = 8,
        max_finished_per_agent: int = 32,
        keep_s: float = 1800.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_running = max_running
        self._max_per_agent = max_running_per_agent
        # One may not take all that an agent has: its others answer other people.
        self._max_per_conversation = max_running_per_conversation
        self._max_finished = max_finished_per_agent
        self._keep_s = keep_s
        self._now = clock
        self._running: set[Command] = set()
        self._kept: dict[str, Command] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._closed = False

    async def start(self, order: Order) -> Command:
        """Raises CommandRefused when there are too many, OSError when it cannot be started."""
        self._check_room(order)
        command = Command(secrets.token_hex(4), order, self._now)
        self._running.add(command)
        launching = asyncio.ensure_future(command.launch())
        try:
            await asyncio.shield(launching)
        except asyncio.CancelledError:
            # A half started process belongs to nobody: let it start, then end it.
            with suppress(OSError):
                await launching
                await command.kill()
            self._running.discard(command)
            raise
        except OSError:
            self._running.discard(command)
            raise
        return command

    def keep(self, command: Command) -> None:
        """From now on its conversation finds it by its id."""
        self._kept[command.id] = command

    def of(self, agent_id: str, conversation: str) -> tuple[Command, ...]:
        self._tidy()
        return tuple(
            one
            for one in self._kept.values()
            if (one.order.agent_id, one.order.conversation) == (agent_id, conversation)
        )

    def find(self, agent_id: str, conversation: str, id_: str) -> Command:
        """Raises CommandRefused; another agent's or conversation's does not exist."""
        for command in self.of(agent_id, conversation):
            if command.id == id_:
                return command
        raise CommandRefused(f"There is no session {id_}. `process` with action list shows those there are.")

    def forget(self, command: Command) -> None:
        self._kept.pop(command.id, None)
        self._running.discard(command)

    def end(self, conversation: str) -> None:
        """It is over, and with it what runs for it in the background."""
        for command in [one for one in self._kept.values() if one.order.conversation == conversation]:
            self._kept.pop(command.id)
            if not command.ended.is_set():
                ending = asyncio.create_task(command.kill(), name=f"command.end {command.id}")
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End every command; none can be started afterwards."""
        self._closed = True
        await asyncio.gather(
            *(command.kill() for command in self._running if not command.ended.is_set()), *self._ending
        )
        self._running.clear()
        self._kept.clear()

    def _check_room(self, order: Order) -> None:
        if self._closed:
            raise CommandRefused("The gateway is shutting down; no command is started.")
        self._tidy()
        of_agent = [one for one in self._running if one.order.agent_id == order.agent_id]
        mine = sum(1 for one in of_agent if one.order.conversation == order.conversation)
        full = len(of_agent) >= self._max_per_agent or len(self._running) >= self._max_running
        if mine >= self._max_per_conversation or (full and mine):
            raise CommandRefused(f"{mine} commands are running already. End one with `process` first.")
        if full:
            raise CommandRefused("Too many commands of other conversations are running. Try again later.")

    def _tidy(self) -> None:
        self._running = {command for command in self._running if not command.ended.is_set()}
        finished: dict[str, list[Command]] = {}
        for command in self._kept.values():
            if command.ended_at is not None:
                finished.setdefault(command.order.agent_id, []).append(command)
        for commands in finished.values():
            commands.sort(key=lambda one: one.ended_at or 0.0, reverse=True)
            for number, command in enumerate(commands):
                if number >= self._max_finished or self._now() - (command.ended_at or 0.0) > self._keep_s:
                    self._kept.pop(command.id, None)

"""So many at once, and so many of one: who comes later waits, each in the line of its own name.

The lines are served in turn, so that one agent with a hundred calls does not make the others wait for all of
them. Everything happens on the event loop.
"""

import asyncio
from collections import OrderedDict, deque


class Slots:
    def __init__(self, most: int, most_of_one: int) -> None:
        self._most = most
        self._most_of_one = most_of_one
        self._taken: dict[str, int] = {}
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        self.taken = 0

    async def take(self, of: str) -> None:
        """Returns with a slot, which whoever has it must `give` back. Bound it by a time-out."""
        if self._free(of) and of not in self._waiting:
            self._mark(of)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(of, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                # Its turn had come in the same moment.
                self.give(of)
            else:
                self._leave(of, turn)
            raise

    def give(self, of: str) -> None:
        self.taken -= 1
        left = self._taken[of] - 1
        if left:
            self._taken[of] = left
        else:
            del self._taken[of]
        self._serve()

    def _serve(self) -> None:
        for name in list(self._waiting):
            if self.taken >= self._most:
                return
            if not self._free(name):
                continue
            line = self._waiting[name]
            while line and line[0].cancelled():
                del line[0]
            if line:
                self._mark(name)
                line.popleft().set_result(None)
                # Whoever was served goes behind the others.
                self._waiting.move_to_end(name)
            if not line:
                del self._waiting[name]

    def _free(self, of: str) -> bool:
        return self.taken < self._most and self._taken.get(of, 0) < self._most_of_one

    def _mark(self, of: str) -> None:
        self.taken += 1
        self._taken[of] = self._taken.get(of, 0) + 1

    def _leave(self, of: str, turn: "asyncio.Future[None]") -> None:
        line = self._waiting.get(of)
        if line is not None and turn in line:
            line.remove(turn)
            if not line:
                del self._waiting[of]

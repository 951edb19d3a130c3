"""What comes to the same place in this process is done one after the other, in the order in which it came.

The database decides between processes; within one, statements that go out on several connections at once
would overtake each other. Knows nothing of databases.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Hashable, Iterable
from contextlib import asynccontextmanager


class Arrivals:
    def __init__(self) -> None:
        self._newest: dict[Hashable, asyncio.Future[None]] = {}

    @asynccontextmanager
    async def turn(self, places: Iterable[Hashable], until: float) -> AsyncIterator[None]:
        """From when all who came to one of these places before have gone. Raises TimeoutError where that is
        not before `until`, of the monotonic clock."""
        gone = asyncio.get_running_loop().create_future()
        earlier = []
        own = tuple(places)
        for place in own:
            before = self._newest.get(place)
            if before is not None:
                earlier.append(before)
            self._newest[place] = gone
        try:
            for before in earlier:
                if not before.done():
                    async with asyncio.timeout(until - time.monotonic()):
                        await asyncio.shield(before)
            yield
        finally:
            # Who stops waiting leaves no gap: those behind it wait for those before it.
            left = [before for before in earlier if not before.done()]
            if left:
                _when_all(left, gone)
            else:
                gone.set_result(None)
            for place in own:
                if self._newest[place] is gone and gone.done():
                    del self._newest[place]


def _when_all(earlier: list["asyncio.Future[None]"], gone: "asyncio.Future[None]") -> None:
    left = set(earlier)

    def one_less(done: "asyncio.Future[None]") -> None:
        left.discard(done)
        if not left and not gone.done():
            gone.set_result(None)

    for each in earlier:
        each.add_done_callback(one_less)

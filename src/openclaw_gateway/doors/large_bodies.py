"""Large request bodies are decoded one at a time and not on the event loop.

Twelve megabytes of images take tens of milliseconds, in which nobody's stream would go on. A thread cannot
hang on them: decoding is pure and linear. It does not run beside the loop either, but takes turns with it.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import TypeVar

from openclaw_gateway.work.threads import Threads

T = TypeVar("T")

# What is smaller is decoded in less time than a thread costs.
LARGE = 256 << 10


class LargeBodies:
    """One at a time among all that are decoded through this object."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._threads = Threads("bodies", most=1)

    async def decode(self, data: bytes, decode: Callable[[bytes], T]) -> T:
        """What `decode` makes of a body, large or not. Raises what it raises. Who is cancelled, and be it
        often, hears of it when the thread is done: until then it holds the body, and nobody else's turn has
        come."""
        if len(data) <= LARGE:
            return decode(data)
        async with self._turn:
            decoding = asyncio.ensure_future(self._threads.run("", lambda: decode(data)))
            try:
                return await asyncio.shield(decoding)
            except asyncio.CancelledError:
                while not decoding.done():
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.wait((decoding,))
                decoding.exception()  # it is nobody's any more
                raise
            finally:
                del decoding  # an error that it holds would keep this frame, and so the body

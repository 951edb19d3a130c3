"""A run that is followed: its steps, kept until they are read, whichever connection brought them."""

import asyncio
from collections import deque
from typing import Self

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.client.errors import TooMuchSaid
from openclaw_gateway.client.steps import (
    Compacted,
    ModelFailed,
    Said,
    Step,
    Steps,
    Thought,
    ToolBegan,
    ToolDone,
    ToolWorks,
    Waits,
)

MOST_STEPS = 10_000
MOST_CHARS = 64 << 20
# What is not the answer itself.
_BESIDE = (ToolBegan, ToolWorks, ToolDone, ModelFailed, Compacted, Waits)


class Asking(Struct, frozen=True):
    """What was sent for a run, so that it can be sent again where nobody knows whether it arrived."""

    method: str
    params: dict[str, object]


class FollowedRun:
    """Iterate over its steps; the last one is its end. `asking` None: it was found at work.

    Text that nobody has read yet is joined. Of a run whose reader is further behind than MOST_STEPS or half
    of MOST_CHARS, what its tools do is passed over; at twice that it is not followed any more.
    """

    def __init__(self, run_id: str, session_key: str, asking: Asking | None = None) -> None:
        self.run_id = run_id
        self.session_key = session_key
        self.asking = asking
        self.accepted = asking is None
        self.told = Steps()
        self.over = asyncio.Event()
        self._steps: deque[Step] = deque()
        self._news = asyncio.Event()
        self._fault: Exception | None = None
        # What the last of them goes on with.
        self._more: list[str] = []
        self._chars = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Step:
        """The next step. Raises what `fail` was given."""
        while not self._steps:
            if self._fault is not None:
                raise self._fault
            if self.over.is_set():
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        if len(self._steps) == 1:
            self._join()
        step = self._steps.popleft()
        self._chars -= _chars(step)
        return step

    def take(self, *steps: Step) -> None:
        if self._fault is not None:
            return
        for step in steps:
            if self._is_full and isinstance(step, _BESIDE):
                continue
            if len(self._steps) >= 2 * MOST_STEPS or self._chars >= MOST_CHARS:
                self.fail(TooMuchSaid("The run says more than is kept for a reader that is so far behind."))
                return
            self._chars += _chars(step)
            last = self._steps[-1] if self._steps else None
            match last, step:
                case (Said(), Said(text)) | (Thought(), Thought(text)):
                    self._more.append(text)
                case (ToolWorks(call_id), ToolWorks(same, _, text)) if call_id == same:
                    self._more.append(text)
                case _:
                    self._join()
                    self._steps.append(step)
        if self.told.ended:
            self.over.set()
        self._news.set()

    def _join(self) -> None:
        """Once for each step, not for each piece of its text."""
        last = self._steps[-1] if self._more else None
        if isinstance(last, Said | Thought | ToolWorks):
            self._steps[-1] = replace(last, text="".join((last.text, *self._more)))
            self._more.clear()

    @property
    def _is_full(self) -> bool:
        return len(self._steps) >= MOST_STEPS or self._chars >= MOST_CHARS // 2

    def fail(self, fault: Exception) -> None:
        """It will not go on for this client."""
        if not self.over.is_set():
            self._fault = fault
            self.over.set()
        self._news.set()


def _chars(step: Step) -> int:
    """How much it holds, of what may be long."""
    match step:
        case Said() | Thought() | ToolWorks() | ToolDone():
            return len(step.text)
        case _:
            return 0

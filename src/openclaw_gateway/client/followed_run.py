"""A run that is followed: its steps, kept until they are read, whichever connection brought them."""

import asyncio
from collections import deque
from typing import Self

from msgspec import Struct

from openclaw_gateway.client.steps import Said, Step, Steps, Thought, ToolWorks


class Asking(Struct, frozen=True):
    """What was sent for a run, so that it can be sent again where nobody knows whether it arrived."""

    method: str
    params: dict[str, object]


class FollowedRun:
    """Iterate over its steps; the last one is its end. `asking` None: it was found at work.

    Text that nobody has read yet is joined, so that what is kept is never more than the run itself.
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
        return self._steps.popleft()

    def take(self, *steps: Step) -> None:
        for step in steps:
            last = self._steps[-1] if self._steps else None
            match last, step:
                case (Said(), Said()):
                    self._steps[-1] = Said(last.text + step.text)
                case (Thought(), Thought()):
                    self._steps[-1] = Thought(last.text + step.text)
                case (ToolWorks(), ToolWorks()) if last.call_id == step.call_id:
                    self._steps[-1] = ToolWorks(step.call_id, step.name, last.text + step.text)
                case _:
                    self._steps.append(step)
        if self.told.ended:
            self.over.set()
        self._news.set()

    def fail(self, fault: Exception) -> None:
        """It will not go on for this client."""
        if not self.over.is_set():
            self._fault = fault
            self.over.set()
        self._news.set()

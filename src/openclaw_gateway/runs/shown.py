"""How much of an aborted run has reached its clients: asked when the run ends, and its turn keeps no more."""

from typing import Protocol

from openclaw_gateway.runs.run import Run


class Shown(Protocol):
    async def of(self, run: Run) -> int:
        """The index of a run's log up to which some client has everything, once all that are there have had
        a moment to take the rest."""


class ShownHere:
    """Where there is one process."""

    async def of(self, run: Run) -> int:
        await run.readers.last_words(run.emitted)
        return run.readers.shown

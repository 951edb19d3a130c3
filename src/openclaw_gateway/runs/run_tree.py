"""What one request may lead to in all: the runs that its run starts, and those that they start.

Pure. All of them share one count of runs and of rounds and the time of the first; how deep they may go is
bounded, so that agents which send to each other come to an end by themselves.
"""

from openclaw_gateway.errors import ToolLoop

MAX_DEPTH = 4
MAX_RUNS = 32


class RunTree:
    """One object per request, shared by its runs. `deadline` is the first run's, on the loop's clock."""

    __slots__ = ("deadline", "rounds", "runs")

    def __init__(self, deadline: float | None) -> None:
        self.deadline = deadline
        self.runs = 1
        self.rounds = 0

    def admit(self, depth: int) -> None:
        """Count one more run, `depth` below the first. Raises ToolLoop."""
        if depth > MAX_DEPTH:
            raise ToolLoop(
                f"Conversations that ask conversations may go {MAX_DEPTH} deep. Answer with what is there.",
                code="run_too_deep",
            )
        if self.runs >= MAX_RUNS:
            raise ToolLoop(
                f"One request may lead to {MAX_RUNS} runs, and it has. Answer with what is there.",
                code="too_many_runs",
            )
        self.runs += 1

"""When a run goes round in circles: the same call with the same result, or too many rounds.

Pure. Rounds are counted for the whole tree of runs that one request led to.
"""

from openclaw_gateway.errors import ToolLoop
from openclaw_gateway.runs.run_tree import RunTree
from openclaw_gateway.wire.messages import ToolCall, ToolMessage

MAX_REPEATS = 3
MAX_ROUNDS = 64


class LoopGuard:
    def __init__(self, max_rounds: int, tree: RunTree) -> None:
        self._max_rounds = max_rounds
        self._tree = tree
        self._seen: dict[tuple[str, str, str], int] = {}

    def check(self, calls: tuple[ToolCall, ...], results: list[ToolMessage]) -> None:
        """Count a finished round. Raises ToolLoop."""
        self._tree.rounds += 1
        said = {result.tool_call_id: result.content for result in results}
        for call in calls:
            key = (call.name, call.arguments, said.get(call.id, ""))
            seen = self._seen[key] = self._seen.get(key, 0) + 1
            if seen >= MAX_REPEATS:
                raise ToolLoop(
                    f"The model called the tool '{call.name}' {MAX_REPEATS} times in the same way, got the "
                    "same result each time, and was stopped. Ask differently, or use a stronger model."
                )
        if self._tree.rounds >= self._max_rounds:
            raise ToolLoop(
                f"The run used {self._tree.rounds} rounds of tools, its limit (tools.maxToolRounds), without "
                "coming to an answer. Ask for less at once, or raise the limit.",
                code="too_many_tool_rounds",
            )

"""When a run goes round in circles: the same call with the same result, or too many rounds.

Pure.
"""

from collections import Counter

from openclaw_gateway.errors import ToolLoop
from openclaw_gateway.wire.messages import ToolCall, ToolMessage

MAX_REPEATS = 3
MAX_ROUNDS = 64


class LoopGuard:
    def __init__(self, max_rounds: int) -> None:
        self._max_rounds = max_rounds
        self._rounds = 0
        self._seen: Counter[tuple[str, str, str]] = Counter()

    def check(self, calls: tuple[ToolCall, ...], results: list[ToolMessage]) -> None:
        """Count a finished round. Raises ToolLoop."""
        self._rounds += 1
        said = {result.tool_call_id: result.content for result in results}
        for call in calls:
            key = (call.name, call.arguments, said.get(call.id, ""))
            self._seen[key] += 1
            if self._seen[key] >= MAX_REPEATS:
                raise ToolLoop(
                    f"The model called the tool '{call.name}' {MAX_REPEATS} times in the same way, got the "
                    "same result each time, and was stopped. Ask differently, or use a stronger model."
                )
        if self._rounds >= self._max_rounds:
            raise ToolLoop(
                f"The run used {self._rounds} rounds of tools, its limit (tools.maxToolRounds), without "
                "coming to an answer. Ask for less at once, or raise the limit.",
                code="too_many_tool_rounds",
            )

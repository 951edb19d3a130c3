"""What `openclaw agent` asks and what it gets, whichever way the request goes. No IO.

Both ways yield text and reasoning as they come, then one Completed, or raise CommandFailed with the run id.
"""

from collections.abc import AsyncGenerator
from typing import Any

from msgspec import Struct

from openclaw_gateway.cli.failure import CommandFailed
from openclaw_gateway.wire.events import ReasoningDelta, TextDelta

# The name of the session the terminal talks to when none is named; routing makes it the agent's own.
MAIN_SESSION = "main"


class Question(Struct, frozen=True):
    """`session_key` as the user wrote it. `timeout_s` None leaves the limit to the agent."""

    run_id: str
    text: str
    agent: str | None = None
    session_key: str | None = None
    timeout_s: float | None = None


class Completed(Struct, frozen=True):
    """The end of a run that completed, as the WebSocket protocol puts it."""

    envelope: dict[str, Any]


def refusal(question: Question, *, message: str, code: str, kind: str) -> CommandFailed:
    """A run that was refused or failed, in the terminal's words."""
    if code == "agent_not_found" and question.agent:
        message = (
            f'Unknown agent id "{question.agent}". `openclaw agents list` has them; or leave out --agent.'
        )
    return CommandFailed(message, code=code, kind=kind, run_id=question.run_id)


Part = TextDelta | ReasoningDelta | Completed
Parts = AsyncGenerator[Part, None]

"""A question whether a command may run, and its end, as the control protocol tells them.

Names and shapes are OpenClaw's (`exec.approval.requested`, `exec.approval.resolved`; docs/gateway/protocol).
Ours are the decision `allow-session`, and of a question: `decisions`, `door`, `user`, `runId`, `toolCallId`.
"""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from openclaw_gateway.wire.run import Door

Decision = Literal["allow-once", "allow-session", "allow-always", "deny"]
# Why a question ended without a person's answer. To the clients that is a no.
Unanswered = Literal["expired", "run-ended", "shutdown"]
OURS: Decision = "allow-session"


class CommandQuestion(Struct, frozen=True, rename="camel"):
    """What runs if the answer is yes, whole: `command` as the shell gets it, `command_argv` where it is one
    simple command, `resolved_path` the first program's file, `env_keys` the variables that the call sets.
    A client that asks (`exec.approval.request`) has no run here, and its command runs elsewhere: `host` is
    what it calls that.

    `warning_text` says why it is asked about and who wants it. `allowed_decisions` are those that clients of
    the older systems know, `decisions` all of them.
    """

    command: str
    command_argv: tuple[str, ...] | None
    cwd: str
    host: str
    security: str
    ask: str
    agent_id: str | None
    resolved_path: str | None
    session_key: str | None
    env_keys: tuple[str, ...]
    warning_text: str
    decisions: tuple[Decision, ...]
    allowed_decisions: tuple[Decision, ...]
    door: Door
    user: str | None
    run_id: str | None
    tool_call_id: str | None


class ApprovalRequested(Struct, frozen=True, rename="camel"):
    """Unix milliseconds."""

    id: str
    request: CommandQuestion
    created_at_ms: int
    expires_at_ms: int


class ApprovalResolved(Struct, frozen=True, rename="camel"):
    """`resolved_by` names the client that answered; without an answer `reason` says why there is none."""

    id: str
    decision: Decision
    resolved_by: str | None
    ts: int
    request: CommandQuestion
    reason: Unanswered | UnsetType = UNSET

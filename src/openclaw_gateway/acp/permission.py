"""A question whether a command may run, as an editor asks it, and its answer. Pure."""

from collections.abc import Mapping
from typing import Any

from openclaw_gateway.wire.approvals import ApprovalRequested, Decision

_OPTIONS: dict[Decision, tuple[str, str]] = {
    "allow-once": ("Allow once", "allow_once"),
    "allow-session": ("Allow in this session", "allow_always"),
    "allow-always": ("Always allow", "allow_always"),
    "deny": ("Deny", "reject_once"),
}


def permission(session_id: str, asked: ApprovalRequested, call_id: str | None) -> dict[str, Any]:
    """Params of `session/request_permission`. `call_id` None: the call is of a run below this one."""
    request = asked.request
    text = f"{request.command}\n\nin {request.cwd}\n{request.warning_text}"
    return {
        "sessionId": session_id,
        "toolCall": {
            "toolCallId": call_id or f"question/{asked.id}",
            "title": request.command,
            "kind": "execute",
            "status": "pending",
            "content": [{"type": "content", "content": {"type": "text", "text": text}}],
        },
        "options": [
            {"optionId": one, "name": _OPTIONS[one][0], "kind": _OPTIONS[one][1]} for one in request.decisions
        ],
    }


def decision(answer: object, asked: ApprovalRequested) -> Decision:
    """Whatever is no yes is a no."""
    match answer:
        case {"outcome": {"outcome": "selected", "optionId": str(option)}}:
            return next((one for one in asked.request.decisions if one == option), "deny")
        case Mapping() | _:
            return "deny"

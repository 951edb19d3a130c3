"""What `agent` and `chat.send` have in common: the message, and how hard it is to be thought about."""

from collections.abc import Sequence

from openclaw_gateway.doors.ws.attached import Attachment, attached
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import UserMessage
from openclaw_gateway.wire.run import Sampling

# OpenClaw's levels, as providers know them.
_THINKING = {
    "off": "none",
    **{level: level for level in ("minimal", "low", "medium", "high", "xhigh", "max")},
}


def asked_in(
    method: str, key: str, message: str, thinking: str | None, attachments: Sequence[Attachment] | None
) -> tuple[UserMessage, Sampling]:
    """`key` is the idempotency key, by which the run is called. Raises InvalidRequest."""
    if not key.isprintable():
        raise invalid(method, "idempotencyKey must be printable text", "idempotencyKey")
    if not message.strip() and not attachments:
        raise invalid(method, "message must not be blank", "message")
    asked = attached(UserMessage(message), attachments or ())
    if thinking is None or not thinking.strip():
        return asked, Sampling()
    level = _THINKING.get(thinking.strip().lower())
    if level is None:
        raise invalid(method, f"thinking is one of {', '.join(_THINKING)}", "thinking")
    return asked, Sampling(reasoning_effort=level)


def invalid(method: str, why: str, param: str) -> InvalidRequest:
    """In the protocol's words."""
    return InvalidRequest(f"invalid {method} params: {why}", code="invalid_params", param=param)

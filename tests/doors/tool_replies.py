"""A short way to write model answers that call tools, for the scripted server."""

from openclaw_gateway.testing import replies
from openclaw_gateway.testing.replies import Call, Reply

Asked = tuple[str, str, str]  # id, name, arguments as JSON text


def calls(*asked: Asked, text: str = "") -> Reply:
    """A message that says `text`, if there is any, and then calls these tools."""
    return replies.calls(
        *([text] if text else []), *(Call(name, arguments, id=call_id) for call_id, name, arguments in asked)
    )

"""`sessions.patch`: gives a session a name. What else the older systems keep beside a session goes with a
request here, and is refused in words instead of being dropped."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import fields

from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.doors.ws.methods.sessions import session_row
from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import WRITE
from openclaw_gateway.gateway.routing import Ask

_METHOD = "sessions.patch"
_Key = Annotated[str, Meta(min_length=1, max_length=512)]
_WITH_EACH = "it is not kept with a session here"
_INSTEAD = {
    "model": "the agent's configuration says which; agent takes a model for one message",
    "thinkingLevel": "chat.send and agent take thinking for one message",
    "sendPolicy": "this gateway sends to no channels",
    "groupActivation": "this gateway has no group chats",
}


class _Others(Struct, frozen=True, rename="camel"):
    """What is published, and not served."""

    model: object = UNSET
    thinking_level: object = UNSET
    fast_mode: object = UNSET
    verbose_level: object = UNSET
    trace_level: object = UNSET
    reasoning_level: object = UNSET
    elevated_level: object = UNSET
    response_usage: object = UNSET
    context_window: object = UNSET
    exec_host: object = UNSET
    exec_security: object = UNSET
    exec_ask: object = UNSET
    exec_node: object = UNSET
    permission_mode: object = UNSET
    tool_overrides: object = UNSET
    inherited_tool_allow: object = UNSET
    inherited_tool_deny: object = UNSET
    send_policy: object = UNSET
    group_activation: object = UNSET
    archived: object = UNSET
    pinned: object = UNSET
    unread: object = UNSET
    icon: object = UNSET
    color: object = UNSET
    category: object = UNSET
    board_face: object = UNSET
    status_note: object = UNSET
    attention: object = UNSET
    ttl_minutes: object = UNSET
    completion_owner_session_key: object = UNSET
    inherited_tool_policy_version: object = UNSET
    expected_lifecycle_revision: object = UNSET
    expected_permission_mode: object = UNSET
    expected_tool_overrides: object = UNSET
    expected_marked_unread_at: object = UNSET


class PatchParams(_Others, frozen=True, kw_only=True):
    """`label` null takes the name away. `expectedSessionId` is the session's key."""

    key: _Key
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    expected_session_id: str | None = None
    label: _Key | UnsetType | None = UNSET


async def _patch(call: MethodCall, params: PatchParams) -> object:
    """Raises InvalidRequest, NotFound."""
    for field in fields(_Others):
        if getattr(params, field.name) is not UNSET:
            name = field.encode_name
            raise invalid(_METHOD, f"{name} cannot be set: {_INSTEAD.get(name, _WITH_EACH)}", name)
    label = params.label
    if isinstance(label, UnsetType):
        raise invalid(_METHOD, "must have required property 'label'", "label")
    if label is not None and not (label.strip() and label.isprintable()):
        raise invalid(_METHOD, "label must be printable text", "label")
    key = call.gateway.route(Ask(agent=params.agent_id, session_key=params.key)).session_key
    if key is None:
        raise invalid(_METHOD, "key must not be blank", "key")
    if params.expected_session_id not in (None, key):
        raise invalid(_METHOD, "expectedSessionId is another session's", "expectedSessionId")
    record = await call.gateway.held.rename(call.principal, key, label and label.strip())
    if record is None:
        raise NotFound("There is no such session: see sessions.list.", param="key")
    return {"ok": True, "key": key, "entry": session_row(record)}


METHODS = (Method(_METHOD, WRITE, PatchParams, _patch),)

"""`sessions.*` of one session: looked at, resolved, begun anew, deleted. (`sessions` lists them.)

What another owner has is not found. A session's id is its key: one that a client has kept goes on meaning it.
"""

import secrets
from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.doors.ws.methods.sessions import session_row
from openclaw_gateway.doors.ws.newest import MOST, MOST_BYTES, newest
from openclaw_gateway.errors import NotFound
from openclaw_gateway.gateway.principal import ADMIN, READ, WRITE
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import SessionRecord

Key = Annotated[str, Meta(min_length=1, max_length=512)]
_USUAL = 200
_MOST_CHARS = 100_000
_PREVIEWS = 64


class KeyParams(Struct, frozen=True, rename="camel"):
    key: Key
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None


class ResolveParams(Struct, frozen=True, rename="camel"):
    key: Key | None = None
    session_id: Key | None = None
    label: Key | None = None
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    allow_missing: bool = False


class PreviewParams(Struct, frozen=True, rename="camel"):
    keys: Annotated[tuple[Key, ...], Meta(min_length=1, max_length=_PREVIEWS)]
    limit: Annotated[int, Meta(ge=1)] | None = None
    max_chars: Annotated[int, Meta(ge=20)] | None = None


class CreateParams(Struct, frozen=True, rename="camel"):
    """A session is made with its first message: this gives it its key."""

    key: Key | None = None
    agent_id: Annotated[str, Meta(max_length=256)] | None = None


async def _describe(call: MethodCall, params: KeyParams) -> object:
    record = await _record(call, "sessions.describe", params.key, params.agent_id)
    return {"session": None if record is None else session_row(record)}


async def _get(call: MethodCall, params: KeyParams) -> object:
    record = await _record(call, "sessions.get", params.key, params.agent_id)
    if record is None:
        return {"messages": []}
    held, limit = call.gateway.held, params.limit or _USUAL
    seen = await newest(held, call.principal, record, limit=limit, most_chars=_MOST_CHARS)
    return {"messages": seen.messages}


async def _resolve(call: MethodCall, params: ResolveParams) -> object:
    """Raises NotFound, unless it may be missing."""
    wanted = params.key or params.session_id
    if wanted is None and params.label is None:
        raise invalid("sessions.resolve", "must have required property 'key', 'sessionId' or 'label'", "key")
    record = None
    if wanted is not None:
        record = await _record(call, "sessions.resolve", wanted, params.agent_id)
    else:
        listed, _ = await call.gateway.sessions(call.principal, limit=MOST)
        record = next((each for each in listed if each.label == params.label), None)
    if record is not None:
        name = record.label or record.key.split(":", 2)[-1]
        return {"ok": True, "key": record.key, "agentId": record.agent, "displayName": name}
    if params.allow_missing:
        return {"ok": False}
    raise NotFound("There is no such session: see sessions.list.", param="key")


async def _preview(call: MethodCall, params: PreviewParams) -> object:
    limit, chars = min(params.limit or 12, 50), min(params.max_chars or 240, 2_000)
    previews, left = [], MOST_BYTES
    for key in dict.fromkeys(params.keys):
        record = await _record(call, "sessions.preview", key, None)
        items: list[Any] = []
        if record is not None:
            seen = await newest(
                call.gateway.held,
                call.principal,
                record,
                limit=limit,
                most_chars=chars,
                most_bytes=left,
            )
            left = max(0, left - seen.size)
            for message in seen.messages:
                text = " ".join(part["text"] for part in message["content"] if part["type"] == "text")
                role = "tool" if message["role"] == "toolResult" else message["role"]
                items.append({"role": role, "text": text})
        status = "missing" if record is None else "ok" if items else "empty"
        previews.append({"key": key, "status": status, "items": items})
    return {"ts": now_ms(), "previews": previews}


async def _create(call: MethodCall, params: CreateParams) -> object:
    if params.key is None:
        agent = asked_agent_id(params.agent_id) if params.agent_id else call.gateway.roster.default_id
        if agent is None:
            raise invalid("sessions.create", "agentId is no agent id", "agentId")
        wanted = f"agent:{agent}:chat-{secrets.token_hex(6)}"
    else:
        wanted = params.key
    key = _key(call, "sessions.create", wanted, params.agent_id)
    return {"ok": True, "key": key, "sessionId": key}


async def _reset(call: MethodCall, params: KeyParams) -> object:
    """The conversation begins anew under its key; what was said stays in the store."""
    key = _key(call, "sessions.reset", params.key, params.agent_id)
    record = await call.gateway.held.begin_anew(call.principal, key)
    return {"ok": True, "key": key, "entry": {} if record is None else session_row(record)}


async def _delete(call: MethodCall, params: KeyParams) -> object:
    key = _key(call, "sessions.delete", params.key, params.agent_id)
    deleted = await call.gateway.held.delete(call.principal, key)
    return {"ok": True, "key": key, "deleted": deleted, "archived": []}


def _key(call: MethodCall, method: str, wanted: str, agent: str | None) -> str:
    """Raises InvalidRequest."""
    route = call.gateway.route(Ask(agent=agent, session_key=wanted))
    if route.session_key is None:
        raise invalid(method, "key must not be blank", "key")
    return route.session_key


async def _record(call: MethodCall, method: str, wanted: str, agent: str | None) -> SessionRecord | None:
    found = await call.gateway.held.find(call.principal, _key(call, method, wanted, agent))
    return None if found is None else found.record


METHODS = (
    Method("sessions.describe", READ, KeyParams, _describe),
    Method("sessions.get", READ, KeyParams, _get),
    Method("sessions.resolve", READ, ResolveParams, _resolve),
    Method("sessions.preview", READ, PreviewParams, _preview),
    Method("sessions.create", WRITE, CreateParams, _create),
    Method("sessions.reset", ADMIN, KeyParams, _reset),
    Method("sessions.delete", ADMIN, KeyParams, _delete),
)

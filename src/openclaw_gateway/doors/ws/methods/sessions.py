"""`sessions.*`: the caller's conversations, newest first, and which of them a client wants to hear of.

A client hears of the runs it starts or attaches to, and of those it subscribes to, whichever door started
them: `sessions.subscribe` is for all sessions of the caller and for runs without one, and adds
`sessions.changed` when a run of a session begins or ends, or a session is made, named, begun anew, forked or
deleted, by whichever door; `sessions.messages.subscribe` is for one. A
session that does not exist yet, or is another owner's, may be subscribed to: there is nothing to hear of
it. The older systems send every run's events to every client; here that must be asked for, once.
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.method import ANSWERED, Method, MethodCall, Nothing
from openclaw_gateway.gateway.idempotency import has_beginning
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import SessionRecord

_SCANNED = 1_000


class ListParams(Struct, frozen=True, rename="camel"):
    """A larger limit than a thousand is that; `search` and `active_minutes` look at the newest thousand."""

    limit: Annotated[int, Meta(ge=1)] | None = None
    offset: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    active_minutes: Annotated[int, Meta(ge=1, le=2**31)] | None = None
    search: Annotated[str, Meta(max_length=256)] | None = None


class SubscribeParams(Struct, frozen=True, rename="camel"):
    """`includeApprovals` and the like are accepted and not used. Ours: `last_event_seq` is the number of the
    last event of the run `run_id` that the client has heard, on whatever connection."""

    key: Annotated[str, Meta(min_length=1, max_length=512)]
    run_id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    last_event_seq: Annotated[int, Meta(ge=0, le=2**53)] | None = None


def session_row(record: SessionRecord) -> dict[str, Any]:
    """A session as clients list it."""
    row = {
        "key": record.key,
        "sessionId": record.key,
        "kind": "direct",
        "agentId": record.agent,
        "displayName": record.label or record.key.split(":", 2)[-1],
        "updatedAt": record.updated_ms,
        "createdAt": record.created_ms,
        "inputTokens": record.prompt_tokens,
        "outputTokens": record.completion_tokens,
        "totalTokens": record.total_tokens,
        "status": "running" if record.active_run else "done",
        "hasActiveRun": record.active_run is not None,
    }
    if record.label is not None:
        row["label"] = record.label
    if record.parent is not None:
        row["parentSessionKey"] = record.parent
    return row


async def _list(call: MethodCall, params: ListParams) -> object:
    gateway, principal = call.gateway, call.principal
    limit, offset = min(params.limit or 100, _SCANNED), params.offset or 0
    agent = asked_agent_id(params.agent_id) if params.agent_id else None
    if params.agent_id and agent is None:
        raise invalid("sessions.list", "agentId is no agent id", "agentId")
    if params.search or params.active_minutes:
        newest, _ = await gateway.sessions(principal, agent=agent, limit=_SCANNED)
        fitting = [record for record in newest if _fits(record, params)]
        page, total = fitting[offset : offset + limit], len(fitting)
    else:
        records, total = await gateway.sessions(principal, agent=agent, limit=limit, offset=offset)
        page = list(records)
    after = offset + len(page)
    provider, _, model = gateway.target_name(gateway.roster.default_id).partition("/")
    listed = {
        "ts": now_ms(),
        "path": "(multiple)",
        "count": len(page),
        "totalCount": total,
        "limitApplied": limit,
        "offset": offset,
        "hasMore": after < total,
        "defaults": {"modelProvider": provider or None, "model": model or None},
        "sessions": [session_row(record) for record in page],
    }
    return listed | {"nextOffset": after} if after < total else listed


def _fits(record: SessionRecord, params: ListParams) -> bool:
    if params.active_minutes and record.updated_ms < now_ms() - params.active_minutes * 60_000:
        return False
    wanted = (params.search or "").lower()
    return wanted in record.key or wanted in (record.label or "").lower()


async def _subscribe(call: MethodCall, _: Nothing) -> object:
    call.subscribe()
    call.watch()
    return {"subscribed": True}


async def _unsubscribe(call: MethodCall, _: Nothing) -> object:
    call.unsubscribe()
    return {"subscribed": False}


async def _subscribe_one(call: MethodCall, params: SubscribeParams) -> object:
    key = _session_key(call, "sessions.messages.subscribe", params)
    if params.last_event_seq is not None:
        return await _go_on(call, key, params.run_id, params.last_event_seq)
    call.subscribe(key)
    return {"subscribed": True, "key": key}


async def _go_on(call: MethodCall, key: str, run_id: str | None, seq: int) -> object:
    """First the reply, which says how the run is told, then its events."""
    if run_id is None:
        raise invalid("sessions.messages.subscribe", "lastEventSeq is of a run: say which by runId", "runId")
    run = call.gateway.find(call.principal, run_id)
    if run is None or run.request.session_key != key:
        call.subscribe(key)
        return {"subscribed": True, "key": key, "resumed": False}
    resumed = not call.follows(run) and await has_beginning(run)
    with call.events_after(run.id):
        call.subscribe(key)
        await call.reply({"subscribed": True, "key": key, "resumed": resumed})
        if resumed:
            call.resume(run, seq)
    return ANSWERED


async def _unsubscribe_one(call: MethodCall, params: SubscribeParams) -> object:
    key = _session_key(call, "sessions.messages.unsubscribe", params)
    call.unsubscribe(key)
    return {"subscribed": False, "key": key}


def _session_key(call: MethodCall, method: str, params: SubscribeParams) -> str:
    """Raises InvalidRequest."""
    key = call.gateway.route(Ask(session_key=params.key)).session_key
    if key is None:
        raise invalid(method, "key must not be blank", "key")
    return key


METHODS = (
    Method("sessions.list", READ, ListParams, _list),
    Method("sessions.subscribe", READ, Nothing, _subscribe),
    Method("sessions.unsubscribe", READ, Nothing, _unsubscribe),
    Method("sessions.messages.subscribe", READ, SubscribeParams, _subscribe_one),
    Method("sessions.messages.unsubscribe", READ, SubscribeParams, _unsubscribe_one),
)

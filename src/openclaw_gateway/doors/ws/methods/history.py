"""`chat.history` and what chat windows ask for with it: what was said in a session, and what is being said.

Shapes are OpenClaw's, as its terminal and its control page read them. A session that does not exist yet has
an empty history.
"""

from collections.abc import Sequence
from typing import Annotated, Any

from msgspec import Meta, Struct

from openclaw_gateway.doors.ws.method import Method, MethodCall
from openclaw_gateway.doors.ws.methods.sessions import session_row
from openclaw_gateway.doors.ws.newest import newest
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.run import Run
from openclaw_gateway.sessions.keys import main_key
from openclaw_gateway.wire.events import TextDelta

_USUAL = 200
_MOST_CHARS = 500_000
_USUAL_CHARS = 100_000
_MOST_RUNS = 50
RunId = Annotated[str, Meta(min_length=1, max_length=256)]


class HistoryParams(Struct, frozen=True, rename="camel"):
    """`limit` is how many messages before the `offset` newest, `max_chars` how much of each text.
    `input_run_ids` are the keys of messages that the client has sent: it is told what became of them."""

    session_key: Annotated[str, Meta(min_length=1, max_length=512)]
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None
    offset: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    max_chars: Annotated[int, Meta(ge=1, le=_MOST_CHARS)] | None = None
    input_run_ids: Annotated[tuple[RunId, ...], Meta(min_length=1, max_length=_MOST_RUNS)] | None = None


class MetadataParams(Struct, frozen=True, rename="camel"):
    agent_id: Annotated[str, Meta(max_length=256)] | None = None
    session_key: Annotated[str, Meta(max_length=512)] | None = None


async def _history(call: MethodCall, params: HistoryParams) -> object:
    gateway, principal = call.gateway, call.principal
    route = gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    key = route.session_key or main_key(route.agent_id)
    provider, _, model = gateway.target_name(route.agent_id).partition("/")
    found = await gateway.held.find(principal, key)
    history: dict[str, Any] = {
        "sessionKey": key,
        "sessionId": key,
        "messages": [],
        "hasMore": False,
        "totalMessages": 0,
        "thinkingLevel": None,
        "defaults": {"modelProvider": provider or None, "model": model or None},
    }
    running = gateway.running(principal, key)
    if found is not None:
        record, skip = found.record, params.offset or 0
        seen = await newest(
            gateway.held,
            principal,
            record,
            limit=params.limit or _USUAL,
            most_chars=params.max_chars or _USUAL_CHARS,
            skip=skip,
        )
        after = skip + len(seen.messages)
        history |= {
            "messages": seen.messages,
            "hasMore": after < seen.total,
            **({"nextOffset": after} if after < seen.total else {}),
            "totalMessages": seen.total,
            "sessionInfo": {**session_row(record), "activeRunIds": [run.shown_id for run in running]},
        }
    if running:
        # The newest, unless it only waits.
        at_work = next((run for run in running if not run.queued and run.taken_by is None), running[-1])
        history["inFlightRun"] = {"runId": at_work.shown_id, "text": await _said_so_far(at_work)}
    if params.input_run_ids:
        history["inputReceipts"] = await _receipts(call, key, params.input_run_ids)
    return history


async def _receipts(call: MethodCall, key: str, names: Sequence[str]) -> list[dict[str, str]]:
    """Of those messages that were taken: whether each waits for its answer yet, or stands in the session."""
    receipts = []
    for name in dict.fromkeys(names):
        record = await call.gateway.held.turn_named(call.principal, key, name)
        if record is None:
            continue
        if record.ended_ms is None:
            receipts.append({"runId": name, "state": "pending"})
        else:
            by = record.answered_by or record.id
            receipts.append({"runId": name, "state": "consumed", "consumedByEventId": by})
    return receipts


async def _said_so_far(run: Run) -> str:
    """As much of it as is kept."""
    log = run.events()
    try:
        events = await log.batch(0)
    except LookupError:
        return ""
    finally:
        log.close()
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def _metadata(call: MethodCall, params: MetadataParams) -> object:
    """What an agent is asked with."""
    route = call.gateway.route(Ask(agent=params.agent_id, session_key=params.session_key))
    provider, _, model = call.gateway.target_name(route.agent_id).partition("/")
    return {"agentId": route.agent_id, "modelProvider": provider or None, "model": model or None}


METHODS = (
    Method("chat.history", READ, HistoryParams, _history),
    Method("chat.startup", READ, HistoryParams, _history),
    Method("chat.metadata", READ, MetadataParams, _metadata),
)

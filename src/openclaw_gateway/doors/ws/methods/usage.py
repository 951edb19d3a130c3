"""`usage.*` and `sessions.usage`: what the caller's runs came to, from the ledger, as OpenClaw tells it."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from msgspec import Meta

from openclaw_gateway.config.agent_id import asked_agent_id
from openclaw_gateway.doors.ws.asked import invalid
from openclaw_gateway.doors.ws.days import DaysParams, days_of
from openclaw_gateway.doors.ws.method import Method, MethodCall, Nothing
from openclaw_gateway.doors.ws.spendingview import aggregates, by_session, daily, of_session, totals
from openclaw_gateway.gateway.principal import READ
from openclaw_gateway.gateway.routing import Ask
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import SessionRecord

_USUAL_SESSIONS, _MOST_SESSIONS = 50, 200
_AgentId = Annotated[str, Meta(max_length=256)]


class CostParams(DaysParams, frozen=True):
    """One agent, the default one, or all."""

    agent_id: _AgentId | None = None
    agent_scope: Literal["all"] | None = None


class SessionsParams(CostParams, frozen=True):
    """`key` is of one session. `groupBy` and the like are accepted and not used: a session is one here."""

    key: Annotated[str, Meta(min_length=1, max_length=512)] | None = None
    limit: Annotated[int, Meta(ge=1)] | None = None


async def _cost(call: MethodCall, params: CostParams) -> object:
    agent = _agent(call, "usage.cost", params)
    days = days_of("usage.cost", params, datetime.now(UTC))
    found = await call.gateway.spending.by_day(call.principal, days, agent=agent)
    rows = [row for day in found for row in day.spent]
    return {"updatedAt": now_ms(), "days": len(days), "daily": daily(found), "totals": totals(rows)}


async def _sessions(call: MethodCall, params: SessionsParams) -> object:
    """The newest sessions; totals are of all that ran, and with a `key` of that session."""
    agent, spending = _agent(call, "sessions.usage", params), call.gateway.spending
    days = days_of("sessions.usage", params, datetime.now(UTC))
    if params.key is None:
        limit = min(params.limit or _USUAL_SESSIONS, _MOST_SESSIONS)
        records, _ = await call.gateway.sessions(call.principal, agent=agent, limit=limit)
    else:
        records = await _one(call, params.key, params.agent_id)
    keys = tuple(record.key for record in records)
    of_each = await spending.by_day(call.principal, days, sessions=keys)
    each = by_session(of_each)
    of_all = of_each if params.key else await spending.by_day(call.principal, days, agent=agent)
    return {
        "updatedAt": now_ms(),
        "startDate": days[0].date,
        "endDate": days[-1].date,
        "sessions": [
            _row(record) | {"usage": of_session(record.key, record.agent, each.get(record.key, ()))}
            for record in records
        ],
        "totals": totals(row for day in of_all for row in day.spent),
        "aggregates": aggregates(of_all),
    }


async def _status(_: MethodCall, __: Nothing) -> object:
    """What is left of a subscription no provider is asked for."""
    return {"updatedAt": now_ms(), "providers": []}


async def _one(call: MethodCall, key: str, agent: str | None) -> tuple[SessionRecord, ...]:
    wanted = call.gateway.route(Ask(agent=agent, session_key=key)).session_key
    held = await call.gateway.held.find(call.principal, wanted) if wanted else None
    return () if held is None else (held.record,)


def _row(record: SessionRecord) -> dict[str, Any]:
    label = {} if record.label is None else {"label": record.label}
    return {
        "key": record.key,
        "sessionId": record.key,
        "scope": "instance",
        "agentId": record.agent,
        "updatedAt": record.updated_ms,
        "hasContextWeight": False,
        **label,
    }


def _agent(call: MethodCall, method: str, params: CostParams) -> str | None:
    """None = all. An agent that is no longer configured may have run. Raises InvalidRequest."""
    if params.agent_scope == "all":
        if params.agent_id:
            raise invalid(method, "agentScope=all cannot be combined with agentId", "agentId")
        return None
    if not params.agent_id:
        return call.gateway.roster.default_id
    agent = asked_agent_id(params.agent_id)
    if agent is None:
        raise invalid(method, "agentId is no agent id", "agentId")
    return agent


METHODS = (
    Method("usage.cost", READ, CostParams, _cost),
    Method("usage.status", READ, Nothing, _status),
    Method("sessions.usage", READ, SessionsParams, _sessions),
)

"""Sessions and turns as the Agents API shows them, and what is remembered of a session beside what was said.

Pure. A session's id is its key, by which every door knows it; a turn is a run, and its id is made of the
run's. Source: the types of the `openai` package, 3.52 (types/beta/agent_session, agents/sessions/turn).
"""

import re
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.config.brands import BRANDS
from openclaw_gateway.doors.openai.response_object import mark_of, run_of
from openclaw_gateway.errors import RunAborted
from openclaw_gateway.gateway.held.sessions import HeldSession
from openclaw_gateway.runs.run import now_ms
from openclaw_gateway.sessions.store import RunRecord, SessionRecord
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.run import RunStatus, Sampling, Usage

Json = dict[str, Any]
_METADATA_FIELD = re.compile(r"metadata\[(.*)\]", re.DOTALL)
# How old what is remembered may be before it is remembered anew: it is kept for thirty days.
_FRESH_MS = 24 * 3_600_000
_STATUSES: dict[RunStatus, str] = {
    "queued": "queued",
    "running": "in_progress",
    "completed": "completed",
    "aborted": "cancelled",
    "failed": "failed",
    "interrupted": "failed",
}
_LOST = ErrorInfo("The gateway stopped before this turn was complete.", "api_error", "run_interrupted", 503)
_CODES = {
    400: "invalid_request",
    401: "authentication_error",
    402: "billing_not_active",
    403: "authentication_error",
    404: "resource_not_found",
    408: "request_timeout",
    413: "invalid_request",
    422: "invalid_request",
    429: "rate_limit_exceeded",
    502: "connection_failed",
    503: "server_overloaded",
    504: "request_timeout",
}


class About(Struct, frozen=True, omit_defaults=True):
    """What a client has said once of its session, for all turns. `backend` is the model that it chose for the
    agent, `kept_ms` when this was remembered last."""

    model: str
    instructions: str = ""
    effort: str | None = None
    schema: Raw | UnsetType = UNSET
    backend: str = ""
    metadata: dict[str, str] = {}
    kept_ms: int = 0

    def written(self) -> Raw:
        return Raw(msgspec.json.encode(self))

    @property
    def is_old(self) -> bool:
        return now_ms() - self.kept_ms > _FRESH_MS

    @property
    def sampling(self) -> Sampling:
        """As far as it is said."""
        sampling = Sampling()
        if self.effort is not None:
            sampling = msgspec.structs.replace(sampling, reasoning_effort=self.effort)
        if self.schema is not UNSET:
            schema = {"name": "answer", "schema": self.schema}
            said = Raw(msgspec.json.encode({"type": "json_schema", "json_schema": schema}))
            sampling = msgspec.structs.replace(sampling, response_format=said)
        return sampling


_about = msgspec.json.Decoder(About)


def about_of(held: HeldSession) -> About:
    """Of a session that another door made, or whose settings are not kept any more, what there is to say."""
    return (
        About(f"{BRANDS[0].model_word}/{held.record.agent}")
        if held.about is None
        else _about.decode(held.about)
    )


def labels_of(agent: str, metadata: Mapping[str, str]) -> tuple[str, ...]:
    """What a session is listed by."""
    return (*(_label("metadata", *pair) for pair in metadata.items()), _label("agent", agent))


def labels_in(query: Mapping[str, str], agent: str | None) -> tuple[str, ...]:
    """What a list's sessions are to have; () where it says nothing of their metadata."""
    named = ((_METADATA_FIELD.fullmatch(name), value) for name, value in query.items())
    metadata = tuple(_label("metadata", found[1], value) for found, value in named if found)
    return (*metadata, _label("agent", agent)) if metadata and agent else metadata


def _label(*words: str) -> str:
    """Of one length, whatever a client has written."""
    return blake2b(msgspec.json.encode(("session", *words)), digest_size=16).hexdigest()


def session_of(held: HeldSession, status: str | None = None) -> Json:
    """`status` None = as it is."""
    record, about = held.record, about_of(held)
    schema = {"type": "text"} if about.schema is UNSET else {"type": "json_schema", "schema": about.schema}
    return {
        "id": record.key,
        "object": "agent.session",
        "created_at": record.created_ms // 1000,
        "last_active_at": record.updated_ms // 1000,
        "status": status or ("in_progress" if held.is_at_work else "idle"),
        "error": None,
        "metadata": about.metadata,
        "required_actions": (),
        "vault_ids": (),
        "environment": {"type": "none"},
        "usage": _session_usage(record),
        "agent": {
            "id": record.agent,
            "name": record.agent,
            "model": about.model,
            "instructions": about.instructions or None,
            "multi_agent": {"enabled": False, "max_concurrent_subagents": None},
            "reasoning": {"effort": about.effort, "summary": None},
            "service_tier": "auto",
            "text": {"format": schema, "verbosity": "medium"},
            "tools": (),
        },
    }


def turn_of(record: RunRecord) -> Json:
    ended = None if record.ended_ms is None else record.ended_ms // 1000
    status, error = record.status, record.error
    if status == "aborted" and error is not None and error.code != RunAborted.default_code:
        # Not by its client.
        status = "failed"
    failed = _STATUSES[status] == "failed"
    return {
        "id": turn_id(record.id),
        "object": "agent.session.turn",
        "session_id": record.session or "",
        "agent_id": record.agent,
        "subagent_id": None,
        "status": _STATUSES[status],
        "created_at": record.created_ms // 1000,
        "started_at": None if status == "queued" else record.created_ms // 1000,
        "completed_at": ended,
        "error": turn_error(error or _LOST) if failed else None,
        "usage": None if record.usage is None else usage_of(record.usage),
    }


def turn_id(run_id: str) -> str:
    return f"turn_{mark_of(run_id)}"


def turn_run(id_: str) -> str | None:
    """The run of a turn; None for an id that is none of ours."""
    return run_of(f"resp_{id_.removeprefix('turn_')}") if id_.startswith("turn_") else None


def item_run(id_: str | None) -> str | None:
    """The run that an item was said in; of an id that is none of ours, no run has the name."""
    return None if id_ is None else turn_run(f"turn_{id_.split('_')[1]}" if "_" in id_ else "") or ""


def turn_error(error: ErrorInfo) -> Json:
    """In OpenAI's words; what else there is to say is in the message."""
    if error.code == "context_length_exceeded":
        return {"code": error.code, "message": error.message}
    return {"code": _CODES.get(error.status, "server_error"), "message": error.message}


def usage_of(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def _session_usage(record: SessionRecord) -> Json:
    """What was cached, and thought, is not counted over a whole session."""
    return usage_of(Usage(record.prompt_tokens, record.completion_tokens, record.total_tokens))

"""Between rows of the PostgreSQL store and the structs of the Store protocol. No statement is run here."""

from asyncpg import Record

from openclaw_gateway.sessions import stored
from openclaw_gateway.sessions.store import Claim, Claimed, RunRecord, SessionRecord, Summary, Transcript
from openclaw_gateway.wire.error_info import ErrorInfo, after_tools
from openclaw_gateway.wire.run import RunStatus

# A run whose session is deleted is gone, whether or not it is cleared away yet.
RUNS = (
    "SELECT runs.id, runs.owner, sessions.key, runs.agent, runs.status, runs.created_ms, runs.ended_ms, "
    "runs.usage, runs.error, runs.digest, runs.parent, runs.idempotency_key, "
    "CASE WHEN final_seq IS NULL THEN next_run END, runs.acted, greatest(runs.attempts, 1), runs.number "
    "FROM runs LEFT JOIN sessions ON sessions.number = runs.session "
    "WHERE (runs.session IS NULL OR sessions.number IS NOT NULL) "
)
SESSIONS = (
    'SELECT key, owner, agent, created_ms, updated_ms, last_seq, "user", label, '
    "CASE WHEN lease_until_ms IS NOT NULL THEN (SELECT id FROM runs WHERE runs.number = holder) END, "
    "prompt_tokens, completion_tokens, total_tokens, parent FROM sessions "
)
_NOTHING = Transcript()


def run_record(row: Record) -> RunRecord:
    usage, error, digest, parent, name, answered_by, acted, attempts, _ = row[7:]
    run_id, owner, session, agent, status, created_ms, ended_ms = row[:7]
    return RunRecord(
        run_id,
        owner,
        session,
        agent,
        status,
        created_ms,
        ended_ms,
        usage=stored.usage(usage),
        error=_why(status, stored.error(error), acted=acted),
        digest=digest,
        parent=parent,
        name=name,
        answered_by=answered_by,
        attempts=attempts,
    )


def _why(status: RunStatus, error: ErrorInfo | None, *, acted: bool) -> ErrorInfo | None:
    """Whoever closes what another has left knows not what that one's tools have done; this says so."""
    return after_tools(error) if error is not None and acted and status == "interrupted" else error


def session_record(row: Record) -> SessionRecord:
    return SessionRecord(*row)


def claimed(claim: Claim, row: Record) -> Claimed:
    """Of a row whose last columns are after_seq, last_seq, previous_ms, summary and bodies."""
    after_seq, last_seq, previous_ms, summary, bodies = row[-5:]
    return Claimed(claim, after_seq, last_seq, previous_ms, _transcript(after_seq, last_seq, summary, bodies))


def summary_of(covered_seq: int, text: str | None) -> Summary | None:
    if not covered_seq:
        return None
    return Summary(covered_seq, stored.lost_summary(covered_seq) if text is None else text)


def _transcript(after_seq: int, last_seq: int, text: str | None, bodies: bytes | None) -> Transcript | None:
    if not last_seq:
        return _NOTHING
    if bodies is None:
        return None
    entries = stored.joined(bodies, last_seq - after_seq)
    # What is damaged is told of where it is read again.
    return None if entries is None else Transcript(entries, summary_of(after_seq, text))

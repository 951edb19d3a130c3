"""What a PostgreSQL store did and holds, looked at beside the store itself: triggers note who held a session
when and who wrote what, in the database's own order and by its own clock. A replica is known by the user as
whom it comes to the database.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter

import asyncpg
import msgspec

from openclaw_gateway.sessions.store import Entry as StoredEntry
from openclaw_gateway.wire.messages import AssistantMessage, UserMessage
from tests.cluster.history import Billed, Entry, Hold, Recorded, Written

_AUDIT = """
CREATE SCHEMA audit;
CREATE TABLE audit.holds (
    number bigserial PRIMARY KEY, session bigint, token bigint, replica text, holder bigint,
    at_s double precision, until_s double precision
);
CREATE TABLE audit.written (
    number bigserial PRIMARY KEY, session bigint, seq bigint, run text, replica text, token bigint
);
CREATE TABLE audit.beats (
    number bigserial PRIMARY KEY, replica text, process text, at_s double precision, until_s double precision
);
CREATE FUNCTION audit.note_beat() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.beats (replica, process, at_s, until_s) VALUES (
        session_user, NEW.id, extract(epoch FROM clock_timestamp()), NEW.lease_until_ms / 1000.0
    );
    RETURN NULL;
END $$;
CREATE TRIGGER audit_beat AFTER INSERT OR UPDATE ON replicas
    FOR EACH ROW EXECUTE FUNCTION audit.note_beat();
CREATE FUNCTION audit.note_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.lease_until_ms IS NULL THEN RETURN NULL; END IF;
    ELSIF NEW.token = OLD.token AND NEW.lease_until_ms IS NOT DISTINCT FROM OLD.lease_until_ms THEN
        RETURN NULL;
    END IF;
    INSERT INTO audit.holds (session, token, replica, holder, at_s, until_s) VALUES (
        NEW.number, NEW.token, session_user, NEW.holder,
        extract(epoch FROM clock_timestamp()), NEW.lease_until_ms / 1000.0
    );
    RETURN NULL;
END $$;
-- A process that does not know whether it has a run gives it up: its claim is no claim from then on.
CREATE FUNCTION audit.note_given_up() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.holds (session, token, replica, holder, at_s, until_s) SELECT
        s.number, s.token, session_user, NEW.number, extract(epoch FROM clock_timestamp()), NULL
    FROM sessions s WHERE s.number = NEW.session AND s.holder = NEW.number AND s.lease_until_ms IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_given_up AFTER UPDATE OF replica ON runs
    FOR EACH ROW WHEN (OLD.replica IS NOT NULL AND NEW.replica IS NULL AND NEW.ended_ms IS NULL)
    EXECUTE FUNCTION audit.note_given_up();
CREATE TRIGGER audit_hold AFTER INSERT OR UPDATE ON sessions
    FOR EACH ROW EXECUTE FUNCTION audit.note_hold();
CREATE FUNCTION audit.note_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit.written (session, seq, run, replica, token) SELECT
        NEW.session, NEW.seq, NEW.run, session_user, s.token
    FROM sessions s WHERE s.number = NEW.session;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_entry AFTER INSERT ON entries
    FOR EACH ROW EXECUTE FUNCTION audit.note_entry();
"""


_HOLDS = """
SELECT *, coalesce(lead(at_s) OVER (PARTITION BY session ORDER BY number), 'infinity') AS next_s
FROM audit.holds ORDER BY number
"""


class Held(msgspec.Struct, frozen=True):
    """What the store holds at the end, and what it did until then."""

    transcripts: dict[str, tuple[Entry, ...]]
    runs: tuple[Recorded, ...]
    ledger: tuple[Billed, ...]
    holds: tuple[Hold, ...]
    written: tuple[Written, ...]


async def users(url: str, names: Sequence[str]) -> None:
    """A user of the database for each replica; each may do everything, as the one user of an operator may."""
    link = await asyncpg.connect(url)
    try:
        for name in names:
            await link.execute(f'CREATE ROLE "{name}" LOGIN SUPERUSER')
    finally:
        await link.close()


async def watch(url: str) -> None:
    """From now on the database of this URL, which has the store's tables, notes what is done to it."""
    link = await asyncpg.connect(url)
    try:
        await link.execute(_AUDIT)
    finally:
        await link.close()


async def open_runs(url: str) -> int:
    link = await asyncpg.connect(url)
    try:
        return int(await link.fetchval("SELECT count(*) FROM runs WHERE ended_ms IS NULL"))
    finally:
        await link.close()


async def completed(url: str, before_s: float) -> tuple[str, ...]:
    """The runs that had their answer so many seconds ago."""
    link = await asyncpg.connect(url)
    try:
        rows = await link.fetch(
            "SELECT id FROM runs WHERE status = 'completed' "
            "AND ended_ms < (extract(epoch FROM clock_timestamp()) - $1::float8) * 1000",
            before_s,
        )
    finally:
        await link.close()
    return tuple(row["id"] for row in rows)


async def held(url: str) -> Held:
    link = await asyncpg.connect(url)
    try:
        async with link.transaction(isolation="repeatable_read", readonly=True):
            return await _held(link)
    finally:
        await link.close()


async def _held(link: asyncpg.Connection) -> Held:
    names = {
        row["number"]: user_of(row["key"]) for row in await link.fetch("SELECT number, key FROM sessions")
    }
    entries: dict[str, list[Entry]] = {name: [] for name in names.values()}
    for row in await link.fetch("SELECT session, body FROM entries ORDER BY session, seq"):
        entries[names[row["session"]]].append(_entry(row["body"]))
    runs = await link.fetch("SELECT number, id, session, idempotency_key, status FROM runs ORDER BY number")
    ids = {row["number"]: row["id"] for row in runs}
    holds = await link.fetch(_HOLDS)
    beats = Beats(
        tuple(row) for row in await link.fetch("SELECT replica, process, at_s, until_s FROM audit.beats")
    )
    written = await link.fetch("SELECT * FROM audit.written ORDER BY number")
    ledger = await link.fetch("SELECT run, status FROM ledger")
    return Held(
        transcripts={name: tuple(each) for name, each in entries.items()},
        runs=tuple(
            Recorded(row["id"], names.get(row["session"], ""), row["idempotency_key"] or "", row["status"])
            for row in runs
        ),
        ledger=tuple(Billed(row["run"], row["status"]) for row in ledger),
        holds=tuple(
            Hold(
                names[row["session"]],
                row["token"],
                row["replica"],
                ids.get(row["holder"], ""),
                row["at_s"],
                row["until_s"],
                *beats.until_s(row["replica"], row["at_s"], row["next_s"]),
            )
            for row in holds
        ),
        written=tuple(
            Written(names[row["session"]], row["seq"], row["run"], row["replica"], row["token"])
            for row in written
        ),
    )


class Beats:
    """(replica, process, when, until when), of all processes that there were."""

    def __init__(self, beats: Iterable[tuple[str, str, float, float]]) -> None:
        self._of: dict[str, list[tuple[float, str, float]]] = {}
        for replica, process, at_s, until_s in beats:
            self._of.setdefault(replica, []).append((at_s, process, until_s))
        for each in self._of.values():
            each.sort()

    def until_s(self, replica: str, at_s: float, before_s: float) -> tuple[float, float]:
        """Of the process of this name at `at_s`: the end of its lease, as it was beaten last before, and the
        first end after which it did not go on at once."""
        beats = self._of.get(replica, [])
        at = bisect_right(beats, at_s, key=itemgetter(0)) - 1
        if at < 0:
            return 0.0, 0.0
        last = unbroken = beats[at][2]
        for when, process, until in beats[at:]:
            if when > before_s or process != beats[at][1]:
                break
            if when <= unbroken:
                unbroken = until
            last = until
        return last, unbroken


def user_of(key: str) -> str:
    """The user whom a request named, of the key of the session that it made."""
    return key.rpartition("openai-user:")[2]


def _entry(body: bytes) -> Entry:
    entry = msgspec.json.decode(body, type=StoredEntry)
    match entry.message:
        case UserMessage(content=text):
            return Entry(entry.seq, entry.run_id, "user", text)
        case AssistantMessage() as message:
            return Entry(entry.seq, entry.run_id, "assistant", message.content)
        case other:
            return Entry(entry.seq, entry.run_id, type(other).__name__, "")

-- readable from: 1
--
-- What is done to runs that begin or go on. Each function is one act: it is the transaction of whoever calls
-- it alone, so it costs one round trip and works behind a pool of transactions.
--
-- The order in which every act takes locks, so that no two wait for each other: the lock of an idempotency
-- key, then rows of `sessions` by number, then rows of `runs` by number. Only `take_up_run` takes several
-- sessions, and it passes over those that somebody has locked. `in_at_ms` is the time of a test; NULL = the
-- clock of the database, the only one that ends a lease. It is read once the locks are held.

CREATE FUNCTION now_ms(in_at_ms bigint) RETURNS bigint LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(in_at_ms, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;

-- Whether another process may execute the run (again): it is all there and wanted, has done nothing that a
-- second execution would do twice, and was not begun too often.
CREATE FUNCTION may_be_taken_up(run runs, in_attempts integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT run.ended_ms IS NULL AND run.work IS NOT NULL AND NOT run.acted AND NOT run.abort_requested
        AND run.attempts - run.handed < in_attempts
$$;

-- Whether no living process executes the run or waits for it. One that has not beaten in time may be at work
-- all the same, as long as the claim of its run lasts; one that has left is not.
CREATE FUNCTION is_nobodys(run runs, in_now_ms bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT run.replica IS NULL OR NOT EXISTS (
        SELECT 1 FROM replicas WHERE replicas.id = run.replica
            AND (replicas.lease_until_ms > in_now_ms OR EXISTS (
                SELECT 1 FROM sessions WHERE sessions.number = run.session
                    AND sessions.holder = run.number AND sessions.lease_until_ms > in_now_ms)))
$$;

-- Whether the session may be had now by who is next: it is free, or its holder has let its lease run out and is
-- not to be taken up where its process has gone.
CREATE FUNCTION may_be_had(own sessions, in_now_ms bigint, in_attempts integer) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF own.lease_until_ms IS NULL THEN
        RETURN true;
    ELSIF own.lease_until_ms > in_now_ms THEN
        RETURN false;
    END IF;
    RETURN NOT EXISTS (
        SELECT 1 FROM runs
        WHERE runs.number = own.holder AND may_be_taken_up(runs, in_attempts) AND is_nobodys(runs, in_now_ms));
END $$;

-- Gives a session, whose row is locked, to a run; a holder before it that has let its lease run out ends as
-- lost. What is short of the transcript comes with it: `bodies` is the entries, joined by commas; NULL = long.
CREATE FUNCTION hand_session(
    own sessions, in_run bigint, in_token bigint, in_lease_until_ms bigint, in_now_ms bigint, in_lost bytea,
    OUT after_seq bigint, OUT last_seq bigint, OUT previous_ms bigint, OUT summary text, OUT bodies bytea
) LANGUAGE plpgsql AS $$
BEGIN
    IF own.lease_until_ms IS NOT NULL AND own.holder <> in_run THEN
        UPDATE runs SET status = 'interrupted', ended_ms = in_now_ms, error = in_lost, work = NULL
        WHERE runs.number = own.holder AND runs.ended_ms IS NULL;
    END IF;
    UPDATE sessions SET token = in_token, holder = in_run, lease_until_ms = in_lease_until_ms
    WHERE sessions.number = own.number;
    after_seq := own.covered_seq;
    last_seq := own.last_seq;
    previous_ms := own.updated_ms;
    IF after_seq > 0 THEN
        SELECT summaries.text INTO summary FROM summaries
        WHERE summaries.session = own.number AND summaries.seq = after_seq;
    END IF;
    IF last_seq = after_seq THEN
        bodies := '';
    ELSIF own.tail <= 65536 AND last_seq - after_seq <= 256 THEN
        SELECT string_agg(entries.body, ',' ORDER BY entries.seq) INTO bodies FROM entries
        WHERE entries.session = own.number
            AND entries.seq > after_seq AND entries.seq <= hand_session.last_seq;
    END IF;
END $$;

-- outcome: claimed | queued | recorded | duplicate (of the run `known`) | taken (the id is another owner's) |
-- busy (`place` runs wait). `in_again`: the same call was made before, and nobody knows what came of it. Where
-- somebody begins a run of the same id, or deletes the session, at this very time, it fails with
-- unique_violation or no_data_found: whoever calls it again hears more.
CREATE FUNCTION begin_run(
    in_at_ms bigint, in_id text, in_owner text, in_session text, in_agent text, in_user text, in_parent text,
    in_key text, in_digest bytea, in_work bytea, in_given boolean, in_replica text, in_lease_ms bigint,
    in_max_queued integer, in_attempts integer, in_lost bytea, in_again boolean, in_created_ms bigint,
    OUT outcome text, OUT known text, OUT place integer, OUT token bigint, OUT after_seq bigint,
    OUT last_seq bigint, OUT previous_ms bigint, OUT summary text, OUT bodies bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    earlier runs;
    own sessions;
    is_new boolean := false;
    now bigint;
    arrival bigint;
BEGIN
    IF in_key IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(hashtextextended(in_owner || '/' || in_key, 7));
        SELECT * INTO earlier FROM runs
        WHERE owner = in_owner AND idempotency_key = in_key
            AND (runs.session IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE sessions.number = runs.session))
        ORDER BY number DESC LIMIT 1;
        IF FOUND AND earlier.ended_ms IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM results WHERE results.number = earlier.number)
        THEN
            earlier := NULL;
        END IF;
    END IF;
    IF earlier.number IS NULL THEN
        SELECT * INTO earlier FROM runs WHERE id = in_id;
        IF earlier.session IS NOT NULL
            AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.number = earlier.session)
        THEN
            -- Its session is deleted, and it is not yet cleared away.
            DELETE FROM results WHERE number = earlier.number;
            DELETE FROM runs WHERE number = earlier.number;
            earlier := NULL;
        END IF;
    END IF;
    IF earlier.number IS NOT NULL THEN
        IF earlier.owner <> in_owner THEN
            outcome := 'taken';
        ELSIF in_again AND earlier.id = in_id AND earlier.ended_ms IS NULL
            AND (earlier.replica = in_replica OR in_given)
        THEN
            SELECT * INTO outcome, place, token, after_seq, last_seq, previous_ms, summary, bodies
            FROM begun_before(in_at_ms, earlier.number, in_lease_ms);
        ELSE
            outcome := 'duplicate';
            known := earlier.id;
        END IF;
        RETURN;
    END IF;

    IF in_session IS NULL THEN
        INSERT INTO runs (id, owner, agent, parent, idempotency_key, digest, status, created_ms, work, replica, attempts)
        VALUES (
            in_id, in_owner, in_agent, in_parent, in_key, in_digest,
            CASE WHEN in_given THEN 'queued' ELSE 'running' END,
            coalesce(in_created_ms, now_ms(in_at_ms)), in_work,
            CASE WHEN NOT in_given THEN in_replica END, CASE WHEN in_given THEN 0 ELSE 1 END);
        outcome := 'recorded';
        RETURN;
    END IF;

    SELECT * INTO own FROM sessions WHERE owner = in_owner AND key = in_session FOR UPDATE;
    IF own.number IS NULL THEN
        now := now_ms(in_at_ms);
        INSERT INTO sessions (owner, key, agent, "user", created_ms, updated_ms)
        VALUES (in_owner, in_session, in_agent, in_user, now, now)
        ON CONFLICT (owner, key) DO NOTHING RETURNING * INTO own;
        is_new := own.number IS NOT NULL;
        IF NOT is_new THEN
            SELECT * INTO STRICT own FROM sessions
            WHERE owner = in_owner AND key = in_session FOR UPDATE;
        END IF;
    END IF;
    now := now_ms(in_at_ms);
    arrival := nextval('arrivals');
    IF NOT in_given AND own.waiting = 0 AND may_be_had(own, now, in_attempts) THEN
        INSERT INTO runs (
            number, id, owner, session, agent, parent, idempotency_key, digest, status, created_ms, token, work,
            replica, attempts)
        VALUES (
            arrival, in_id, in_owner, own.number, in_agent, in_parent, in_key, in_digest, 'running',
            coalesce(in_created_ms, now),
            arrival, in_work, in_replica, 1);
        SELECT * INTO after_seq, last_seq, previous_ms, summary, bodies
        FROM hand_session(own, arrival, arrival, now + in_lease_ms, now, in_lost);
        IF is_new THEN
            previous_ms := NULL;
        END IF;
        token := arrival;
        outcome := 'claimed';
        RETURN;
    END IF;
    IF own.waiting >= in_max_queued THEN
        outcome := 'busy';
        place := own.waiting;
        RETURN;
    END IF;
    INSERT INTO runs (
        number, id, owner, session, agent, parent, idempotency_key, digest, status, created_ms, work, replica)
    VALUES (
        arrival, in_id, in_owner, own.number, in_agent, in_parent, in_key, in_digest, 'queued',
        coalesce(in_created_ms, now), in_work,
        CASE WHEN NOT in_given THEN in_replica END);
    UPDATE sessions SET waiting = waiting + 1 WHERE number = own.number;
    outcome := 'queued';
    place := own.waiting + (own.lease_until_ms IS NOT NULL)::integer;
END $$;

-- What a begin of this very process has come to, whose answer was lost.
CREATE FUNCTION begun_before(
    in_at_ms bigint, in_run bigint, in_lease_ms bigint,
    OUT outcome text, OUT place integer, OUT token bigint, OUT after_seq bigint, OUT last_seq bigint,
    OUT previous_ms bigint, OUT summary text, OUT bodies bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    own sessions;
    run runs;
    now bigint;
BEGIN
    SELECT * INTO run FROM runs WHERE number = in_run;
    IF run.session IS NULL THEN
        outcome := 'recorded';
        RETURN;
    END IF;
    SELECT * INTO own FROM sessions WHERE number = run.session FOR UPDATE;
    IF own.holder = in_run AND own.lease_until_ms IS NOT NULL THEN
        now := now_ms(in_at_ms);
        token := own.token;
        SELECT * INTO after_seq, last_seq, previous_ms, summary, bodies
        FROM hand_session(own, in_run, own.token, now + in_lease_ms, now, NULL);
        outcome := 'claimed';
        IF own.created_ms = own.updated_ms AND own.last_seq = 0 THEN
            previous_ms := NULL;
        END IF;
        RETURN;
    END IF;
    outcome := 'queued';
    SELECT count(*) INTO place FROM runs
    WHERE runs.session = run.session AND ended_ms IS NULL AND number < in_run;
END $$;

-- outcome: claimed | later (another run holds the session or is before it) | refused (it does not wait).
-- `in_again` as in begin_run.
CREATE FUNCTION claim_run(
    in_at_ms bigint, in_id text, in_replica text, in_lease_ms bigint, in_attempts integer, in_lost bytea,
    in_again boolean,
    OUT outcome text, OUT run_owner text, OUT run_session text, OUT token bigint, OUT after_seq bigint,
    OUT last_seq bigint, OUT previous_ms bigint, OUT summary text, OUT bodies bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    own sessions;
    run runs;
    now bigint;
BEGIN
    outcome := 'refused';
    SELECT sessions.* INTO own FROM runs JOIN sessions ON sessions.number = runs.session
    WHERE runs.id = in_id AND runs.ended_ms IS NULL FOR UPDATE OF sessions;
    IF own.number IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO run FROM runs WHERE id = in_id FOR UPDATE;
    run_owner := own.owner;
    run_session := own.key;
    now := now_ms(in_at_ms);
    IF in_again AND run.status = 'running' AND run.replica = in_replica AND own.holder = run.number
        AND own.lease_until_ms IS NOT NULL
    THEN
        token := own.token;
        SELECT * INTO after_seq, last_seq, previous_ms, summary, bodies
        FROM hand_session(own, run.number, token, now + in_lease_ms, now, in_lost);
        outcome := 'claimed';
        RETURN;
    ELSIF run.status IS DISTINCT FROM 'queued' THEN
        RETURN;
    END IF;
    outcome := 'later';
    IF NOT may_be_had(own, now, in_attempts) OR EXISTS (
        SELECT 1 FROM runs
        WHERE runs.session = run.session AND ended_ms IS NULL AND status = 'queued' AND number < run.number)
    THEN
        RETURN;
    END IF;
    token := nextval('arrivals');
    UPDATE runs SET status = 'running', token = claim_run.token, replica = in_replica, attempts = attempts + 1
    WHERE number = run.number;
    UPDATE sessions SET waiting = waiting - 1 WHERE number = own.number;
    SELECT * INTO after_seq, last_seq, previous_ms, summary, bodies
    FROM hand_session(own, run.number, token, now + in_lease_ms, now, in_lost);
    outcome := 'claimed';
END $$;

-- NULL = fenced, else whether somebody wishes the run to be aborted. A renewal that a crash of the database
-- undoes only makes the lease shorter: nobody waits for the disk.
CREATE FUNCTION renew_run(
    in_at_ms bigint, in_owner text, in_session text, in_token bigint, in_id text, in_lease_ms bigint
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    is_unwanted boolean;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    UPDATE sessions SET lease_until_ms = now_ms(in_at_ms) + in_lease_ms FROM runs
    WHERE sessions.owner = in_owner AND sessions.key = in_session AND sessions.token = in_token
        AND sessions.lease_until_ms IS NOT NULL AND runs.number = sessions.holder AND runs.id = in_id
    RETURNING runs.abort_requested INTO is_unwanted;
    RETURN is_unwanted;
END $$;

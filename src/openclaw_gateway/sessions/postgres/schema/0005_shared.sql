-- readable from: 1
--
-- What the replicas of one gateway have in common. Locks are taken in the order of 0003.

-- This process lives. Its runs bore another name before its first beat.
CREATE FUNCTION beat_replica(
    in_at_ms bigint, in_id text, in_role text, in_version text, in_address text, in_started_ms bigint,
    in_runs integer, in_most integer, in_lease_ms bigint, in_before text
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    now bigint := now_ms(in_at_ms);
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    INSERT INTO replicas (id, role, version, address, started_ms, runs, most, lease_until_ms)
    VALUES (in_id, in_role, in_version, in_address, in_started_ms, in_runs, in_most, now + in_lease_ms)
    ON CONFLICT (id) DO UPDATE SET
        role = excluded.role, version = excluded.version, address = excluded.address,
        started_ms = excluded.started_ms, runs = excluded.runs, most = excluded.most,
        lease_until_ms = excluded.lease_until_ms;
    IF in_before <> in_id THEN
        UPDATE runs SET replica = in_id WHERE ended_ms IS NULL AND replica = in_before;
    END IF;
    -- Those that have gone for an hour: nobody asks for them, and their runs are nobody's either way.
    DELETE FROM replicas WHERE lease_until_ms < now - 3600000;
END $$;

-- Ends some of what no living process executes and nobody may execute again; how many.
CREATE FUNCTION close_nobodys(
    in_at_ms bigint, in_replica text, in_attempts integer, in_error bytea
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    found bigint[];
BEGIN
    found := ARRAY(
        SELECT number FROM runs
        WHERE ended_ms IS NULL AND replica IS DISTINCT FROM in_replica AND is_nobodys(runs, now_ms(in_at_ms))
            AND NOT may_be_taken_up(runs, in_attempts)
        ORDER BY number LIMIT 500);
    IF cardinality(found) = 0 THEN
        RETURN 0;
    END IF;
    RETURN close_runs(in_at_ms, found, in_replica, in_attempts, in_error);
END $$;

-- This process takes part no more: what it has is nobody's.
CREATE FUNCTION leave_replicas(in_id text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM replicas WHERE id = in_id;
    PERFORM 1 FROM runs WHERE ended_ms IS NULL AND replica = in_id ORDER BY number FOR UPDATE;
    UPDATE runs SET replica = NULL WHERE ended_ms IS NULL AND replica = in_id;
END $$;

-- The oldest run that nobody executes is this process's from now on; run_id NULL = there is none. `in_again`:
-- what the call with this ticket has taken up, where its answer was lost.
CREATE FUNCTION take_up_run(
    in_at_ms bigint, in_replica text, in_lease_ms bigint, in_attempts integer, in_error bytea, in_ticket text,
    in_again boolean,
    OUT run_id text, OUT run_owner text, OUT run_session text, OUT body bytea, OUT attempt integer,
    OUT token bigint, OUT after_seq bigint, OUT last_seq bigint, OUT previous_ms bigint, OUT summary text,
    OUT bodies bytea
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    candidate record;
    own sessions;
    run runs;
    now bigint;
    is_taken boolean := false;
BEGIN
    PERFORM close_nobodys(in_at_ms, in_replica, in_attempts, in_error);
    now := now_ms(in_at_ms);
    FOR candidate IN
        SELECT runs.number, runs.session FROM runs LEFT JOIN sessions ON sessions.number = runs.session
        WHERE runs.ended_ms IS NULL AND CASE
            WHEN runs.replica = in_replica THEN in_again AND runs.ticket = in_ticket
            ELSE is_nobodys(runs, now) AND may_be_taken_up(runs, in_attempts)
                AND (runs.session IS NULL OR sessions.lease_until_ms IS NULL OR sessions.holder = runs.number)
                AND NOT EXISTS (
                    SELECT 1 FROM runs AS older
                    WHERE older.session = runs.session AND older.ended_ms IS NULL AND older.number < runs.number)
            END
        ORDER BY runs.replica IS DISTINCT FROM in_replica, runs.number LIMIT 50
    LOOP
        own := NULL;
        IF candidate.session IS NOT NULL THEN
            SELECT * INTO own FROM sessions WHERE number = candidate.session FOR UPDATE SKIP LOCKED;
            CONTINUE WHEN own.number IS NULL;
        END IF;
        SELECT * INTO run FROM runs WHERE number = candidate.number FOR UPDATE SKIP LOCKED;
        now := now_ms(in_at_ms);
        CONTINUE WHEN run.number IS NULL OR run.ended_ms IS NOT NULL;
        IF run.replica = in_replica THEN
            -- Another call of this process has just taken it up.
            CONTINUE WHEN NOT in_again OR run.ticket IS DISTINCT FROM in_ticket;
            is_taken := true;
            token := run.token;
            attempt := run.attempts;
            EXIT;
        END IF;
        CONTINUE WHEN NOT is_nobodys(run, now) OR NOT may_be_taken_up(run, in_attempts);
        CONTINUE WHEN own.lease_until_ms IS NOT NULL AND own.holder <> run.number;
        CONTINUE WHEN EXISTS (
            SELECT 1 FROM runs
            WHERE runs.session = own.number AND ended_ms IS NULL AND number < run.number);
        is_taken := true;
        token := nextval('arrivals');
        attempt := run.attempts + 1;
        UPDATE runs SET status = 'running', token = take_up_run.token, replica = in_replica,
            attempts = take_up_run.attempt, ticket = in_ticket
        WHERE number = run.number;
        IF run.status = 'queued' THEN
            UPDATE sessions SET waiting = waiting - 1 WHERE number = own.number;
        END IF;
        EXIT;
    END LOOP;
    IF NOT is_taken THEN
        RETURN;
    END IF;
    run_id := run.id;
    run_owner := run.owner;
    run_session := own.key;
    body := run.work;
    IF own.number IS NOT NULL THEN
        SELECT * INTO after_seq, last_seq, previous_ms, summary, bodies
        FROM hand_session(own, run.number, token, now + in_lease_ms, now, in_error);
    END IF;
END $$;

-- Whether the run is nobody's now, in its old place; it was this process's, and has neither acted nor ended.
CREATE FUNCTION hand_over_run(in_id text, in_replica text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    own sessions;
    run runs;
BEGIN
    SELECT sessions.* INTO own FROM runs JOIN sessions ON sessions.number = runs.session
    WHERE runs.id = in_id FOR UPDATE OF sessions;
    SELECT * INTO run FROM runs WHERE id = in_id FOR UPDATE;
    IF run.number IS NULL OR run.ended_ms IS NOT NULL OR run.acted OR run.work IS NULL THEN
        RETURN false;
    ELSIF run.replica IS NULL THEN
        RETURN run.status = 'queued' AND run.handed > 0;  -- a repeat
    ELSIF run.replica <> in_replica THEN
        RETURN false;
    END IF;
    UPDATE runs SET status = 'queued', replica = NULL,
        handed = handed + CASE WHEN run.status = 'running' THEN 1 ELSE 0 END
    WHERE number = run.number;
    UPDATE sessions SET lease_until_ms = NULL, waiting = waiting + 1
    WHERE number = own.number AND run.status = 'running' AND holder = run.number;
    RETURN true;
END $$;

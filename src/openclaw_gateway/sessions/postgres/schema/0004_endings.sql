-- readable from: 1
--
-- What is done to runs that end, and to sessions that become two. Locks are taken in the order of 0003.

-- The summary that a session has once no entry behind `in_until` is left of it, as `Store.summary_until` says;
-- covers NULL = none.
CREATE FUNCTION summary_until(in_session bigint, in_until bigint, OUT covers bigint, OUT told text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF in_until <= 0 THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM summaries WHERE session = in_session AND seq > in_until AND text = '') THEN
        covers := in_until;
        told := '';
        RETURN;
    END IF;
    SELECT seq, text INTO covers, told FROM summaries
    WHERE session = in_session AND seq <= in_until ORDER BY seq DESC LIMIT 1;
END $$;

-- What the row of a session says of it that has `in_last` entries now, and behind them this summary.
CREATE FUNCTION settle_entries(
    in_session bigint, in_last bigint, in_covers bigint, in_told text, in_now_ms bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF in_covers IS NOT NULL THEN
        INSERT INTO summaries (session, seq, text, created_ms)
        VALUES (in_session, in_covers, in_told, in_now_ms)
        ON CONFLICT (session, seq) DO UPDATE SET text = excluded.text;
    END IF;
    UPDATE sessions SET
        last_seq = in_last,
        covered_seq = coalesce(in_covers, 0),
        size = (SELECT coalesce(sum(length(body)), 0) FROM entries WHERE session = in_session)
            + (SELECT coalesce(sum(blobs.size), 0) FROM blobs WHERE session = in_session),
        tail = (SELECT coalesce(sum(length(body)), 0) FROM entries
            WHERE session = in_session AND seq > coalesce(in_covers, 0))
    WHERE number = in_session;
END $$;

-- The entries and summaries of a session up to `in_last`, and the names of its large files, for another.
CREATE FUNCTION copy_entries(in_session bigint, in_other bigint, in_last bigint) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO entries (session, seq, run, body)
    SELECT in_other, seq, run, body FROM entries WHERE session = in_session AND seq <= in_last;
    INSERT INTO summaries (session, seq, text, created_ms)
    SELECT in_other, seq, text, created_ms FROM summaries WHERE session = in_session AND seq <= in_last;
    INSERT INTO blobs (session, digest, size)
    SELECT in_other, digest, size FROM blobs WHERE session = in_session;
END $$;

-- The large files that no entry of the session shows any more: it does not name them.
CREATE FUNCTION name_no_more(in_session bigint) RETURNS void LANGUAGE sql AS $$
    DELETE FROM blobs WHERE blobs.session = in_session AND NOT EXISTS (
        SELECT 1 FROM entries WHERE entries.session = in_session
            AND position(convert_to(blobs.digest, 'UTF8') IN entries.body) > 0)
$$;

-- Leaves behind what a session (its row is locked) is until now, as a session of its own, and goes on behind
-- the entry `in_keeps`.
CREATE FUNCTION leave_branch(own sessions, in_keeps bigint, in_label text, in_now_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    branch bigint;
    name text := own.key || '~fork:' || own.token;
    kept record;
BEGIN
    INSERT INTO sessions (
        owner, key, agent, "user", parent, label, created_ms, updated_ms, last_seq, covered_seq, size, tail)
    VALUES (
        own.owner, name, own.agent, own."user", own.key, in_label, own.created_ms,
        own.updated_ms, own.last_seq, own.covered_seq, own.size, own.tail)
    ON CONFLICT (owner, key) DO NOTHING RETURNING number INTO branch;
    IF branch IS NULL THEN
        -- A client has made a session of that very name.
        INSERT INTO sessions (
            owner, key, agent, "user", parent, label, created_ms, updated_ms, last_seq, covered_seq, size, tail)
        VALUES (
            own.owner, name || '~' || replace(gen_random_uuid()::text, '-', ''), own.agent,
            own."user", own.key, in_label, own.created_ms, own.updated_ms, own.last_seq,
            own.covered_seq, own.size, own.tail)
        RETURNING number INTO branch;
    END IF;
    SELECT * INTO kept FROM summary_until(own.number, in_keeps);
    PERFORM copy_entries(own.number, branch, own.last_seq);
    DELETE FROM entries WHERE entries.session = own.number AND seq > in_keeps;
    DELETE FROM summaries WHERE summaries.session = own.number AND seq > in_keeps;
    PERFORM name_no_more(own.number);
    PERFORM settle_entries(own.number, in_keeps, kept.covers, kept.told, in_now_ms);
END $$;

-- outcome: made | refused (no session, or not so many entries) | taken (the key is).
CREATE FUNCTION fork_session(
    in_at_ms bigint, in_owner text, in_session text, in_keeps bigint, in_key text
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    own sessions;
    made bigint;
    kept record;
    now bigint;
BEGIN
    SELECT * INTO own FROM sessions WHERE owner = in_owner AND key = in_session FOR SHARE;
    IF own.number IS NULL OR in_keeps < 0 OR in_keeps > own.last_seq THEN
        RETURN 'refused';
    END IF;
    now := now_ms(in_at_ms);
    INSERT INTO sessions (owner, key, agent, "user", parent, label, created_ms, updated_ms)
    VALUES (own.owner, in_key, own.agent, own."user", own.key, own.label, now, now)
    ON CONFLICT (owner, key) DO NOTHING RETURNING number INTO made;
    IF made IS NULL THEN
        RETURN 'taken';
    END IF;
    SELECT * INTO kept FROM summary_until(own.number, in_keeps);
    PERFORM copy_entries(own.number, made, in_keeps);
    IF in_keeps < own.last_seq THEN
        PERFORM name_no_more(made);
    END IF;
    PERFORM settle_entries(made, in_keeps, kept.covers, kept.told, now);
    RETURN 'made';
END $$;

-- `in_turn`: each entry as JSON but for its beginning, {"seq":<n>, which is put before it here. `in_digests`
-- and `in_sizes`: what of the turn is large. `in_taken` and `in_taken_results`: whose messages it has taken
-- up, those that still wait end with it; `in_unused` is their usage. final_seq NULL = fenced.
CREATE FUNCTION finish_run(
    in_at_ms bigint, in_owner text, in_session text, in_token bigint, in_id text, in_status text, in_usage bytea,
    in_error bytea, in_turn bytea[], in_digests text[], in_sizes bigint[], in_result bytea,
    in_prompt bigint, in_completion bigint, in_total bigint, in_keeps bigint, in_label text,
    in_taken text[], in_taken_results bytea[], in_unused bytea,
    OUT final_seq bigint, OUT next_run text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    own sessions;
    now bigint;
    added bigint := 0;
    beside bigint := 0;
    ended bigint := 0;
BEGIN
    SELECT * INTO own FROM sessions
    WHERE owner = in_owner AND key = in_session AND token = in_token AND lease_until_ms IS NOT NULL FOR UPDATE;
    IF own.number IS NULL OR NOT EXISTS (
        SELECT 1 FROM runs WHERE number = own.holder AND id = in_id AND ended_ms IS NULL)
    THEN
        -- A repeat gets the first answer.
        SELECT runs.final_seq, runs.next_run INTO final_seq, next_run
        FROM runs JOIN sessions ON sessions.number = runs.session
        WHERE runs.id = in_id AND runs.token = in_token AND sessions.owner = in_owner
            AND sessions.key = in_session AND runs.final_seq IS NOT NULL;
        RETURN;
    END IF;
    now := now_ms(in_at_ms);
    final_seq := own.last_seq;
    IF in_keeps IS NOT NULL AND in_keeps < final_seq THEN
        PERFORM leave_branch(own, in_keeps, in_label, now);
        final_seq := in_keeps;
    END IF;
    IF in_taken IS NOT NULL THEN
        WITH done AS (
            UPDATE runs SET status = in_status, ended_ms = now, usage = in_unused, error = in_error,
                next_run = in_id, work = NULL
            WHERE session = own.number AND status = 'queued' AND id = ANY (in_taken)
            RETURNING number, id
        ), kept AS (
            INSERT INTO results (number, kept_ms, body)
            SELECT done.number, now, taken.result
            FROM done JOIN unnest(in_taken, in_taken_results) AS taken (id, result) ON taken.id = done.id
            WHERE taken.result IS NOT NULL
        )
        SELECT count(*) INTO ended FROM done;
    END IF;
    IF cardinality(in_turn) > 0 THEN
        INSERT INTO entries (session, seq, run, body)
        SELECT own.number, final_seq + place, in_id, convert_to('{"seq":' || final_seq + place, 'UTF8') || rest
        FROM unnest(in_turn) WITH ORDINALITY AS turn (rest, place);
        SELECT coalesce(sum(length(body)), 0) INTO added FROM entries
        WHERE session = own.number AND seq > final_seq;
        final_seq := final_seq + cardinality(in_turn);
        IF in_digests IS NOT NULL THEN
            WITH named AS (
                INSERT INTO blobs (session, digest, size)
                SELECT DISTINCT ON (digest) own.number, large.digest, large.size
                FROM unnest(in_digests, in_sizes) AS large (digest, size) ORDER BY digest
                ON CONFLICT (session, digest) DO NOTHING RETURNING size
            )
            SELECT coalesce(sum(size), 0) INTO beside FROM named;
        END IF;
    END IF;
    IF own.waiting - ended > 0 THEN
        SELECT id INTO next_run FROM runs
        WHERE session = own.number AND ended_ms IS NULL AND status = 'queued'
        ORDER BY number LIMIT 1;
    END IF;
    UPDATE runs SET status = in_status, ended_ms = now, usage = in_usage, error = in_error,
        final_seq = finish_run.final_seq, next_run = finish_run.next_run, work = NULL
    WHERE number = own.holder;
    IF in_result IS NOT NULL THEN
        INSERT INTO results (number, kept_ms, body) VALUES (own.holder, now, in_result);
    END IF;
    UPDATE sessions SET
        lease_until_ms = NULL,
        waiting = waiting - ended,
        prompt_tokens = prompt_tokens + in_prompt,
        completion_tokens = completion_tokens + in_completion,
        total_tokens = total_tokens + in_total,
        last_seq = final_seq,
        updated_ms = CASE WHEN cardinality(in_turn) > 0 THEN now ELSE updated_ms END,
        size = size + added + beside,
        tail = tail + added
    WHERE number = own.number;
END $$;

-- done | refused (it has a session, or is unknown) | fenced (another process has taken it up).
CREATE FUNCTION conclude_run(
    in_at_ms bigint, in_id text, in_replica text, in_status text, in_usage bytea, in_error bytea, in_result bytea
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    run runs;
    now bigint;
BEGIN
    SELECT * INTO run FROM runs WHERE id = in_id FOR UPDATE;
    IF run.number IS NULL OR run.session IS NOT NULL THEN
        RETURN 'refused';
    ELSIF run.ended_ms IS NOT NULL THEN
        RETURN 'done';
    ELSIF run.replica <> in_replica THEN
        RETURN 'fenced';
    END IF;
    now := now_ms(in_at_ms);
    UPDATE runs SET status = in_status, ended_ms = now, usage = in_usage, error = in_error, work = NULL
    WHERE number = run.number;
    IF in_result IS NOT NULL THEN
        INSERT INTO results (number, kept_ms, body) VALUES (run.number, now, in_result);
    END IF;
    RETURN 'done';
END $$;

-- last_seq NULL = refused (it holds its session or has none, or is unknown).
CREATE FUNCTION withdraw_run(
    in_at_ms bigint, in_id text, in_status text, in_error bytea, OUT last_seq bigint, OUT next_run text
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    own sessions;
    run runs;
BEGIN
    SELECT sessions.* INTO own FROM runs JOIN sessions ON sessions.number = runs.session
    WHERE runs.id = in_id FOR UPDATE OF sessions;
    SELECT * INTO run FROM runs WHERE id = in_id FOR UPDATE;
    IF own.number IS NULL OR run.number IS NULL OR run.status = 'running' THEN
        RETURN;
    END IF;
    IF run.status = 'queued' THEN
        UPDATE runs SET status = in_status, ended_ms = now_ms(in_at_ms), error = in_error, work = NULL
        WHERE number = run.number;
        UPDATE sessions SET waiting = waiting - 1 WHERE number = own.number;
        own.waiting := own.waiting - 1;
    END IF;
    last_seq := own.last_seq;
    IF own.waiting > 0 AND own.lease_until_ms IS NULL THEN
        SELECT id INTO next_run FROM runs
        WHERE runs.session = run.session AND ended_ms IS NULL ORDER BY number LIMIT 1;
    END IF;
END $$;

-- Ends these runs, as far as they are open and this process's own (as interrupted), or nobody's and not to be
-- executed again (as aborted where somebody has wished that); how many.
CREATE FUNCTION close_runs(
    in_at_ms bigint, in_numbers bigint[], in_replica text, in_attempts integer, in_error bytea
) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    now bigint;
    closed integer;
BEGIN
    PERFORM 1 FROM sessions
    WHERE number IN (SELECT runs.session FROM runs WHERE runs.number = ANY (in_numbers))
    ORDER BY number FOR UPDATE;
    PERFORM 1 FROM runs WHERE number = ANY (in_numbers) ORDER BY number FOR UPDATE;
    now := now_ms(in_at_ms);
    UPDATE runs SET ended_ms = now, work = NULL,
        status = CASE WHEN abort_requested AND replica IS DISTINCT FROM in_replica THEN 'aborted' ELSE 'interrupted' END,
        error = CASE WHEN abort_requested AND replica IS DISTINCT FROM in_replica THEN NULL ELSE in_error END
    WHERE number = ANY (in_numbers) AND ended_ms IS NULL
        AND (replica = in_replica OR (is_nobodys(runs, now) AND NOT may_be_taken_up(runs, in_attempts)));
    GET DIAGNOSTICS closed = ROW_COUNT;
    UPDATE sessions SET
        waiting = (SELECT count(*) FROM runs WHERE runs.session = sessions.number AND status = 'queued'
            AND ended_ms IS NULL),
        lease_until_ms = CASE WHEN EXISTS (
                SELECT 1 FROM runs WHERE runs.number = sessions.holder AND ended_ms IS NULL)
            THEN lease_until_ms END
    WHERE number IN (SELECT runs.session FROM runs WHERE runs.number = ANY (in_numbers));
    RETURN closed;
END $$;

-- What became of runs that this process has begun and heard nothing of: they end as interrupted.
CREATE FUNCTION disown_runs(
    in_at_ms bigint, in_ids text[], in_replica text, in_error bytea
) RETURNS integer LANGUAGE plpgsql AS $$
BEGIN
    UPDATE runs SET replica = in_replica
    WHERE id = ANY (in_ids) AND ended_ms IS NULL AND replica IS NULL AND status = 'queued';
    RETURN close_runs(
        in_at_ms, ARRAY(SELECT number FROM runs WHERE id = ANY (in_ids) AND replica = in_replica), in_replica, 0,
        in_error);
END $$;

-- outcome: kept | outdated (`covered`, `last`: between what it must lie) | none (there is no session).
CREATE FUNCTION summarise_session(
    in_at_ms bigint, in_owner text, in_session text, in_covers bigint, in_told text, in_earlier boolean,
    OUT outcome text, OUT covered bigint, OUT last bigint
) LANGUAGE plpgsql AS $$
DECLARE
    own sessions;
    added integer;
BEGIN
    SELECT * INTO own FROM sessions WHERE owner = in_owner AND key = in_session FOR UPDATE;
    IF own.number IS NULL THEN
        outcome := 'none';
        RETURN;
    END IF;
    covered := own.covered_seq;
    last := own.last_seq;
    outcome := 'kept';
    IF in_covers = covered AND EXISTS (
        SELECT 1 FROM summaries WHERE session = own.number AND seq = in_covers AND text = in_told)
    THEN
        RETURN;
    ELSIF in_earlier AND in_covers > 0 AND in_covers < covered THEN
        INSERT INTO summaries (session, seq, text, created_ms)
        VALUES (own.number, in_covers, in_told, now_ms(in_at_ms)) ON CONFLICT DO NOTHING;
        GET DIAGNOSTICS added = ROW_COUNT;
        UPDATE sessions SET size = size + octet_length(in_told) WHERE number = own.number AND added > 0;
        RETURN;
    ELSIF in_covers <= covered OR in_covers > last THEN
        outcome := 'outdated';
        RETURN;
    END IF;
    INSERT INTO summaries (session, seq, text, created_ms)
    VALUES (own.number, in_covers, in_told, now_ms(in_at_ms));
    UPDATE sessions SET
        covered_seq = in_covers,
        size = size + octet_length(in_told),
        tail = (SELECT coalesce(sum(length(body)), 0) FROM entries
            WHERE entries.session = own.number AND seq > in_covers)
    WHERE number = own.number;
END $$;

-- gone | none (there is no session) | busy. What it had is cleared away afterwards, a little at a time.
CREATE FUNCTION bury_session(in_at_ms bigint, in_owner text, in_session text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    own sessions;
BEGIN
    SELECT * INTO own FROM sessions WHERE owner = in_owner AND key = in_session FOR UPDATE;
    IF own.number IS NULL THEN
        RETURN 'none';
    ELSIF own.waiting > 0 OR own.lease_until_ms > now_ms(in_at_ms) THEN
        RETURN 'busy';
    END IF;
    DELETE FROM sessions WHERE number = own.number;
    INSERT INTO graves (session) VALUES (own.number);
    RETURN 'gone';
END $$;

-- Some of what a deleted session has left; false = there is none, or others are at it.
CREATE FUNCTION clear_away(in_most integer) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    grave bigint;
    cleared integer;
BEGIN
    SELECT session INTO grave FROM graves ORDER BY session LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF grave IS NULL THEN
        RETURN false;
    END IF;
    DELETE FROM entries WHERE session = grave AND seq IN (
        SELECT seq FROM entries WHERE session = grave ORDER BY seq LIMIT in_most);
    GET DIAGNOSTICS cleared = ROW_COUNT;
    IF cleared > 0 THEN
        RETURN true;
    END IF;
    WITH gone AS (
        DELETE FROM runs WHERE number IN (
            SELECT number FROM runs WHERE session = grave ORDER BY number LIMIT in_most) RETURNING number)
    DELETE FROM results WHERE number IN (SELECT number FROM gone);
    IF EXISTS (SELECT 1 FROM runs WHERE session = grave) THEN
        RETURN true;
    END IF;
    DELETE FROM summaries WHERE session = grave;
    DELETE FROM blobs WHERE session = grave;
    DELETE FROM graves WHERE session = grave;
    RETURN true;
END $$;

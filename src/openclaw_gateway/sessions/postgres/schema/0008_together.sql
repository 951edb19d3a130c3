-- readable from: 1
--
-- What comes to one process at the same time goes in one transaction: one round trip and one wait for the disk
-- for all of it. A row of the answer for each, in their order. Where one fails, all of them are undone, and
-- whoever called makes each by itself. So does whoever has to wait for a lock: who holds other sessions
-- meanwhile would hold them up, or wait for who waits for it.

-- Each as begin_run, of runs with a session and without a key. All lists are texts, `in_works` in hexadecimal:
-- of lists of anything else the driver asks the server first what they are, which a run that begins cannot
-- wait for.
CREATE FUNCTION begin_runs(
    in_at_ms bigint, in_ids text[], in_owners text[], in_sessions text[], in_agents text[], in_users text[],
    in_parents text[], in_works text[], in_given text[], in_replica text, in_leases_ms text[],
    in_max_queued integer, in_attempts integer, in_lost bytea, in_created_ms text[]
) RETURNS TABLE (
    outcome text, known text, place integer, token bigint, after_seq bigint, last_seq bigint, previous_ms bigint,
    summary text, bodies bytea
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', '50', true);
    FOR at IN 1 .. cardinality(in_ids) LOOP
        RETURN QUERY SELECT * FROM begin_run(
            in_at_ms, in_ids[at], in_owners[at], in_sessions[at], in_agents[at], in_users[at], in_parents[at],
            NULL, NULL, decode(in_works[at], 'hex'), in_given[at]::boolean, in_replica, in_leases_ms[at]::bigint,
            in_max_queued, in_attempts, in_lost, false, in_created_ms[at]::bigint);
    END LOOP;
END $$;

-- Each as finish_run, of turns of which nothing is large and that neither leave a branch nor have taken up
-- others. `in_entries` has the entries of all turns, one behind the other, and `in_ends` where each turn ends.
CREATE FUNCTION finish_runs(
    in_at_ms bigint, in_owners text[], in_sessions text[], in_tokens bigint[], in_ids text[], in_statuses text[],
    in_usages bytea[], in_errors bytea[], in_entries bytea[], in_ends bigint[], in_results bytea[],
    in_prompts bigint[], in_completions bigint[], in_totals bigint[]
) RETURNS TABLE (final_seq bigint, next_run text) LANGUAGE plpgsql AS $$
DECLARE
    first integer := 1;
BEGIN
    PERFORM set_config('lock_timeout', '50', true);
    FOR at IN 1 .. cardinality(in_ids) LOOP
        RETURN QUERY SELECT * FROM finish_run(
            in_at_ms, in_owners[at], in_sessions[at], in_tokens[at], in_ids[at], in_statuses[at], in_usages[at],
            in_errors[at], in_entries[first:in_ends[at]::integer], NULL, NULL, in_results[at], in_prompts[at],
            in_completions[at], in_totals[at], NULL, NULL, NULL, NULL, NULL);
        first := in_ends[at] + 1;
    END LOOP;
END $$;

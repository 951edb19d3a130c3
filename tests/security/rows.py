"""Which test holds which row of the public record of security faults.

A row whose test stands elsewhere is named here, so that it is not written twice; `test_rows.py` sees that
every test named here is there.
"""

ROWS: dict[str, tuple[str, ...]] = {
    "CVE-2026-25253: a page opens a WebSocket, or a token goes into a URL": (
        "security/test_doors.py::test_a_foreign_page_gets_no_websocket",
        "security/test_doors.py::test_no_secret_is_taken_from_a_url",
    ),
    "CVE-2026-25593, GHSA-g55j-c2v4-pjcg: methods without authentication": (
        "security/test_doors.py::test_no_method_for_who_was_not_let_in",
        "ws/test_handshake.py::test_no_method_without_connect",
    ),
    "ClawJacked: guessing from loopback": (
        "security/test_guessing.py::test_loopback_is_limited_without_any_configuration",
        "gateway/test_limiter.py::test_what_counts_as_one_address",
    ),
    "GHSA-5847-rm3g-23mw: another field switches the limiter off": (
        "security/test_guessing.py::test_what_a_connect_says_beside_the_secret_switches_nothing_off",
    ),
    "CVE-2026-100572: the limiter is the denial of service": (
        "gateway/test_limiter.py::test_a_flood_of_addresses_is_forgotten_and_lets_nobody_out",
        "gateway/test_limiter.py::test_a_flood_of_locked_out_addresses_has_a_bound_and_lets_nobody_out",
        "gateway/test_limiter.py::test_a_lock_out_holds_for_every_wrong_secret_and_for_no_right_one",
    ),
    "GHSA-rqpp-rjj8-7wv8: scopes that a client gives itself": (
        "ws/test_methods.py::test_scopes_cannot_be_gained",
        "security/test_doors.py::test_no_header_gives_a_token_more_or_less_than_it_has",
        "security/test_trusted_proxy_mode.py::test_scopes_are_never_more_than_the_operator_s",
    ),
    "GHSA-68f8-9mhj-h2mp, GHSA-5jvj-hxmh-6h6j: one door forgets the scopes": (
        "security/test_doors.py::test_both_doors_ask_one_authoriser",
    ),
    "GHSA-m8wm-r5vq-qjpg: a token outlives its change": (
        "doors/test_reload.py::test_an_old_secret_is_refused_and_its_websockets_are_closed",
    ),
    "CVE-2025-66414, GHSA-9h52-p55h-vw2f, CVE-2026-34742, CVE-2026-42559, CVE-2026-11624: DNS rebinding": (
        "security/test_doors.py::test_a_name_that_was_made_to_resolve_here_is_nobody_s",
        "doors/test_traps.py::test_other_hosts_are_misdirected",
    ),
    "Hermes #7484, #39643, LiteLLM CVE-2026-89032: what is kept crosses principals": (
        "security/test_doors.py::test_an_answer_kept_under_a_name_is_only_for_who_is_let_in",
        "sessions/key_contract.py::test_two_owners_with_the_same_names_never_meet",
    ),
    "LiteLLM CVE-2026-42208: SQL through the Authorization header": (
        "security/test_doors.py::test_no_odd_credential_lets_in_or_breaks_anything",
        "security/test_doors.py::test_any_bytes_as_a_credential_are_refused_and_never_a_fault",
        "doors/test_incidents.py::test_credentials_and_session_keys_are_text",
    ),
    "gateways on the open net": (
        "config/test_auth.py::test_a_weak_secret_does_not_go_outside",
        "config/test_auth.py::test_neither_does_no_secret_nor_a_made_up_one",
        "security/test_trusted_proxy_mode.py::test_what_could_not_work_does_not_start",
    ),
    "OpenClaw #57550: a plain bearer token still works": (
        "security/test_doors.py::test_a_plain_bearer_token_works_however_it_is_written",
    ),
    "a secret that is not ASCII": (
        "gateway/test_auth.py::test_the_right_secret_passes_whatever_its_letters",
    ),
    "headers and log lines made by a request": (
        "security/test_doors.py::test_nothing_a_request_says_becomes_a_header_or_a_line_of_the_log",
        "doors/test_traps.py::test_a_utf8_session_key_comes_back_percent_encoded",
    ),
    "CORS for everybody, or with credentials": (
        "security/test_doors.py::test_no_origin_is_ever_everybody_and_no_credentials_are_offered",
    ),
    "secrets and paths in the text of an error": (
        "security/test_doors.py::test_no_refusal_shows_a_secret_a_path_or_a_version",
        "doors/test_error_codes.py::test_a_fault_of_the_gateway_is_told_without_its_cause",
    ),
    "CVE-2026-100543: something made from a secret is sent": (
        "doors/test_incidents.py::test_nothing_made_from_a_secret_leaves_the_process",
    ),
    "secrets in logs and in what is shown": (
        "security/test_secrets.py::test_no_secret_of_a_configuration_is_shown",
        "security/test_secrets.py::test_the_last_words_of_a_server_show_nothing_it_was_given",
        "security/test_guessing.py::test_a_lock_out_is_one_line_of_the_log_and_shows_no_guess",
    ),
    "a body of any kind without a credential": ("doors/test_without_credential.py::test_only_json_is_taken",),
    "slow heads and bodies, too large ones": (
        "doors/test_traps.py::test_a_head_that_does_not_end_is_given_up",
        "doors/test_traps.py::test_a_body_that_drips_is_given_up",
        "doors/test_traps.py::test_a_large_content_length_is_refused_before_the_body_comes",
    ),
    "GHSA-5xfq-5mr7-426q: a session's id is a path": (
        "security/test_names.py::test_no_name_of_a_user_or_a_session_is_a_path",
        "doors/test_sessions.py::test_session_keys_that_are_refused",
    ),
    "GHSA-943q-mwmv-hhvh: a tool without a run": (
        "security/test_names.py::test_no_path_reaches_a_tool_without_a_run",
    ),
    "CVE-2026-26322, -28467, -34504, GHSA-pg2v-8xwh-qhcc: requests to what is inside": (
        "doors/test_incidents.py::test_no_field_of_a_request_chooses_where_it_goes",
        "tools/test_web_fetch_guard.py::test_closed_addresses",
        "tools/test_web_fetch_guard.py::test_the_checked_address_is_dialled_though_the_answer_changes",
        "tools/test_web_fetch_guard.py::test_each_redirect_is_checked",
    ),
    "LiteLLM on PyPI, March 2026: a package that was replaced": (
        "project/test_lock.py::test_every_pin_has_hashes_and_nothing_names_a_place",
        "project/test_lock.py::test_nothing_heavy_slips_in",
    ),
    "a message that speaks for another role": (
        "security/test_names.py::test_words_of_a_message_are_no_role",
    ),
    "deep and odd JSON": ("wire/test_decode.py::test_depth_is_counted_outside_strings_only",),
    "Hermes CVE-2026-71963 and the like: what a repository makes git run": (
        "security/test_git.py::test_a_planted_setting_runs_nothing_and_is_named",
    ),
    "CVE-2026-100535, -100539, -100591: memory crosses users": (
        "security/test_steering.py::test_notes_have_an_audience",
    ),
    "what a prompt makes others do": ("security/test_steering.py::test_what_steers_others_is_not_written",),
    "work without an end": (
        "security/test_floods.py::test_a_flood_of_tool_calls",
        "security/test_floods.py::test_a_flood_of_bodies",
        "doors/test_linear.py::test_twice_the_input_is_twice_the_work",
        "tools/test_exec.py::test_nothing_that_a_command_started_outlives_it",
    ),
}

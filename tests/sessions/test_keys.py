"""Session keys: the rules of both systems, and what no input may break."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.agent_id import normal_agent_id
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.sessions.keys import (
    MAX_NAME_CHARS,
    MAX_WHOLE_CHARS,
    agent_of,
    chat_key,
    explicit_key,
    main_key,
    user_key,
    user_name,
)


@given(st.text())
def test_the_agent_of_a_key_is_found_again(text: str) -> None:
    agent_id = normal_agent_id(text)
    assert agent_of(main_key(agent_id)) == agent_id


@pytest.mark.promise("CVE-2026-100533")
@pytest.mark.parametrize(
    ("header", "agent_id", "key"),
    [
        ("MyKey", "beta", "agent:beta:mykey"),
        (" spaced ", "beta", "agent:beta:spaced"),
        ("agent:beta:Foo", "beta", "agent:beta:foo"),
        ("AGENT:Main:Foo:Bar", "main", "agent:main:foo:bar"),
        ("agent:main:openai-user:ada", "main", "agent:main:openai-user:ada"),
        ("a:b", "beta", "agent:beta:a:b"),
        ("subagent", "beta", "agent:beta:subagent"),
        ("my-subagent:x", "beta", "agent:beta:my-subagent:x"),
        ("Straße", "beta", "agent:beta:straße"),
        ("ΟΔΟΣ", "beta", "agent:beta:οδος"),
        ("Привет", "beta", "agent:beta:привет"),
        ("会話 一", "beta", "agent:beta:会話 一"),
        ("x" * MAX_NAME_CHARS, "beta", "agent:beta:" + "x" * MAX_NAME_CHARS),
    ],
)
def test_a_chosen_key_is_whole_and_folded(header: str, agent_id: str, key: str) -> None:
    assert explicit_key(header, "beta") == (agent_id, key)
    assert explicit_key(key, "other") == (agent_id, key), "an answered key can be sent back"


@pytest.mark.parametrize(
    "header",
    [
        "subagent:x",
        "Cron:1",
        "acp:x",
        "agent:main:subagent:x",
        "agent:main:SUBAGENT:x",
        "agent:main: cron :x",
        "agent:main::acp:x",
        ":subagent:x",
        " cron:",
    ],
)
def test_internal_namespaces_are_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="reserved") as caught:
        explicit_key(header, "main")
    assert (caught.value.code, caught.value.param) == ("session_key_reserved", "x-openclaw-session-key")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "  \t",
        ":",
        ": :",
        "agent:",
        "agent:main",
        "agent:main:",
        "agent::x",
        "x" * (MAX_NAME_CHARS + 1),
        "agent:main:" + "x" * (MAX_WHOLE_CHARS + 1),
        "İ" * (MAX_NAME_CHARS // 2 + 1),  # two characters each, once folded
        "a\nb",
        "a\x00b",
        "a\x7fb",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\ud800b",
    ],
)
def test_a_key_that_cannot_be_kept_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        explicit_key(header, "main")
    assert (caught.value.code, caught.value.param) == ("session_key_invalid", "x-openclaw-session-key")
    assert "send" in caught.value.message or "must be" in caught.value.message


@pytest.mark.parametrize(
    "key",
    [
        user_key("main", "u" * MAX_NAME_CHARS),
        chat_key("main", "open-webui", "c" * MAX_NAME_CHARS, None, "X-OpenWebUI-Chat-Id"),
        chat_key("main", "open-webui", "c" * MAX_NAME_CHARS, "%" * MAX_NAME_CHARS, "X-OpenWebUI-Chat-Id"),
        f"agent:main:{'k' * MAX_NAME_CHARS}~fork:12~fork:4294967296",
    ],
)
def test_every_key_that_we_answer_with_can_be_sent_back(key: str) -> None:
    assert explicit_key(key, "other").key == key


def test_a_key_of_an_impossible_agent_names_the_agent() -> None:
    with pytest.raises(InvalidRequest, match="not an agent id") as caught:
        explicit_key("agent:ö:x", "main")
    assert caught.value.code == "agent_not_found"


def test_a_user_names_a_session() -> None:
    assert user_name("Alice") == "alice"
    assert user_name(" a:thread:b ") == "a:thread:b"
    assert user_name("") is None
    assert user_name(" \n") is None
    assert user_key("beta", "alice") == "agent:beta:openai-user:alice"
    assert agent_of("agent:beta:openai-user:a:thread:b") == "beta"


@pytest.mark.parametrize("user", ["x" * 257, "a\nb", "\ud800"])
def test_a_user_that_cannot_be_a_key_is_refused(user: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        user_name(user)
    assert (caught.value.code, caught.value.param) == ("session_key_invalid", "user")


@pytest.mark.parametrize(
    "key", ["", "main", "agent:", "agent:x", "agent:x:", "agent:ö:y", "Agent:x:y", "global"]
)
def test_what_is_not_a_whole_key_has_no_agent(key: str) -> None:
    assert agent_of(key) is None


@given(st.text(st.characters()) | st.from_regex(r"(agent:)?[a-zA-Z: ]*", fullmatch=True))
def test_any_header_gives_a_whole_key_or_a_refusal(header: str) -> None:
    try:
        chosen = explicit_key(header, "main")
    except InvalidRequest:
        return
    assert chosen.key == chosen.key.lower()
    assert agent_of(chosen.key) == chosen.agent_id
    assert explicit_key(chosen.key, "other") == chosen
    chosen.key.encode()
    name = chosen.key.split(":", 2)[2]
    assert 0 < len(name) <= MAX_WHOLE_CHARS
    assert not name.replace(" ", "").lstrip(":").startswith(("subagent:", "cron:", "acp:"))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("José", "Jose\u0301", True),
        ("İ", "i\u0307", True),
        ("가", "\u1100\u1161", True),
        ("ANNA", "anna", True),
        ("ﬁn", "fin", False),
        ("\uff21nna", "anna", False),
        ("①", "1", False),
        ("\u0131", "i", False),
        ("ß", "ss", False),
    ],
)
def test_names_are_one_by_composition_and_case_and_by_nothing_else(one: str, other: str, same: bool) -> None:
    assert (user_name(one) == user_name(other)) is same
    assert (explicit_key(one, "main") == explicit_key(other, "main")) is same


@given(st.text(min_size=1))
def test_a_folded_name_stays_as_it_is(name: str) -> None:
    try:
        once = user_name(name)
    except InvalidRequest:
        return
    assert once is None or user_name(once) == once

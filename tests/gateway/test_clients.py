"""Which conversation a front end says a request is of: the ladder, and that people never meet in it."""

from typing import get_args

import pytest

from openclaw_gateway.config.schema import HttpClient
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.clients import CLIENTS, Chat, chat_of
from openclaw_gateway.gateway.routing import Ask, Route, route
from tests.gateway.test_routing import ROSTER

OPEN_WEBUI = {"X-OpenWebUI-Chat-Id": "C-1", "X-OpenWebUI-User-Id": "Ada"}
ALL: tuple[HttpClient, ...] = get_args(HttpClient)


def asked(
    clients: tuple[HttpClient, ...],
    headers: dict[str, str],
    fields: dict[str, str] | None = None,
    **said: str,
) -> Route:
    return route(Ask(chat=chat_of(clients, headers.get, fields or {}), **said), ROSTER)


def test_every_name_of_the_configuration_stands_in_the_table() -> None:
    assert set(CLIENTS) == set(ALL)


def test_a_header_says_nothing_unless_its_front_end_is_configured() -> None:
    assert asked((), OPEN_WEBUI) == Route("main", None)
    assert asked(("librechat",), OPEN_WEBUI) == Route("main", None)


@pytest.mark.promise("clients-ladder")
@pytest.mark.parametrize(
    ("clients", "headers", "fields", "said", "key"),
    [
        (("open-webui",), OPEN_WEBUI, {}, {}, "open-webui-user:ada:c-1"),
        (("open-webui",), {"X-OpenWebUI-Chat-Id": "c"}, {}, {}, "open-webui:c"),
        (("librechat",), {"X-Conversation-Id": "c"}, {}, {"user": "U"}, "librechat-user:u:c"),
        (("librechat",), {"X-Conversation-Id": "c"}, {}, {}, "librechat:c"),
        (("opencode",), {"x-session-affinity": "ses_1"}, {}, {}, "opencode:ses_1"),
        (("opencode",), {"x-session-affinity": "a", "X-Session-Id": "b"}, {}, {}, "opencode:b"),
        (("zed",), {}, {"prompt_cache_key": "t"}, {}, "zed:t"),
        (("zed",), {}, {"prompt_cache_key": "t"}, {"user": "ada"}, "openai-user:ada"),
        (("pi",), {"x-session-affinity": "a"}, {"prompt_cache_key": "t"}, {}, "pi:a"),
        (("metadata",), {}, {"metadata.chat_id": "m"}, {}, "metadata:m"),
        (
            ("safety-identifier", "metadata"),
            {},
            {"metadata.chat_id": "m", "safety_identifier": "s"},
            {},
            "metadata:m",
        ),
        (("metadata",), {}, {"metadata.chat_id": "m"}, {"user": "ada"}, "metadata-user:ada:m"),
        (("metadata", "open-webui"), OPEN_WEBUI, {"metadata.chat_id": "m"}, {}, "open-webui-user:ada:c-1"),
        (("open-webui",), OPEN_WEBUI, {}, {"session_key": "mine"}, "mine"),
        (("open-webui",), {"X-OpenWebUI-Chat-Id": "  "}, {}, {"user": "ada"}, "openai-user:ada"),
    ],
)
def test_the_first_that_matches_wins(
    clients: tuple[HttpClient, ...],
    headers: dict[str, str],
    fields: dict[str, str],
    said: dict[str, str],
    key: str,
) -> None:
    assert asked(clients, headers, fields, **said).session_key == f"agent:main:{key}"


@pytest.mark.promise("clients-passing")
@pytest.mark.parametrize("chat", ["temporary:1", "Local:xyz", " local:"])
def test_a_chat_that_is_not_to_be_remembered_is_stateless(chat: str) -> None:
    """Not even `user` makes a session of it: the front end has said that nothing shall stay."""
    found = asked(("open-webui",), {"X-OpenWebUI-Chat-Id": chat}, user="ada")
    assert found == Route("main", None, "ada")


@pytest.mark.promise("clients-people")
def test_two_people_with_the_same_chat_never_meet() -> None:
    people = ["a", "a:b", "a%3ab", "b", "a%b", ""]
    chats = ["c", "b:c", ":c", "%3ab:c"]
    keys = {
        asked(("open-webui",), {"X-OpenWebUI-Chat-Id": chat, "X-OpenWebUI-User-Id": user}).session_key
        for user in people
        for chat in chats
    }
    assert len(keys) == len(people) * len(chats)


def test_the_same_chat_is_another_session_of_another_agent() -> None:
    assert asked(("open-webui",), OPEN_WEBUI, agent="beta").session_key == (
        "agent:beta:open-webui-user:ada:c-1"
    )


def test_only_a_conversation_is_sent_whole() -> None:
    assert asked(("zed",), {}, {"prompt_cache_key": "t"}).is_whole
    assert not asked(("safety-identifier",), {}, {"safety_identifier": "t"}).is_whole
    assert not asked(ALL, {}, user="ada").is_whole


@pytest.mark.promise("truncated-history")
def test_of_whole_chats_only_librechat_cuts_long_ones() -> None:
    assert asked(("librechat",), {"X-Conversation-Id": "c"}).is_windowed
    assert not asked(("open-webui",), OPEN_WEBUI).is_windowed
    assert not asked(("session-headers",), {"X-Conversation-Id": "c"}).is_windowed


@pytest.mark.parametrize("bad", ["x" * 257, "a\nb", "\ud800"])
def test_an_id_is_bounded_and_printable_and_names_its_header(bad: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        asked(("opencode",), {"X-Session-Id": bad})
    assert refusal.value.code == "session_key_invalid"
    assert refusal.value.param == "X-Session-Id"


def test_what_was_found_is_said_with_its_source() -> None:
    assert chat_of(ALL, OPEN_WEBUI.get, {}) == Chat("open-webui", "X-OpenWebUI-Chat-Id", "C-1", "Ada")

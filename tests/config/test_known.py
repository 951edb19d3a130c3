"""Keys that are not served: known ones, newer ones, comments, and what is said about the rest."""

import json
from typing import Any

import pytest

from config_tables.places import places_of
from openclaw_gateway.config.known import KNOWN, is_newer
from openclaw_gateway.config.schema.agents import AgentDefaults
from openclaw_gateway.config.schema.root import Written
from openclaw_gateway.config.strange import MOVED
from tests.config.conftest import House


def test_the_tables_hold_what_the_newest_version_writes() -> None:
    assert {"heartbeat", "sessionStore"} <= KNOWN[AgentDefaults]
    assert {"attachments", "cloudWorkers", "tts"} <= KNOWN[Written]


def test_places_of_a_schema() -> None:
    schema = {
        "properties": {
            "agents": {
                "properties": {
                    "list": {"type": "array", "items": {"$ref": "#/definitions/agent"}},
                    "models": {
                        "additionalProperties": {"anyOf": [{"type": "string"}, {"$ref": "#/definitions/m"}]}
                    },
                },
                "additionalProperties": False,
            },
            "channels": {"properties": {"far": {"properties": {"away": {}}}}},
        },
        "additionalProperties": False,
        "definitions": {
            "agent": {
                "properties": {"id": {}, "sub": {"$ref": "#/definitions/agent"}},
                "additionalProperties": False,
            },
            "m": {"properties": {"alias": {}}, "additionalProperties": {}},
        },
    }
    assert places_of([schema, {"properties": {"more": {}}, "additionalProperties": False}]) == {
        "": ["agents", "channels", "more"],
        "agents": ["list", "models"],
        "agents.list[]": ["id", "sub"],
        "agents.models.*": ["*", "alias"],
    }


@pytest.mark.promise("newer-keys")
@pytest.mark.parametrize("newer", ["2026.10.1", "2027.1.0", "2026.9.7", "2026.11.3-beta.1"])
def test_what_a_newer_version_wrote_is_a_note(house: House, newer: str) -> None:
    assert is_newer(newer)
    loaded = house.load(
        json.dumps(
            {
                "meta": {"lastTouchedVersion": newer},
                "gateway": {"portalls": 1},
                "agents": {"entries": {"a": {"x": 1}}},
            }
        )
    )
    assert "Unknown to this gateway, and ignored: gateway.portalls, agents.entries.*.x." in loaded.notices


@pytest.mark.promise("unknown-keys")
@pytest.mark.parametrize("version", ["2026.9.6", "2026.1.24", "2026.9.6-1", "nonsense", "", 5, None])
def test_what_no_newer_version_wrote_is_a_mistake(house: House, version: Any) -> None:
    assert not is_newer(version)
    (problem,) = house.problems(
        json.dumps({"meta": {"lastTouchedVersion": version}, "gateway": {"prt": 5000}})
    )
    assert problem.endswith('gateway.prt: is not a known key; did you mean "port"?')


def test_an_unknown_section_is_a_note(house: House) -> None:
    loaded = house.load("{ myPlugin: { a: 1 }, gateway: { port: 5000 } }")
    assert loaded.notices == ("Unknown to this gateway, and ignored: myPlugin.",)
    assert loaded.config.gateway.port == 5000


@pytest.mark.parametrize("slip", ["gatway", "agnets", "modells", "sesion", "toolz"])
def test_a_slip_in_writing_a_served_section_is_a_mistake(house: House, slip: str) -> None:
    (problem,) = house.problems(json.dumps({slip: {}}))
    assert f"{slip}: is not a known key; did you mean" in problem


@pytest.mark.promise("comment-keys")
def test_comments_in_plain_json_are_silent(house: House) -> None:
    loaded = house.load(
        json.dumps(
            {
                "_comment": "mine",
                "$comment": {"by": "me"},
                "gateway": {"_note": 1, "port": 5000},
                "agents": {
                    "entries": {"_comment": "the agents", "a": {"$comment_2": "x"}},
                    "defaults": {"params": {"_why": "cool", "temperature": 0.1}},
                },
                "models": {"providers": {"_x": "none yet"}},
            }
        )
    )
    assert not [notice for notice in loaded.notices if "_why" in notice or "Unknown" in notice]
    assert [entry.id for entry in loaded.config.agents.entries] == ["a"]
    assert loaded.config.agents.defaults.params == {"temperature": 0.1}
    assert loaded.config.models.providers == {}


FITTING: dict[str, Any] = {
    "gateway.cors": {"allowedOrigins": ["https://a.example"]},
    "gateway.endpoints": {"chatCompletions": {"enabled": True}},
    "gateway.chatCompletions": {"enabled": True},
    "gateway.http.chatCompletions": {"enabled": True},
    "http": {"cors": {}},
    "port": 5000,
    "bind": "lan",
    "limits": {"maxRuns": 5},
    "agents.tools": {"deny": ["exec"]},
    "providers": {"p": {"baseUrl": "http://h/v1"}},
    "mcpServers": {"s": {"command": "x"}},
}


@pytest.mark.parametrize("written", MOVED)
def test_what_belongs_elsewhere_is_right_there(house: House, written: str) -> None:
    value = FITTING.get(written, "some/text")
    (problem,) = house.problems(json.dumps(_at(written, value)))
    assert problem.endswith(f"{written}: is not a key; it belongs at {MOVED[written]}")
    house.load(json.dumps(_at(MOVED[written], value)))


@pytest.mark.parametrize("written", MOVED)
def test_nothing_is_sent_where_it_does_not_fit(house: House, written: str) -> None:
    problems = house.problems(json.dumps(_at(written, [["no"]])))
    assert "it belongs at" not in problems[0]


@pytest.mark.parametrize(
    ("document", "hint"),
    [
        ({"gateway": {"auth": {"tokn": "x" * 20}}}, 'did you mean "token"?'),
        ({"gateway": {"auth": {"tokn": "x", "token": "y"}}}, "remove it"),
        ({"gateway": {"auth": {"tokn": 5}}}, "remove it"),
        ({"agents": {"list": [{"id": "a", "nme": "x"}]}}, 'did you mean "name"?'),
        ({"agents": {"list": [{"id": "a", "nme": "x", "name": "y"}]}}, "remove it"),
        (
            {"gateway": {"password": "x", "auth": {"password": "y"}}},
            "remove it: what counts is gateway.auth.password",
        ),
    ],
)
def test_a_hint_mends_the_fault(house: House, document: Any, hint: str) -> None:
    (problem,) = house.problems(json.dumps(document))
    assert hint in problem


def test_null_where_something_must_stand_is_not_to_be_removed(house: House) -> None:
    provider = {"baseUrl": "http://h/v1", "models": [{"id": None}]}
    (problem,) = house.problems(json.dumps({"models": {"providers": {"p": provider}}}))
    assert problem.endswith("models[0].id: is null but must be text in quotes")


def _at(path: str, value: Any) -> dict[str, Any]:
    for key in reversed(path.split(".")):
        value = {key: value}
    document: dict[str, Any] = value
    return document


@pytest.mark.parametrize("model", [{}, {"fallbacks": ["a/b"]}])
def test_a_model_may_be_left_to_the_defaults(house: House, model: Any) -> None:
    config = house.load(
        json.dumps({"agents": {"defaults": {"model": model}, "list": [{"id": "a", "model": model}]}})
    )
    chosen = config.config.agents.entries[0].model
    assert chosen is not None
    assert (chosen.primary, chosen.fallbacks) == (None, tuple(model.get("fallbacks", ())))


def test_a_conversation_need_not_start_anew(house: House) -> None:
    reset = house.load('{ session: { reset: { mode: "none" } } }').config.session.reset
    assert reset is not None
    assert reset.mode == "none"


def test_the_corrections_of_a_model_are_checked_like_anything_else(house: House) -> None:
    model: dict[str, Any] = {"id": "m", "compat": {"supportsTools": False, "zaiToolStream": True}}
    written = {"models": {"providers": {"a": {"baseUrl": "http://x/v1", "models": [model]}}}}
    assert house.load(json.dumps(written)).unserved == ("models.providers.*.models[].compat.zaiToolStream",)
    model["compat"] = {"supportsTool": False, "maxTokensField": "tokens"}
    key, field = house.problems(json.dumps(written))
    assert "compat.maxTokensField" in field
    assert key.endswith('compat.supportsTool: is not a known key; did you mean "supportsTools"?')

"""Schemas as people and their libraries write them, in the words a vendor knows."""

from typing import Any

import msgspec
import pytest

from openclaw_gateway.models.apis.schemas import closed, for_google


def google(schema: Any) -> Any:
    raw = for_google(msgspec.json.encode(schema))
    return None if raw is None else msgspec.json.decode(raw)


def google_property(schema: Any, **defs: Any) -> Any:
    return google({"type": "object", "properties": {"x": schema}, "$defs": defs})["properties"]["x"]


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ({"type": "string", "title": "X", "examples": ["a"]}, {"type": "string", "title": "X"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"enum": [1, 2]}, {"type": "string", "enum": ["1", "2"]}),
        ({"type": "string", "format": "uri"}, {"type": "string"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "array"}, {"type": "array", "items": {"type": "string"}}),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer", "nullable": True}),
        (
            {"oneOf": [{"type": "integer"}, {"type": "string"}]},
            {"anyOf": [{"type": "integer"}, {"type": "string"}]},
        ),
        (
            {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False},
            {"type": "object", "properties": {"a": {"type": "string"}}},
        ),
        (
            {"properties": {"a": {"type": "string"}}, "required": ["a", "gone"]},
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
        ),
        (
            {"allOf": [{"type": "object", "properties": {"a": {"type": "string"}}}], "description": "d"},
            {"type": "object", "properties": {"a": {"type": "string"}}, "description": "d"},
        ),
        (True, {"type": "object"}),
    ],
)
def test_words_google_knows(written: Any, known: Any) -> None:
    assert google_property(written) == known


def test_references_are_written_out() -> None:
    leaf = {"type": "string", "description": "leaf"}
    assert google_property({"$ref": "#/$defs/L"}, L=leaf) == leaf
    assert google_property({"$ref": "#/$defs/L", "description": "d"}, L=leaf) == {
        "type": "string",
        "description": "d",
    }
    assert google_property({"$ref": "#/$defs/nosuch"}) == {}
    assert google_property({"$ref": "#/$defs/a~1b"}, **{"a/b": leaf}) == leaf


def test_what_refers_to_itself_has_an_end() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/T"}}}
    assert google_property({"$ref": "#/$defs/T"}, T=tree) == {
        "type": "object",
        "properties": {"left": {"type": "object"}},
    }
    both = [{"$ref": f"#/$defs/{n + 1}"} for n in range(64) for _ in "ab"]
    doubling = {
        str(n): {"type": "object", "properties": {"a": both[2 * n], "b": both[2 * n + 1]}} for n in range(64)
    }
    assert len(msgspec.json.encode(google_property({"$ref": "#/$defs/0"}, **doubling))) < 1 << 20


def test_a_long_chain_of_definitions_is_cut_off() -> None:
    chain = {
        f"{n}": {"type": "object", "properties": {"x": {"$ref": f"#/$defs/{n + 1}"}}} for n in range(2000)
    }
    assert google_property({"$ref": "#/$defs/0"}, **chain)["properties"]["x"]["type"] == "object"


@pytest.mark.parametrize(
    "odd",
    [
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": [["a"], {}, "a"]},
        {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "allOf": 5},
    ],
)
def test_what_is_no_schema_costs_only_itself(odd: Any) -> None:
    assert google_property(odd) == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "required": ["a"],
    }


def test_what_is_referred_to_often_is_not_copied_without_end() -> None:
    long = {"type": "string", "description": "x" * 100_000}
    schema = {"properties": {f"p{n}": {"$ref": "#/$defs/L"} for n in range(200)}, "$defs": {"L": long}}
    made = google(schema)
    assert made["properties"]["p0"] == long
    assert made["properties"]["p199"] == {"type": "object"}
    assert len(msgspec.json.encode(made)) < 2 << 20


def test_a_definition_with_a_slash_in_its_name_is_found() -> None:
    assert google_property({"$ref": "#/$defs/a~1b~0"}, **{"a/b~": {"type": "string"}}) == {"type": "string"}


@pytest.mark.parametrize("schema", [{}, {"type": "object"}, {"type": "object", "properties": {}}, []])
def test_no_parameters_are_none(schema: Any) -> None:
    assert google(schema) is None


def test_closed_keeps_what_is_no_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"properties": {"enum": [{"properties": 1}]}, "o": {"properties": {}}},
        "$defs": {"D": {"anyOf": [{"properties": {}}], "additionalProperties": True}},
    }
    assert closed(schema) == {
        "type": "object",
        "properties": {
            "properties": {"enum": [{"properties": 1}]},
            "o": {"properties": {}, "additionalProperties": False},
        },
        "$defs": {
            "D": {"anyOf": [{"properties": {}, "additionalProperties": False}], "additionalProperties": True}
        },
        "additionalProperties": False,
    }

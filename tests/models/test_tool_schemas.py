"""Tools as clients and MCP servers describe them, fitted to what every vendor takes."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from openclaw_gateway.models import tool_schemas
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.fitted_tools import FittedTools, unfit
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.tool_schemas import Unfit, fitted
from openclaw_gateway.wire.run import ToolSpec

TEXT = {"type": "string"}


def spec(schema: Any, name: str = "t") -> ToolSpec:
    return ToolSpec(name, "d", Raw(msgspec.json.encode(schema)))


def fit(schema: Any, *refuses: str, plain_names: bool = False) -> Any:
    made = fitted(spec(schema), frozenset(refuses), plain_names=plain_names)
    return msgspec.json.decode(made.parameters)


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


ROOTS: list[tuple[Any, Any]] = [
    ({}, of()),
    ({"type": "object"}, of()),
    ({"type": ["object", "null"], "properties": None}, of()),
    ({"properties": {"a": TEXT}}, of(a=TEXT)),
    ({"$schema": "x", "$id": "y", "type": "object", "title": 7, "x-mine": 1}, of()),
    (
        {
            "anyOf": [
                {**of(a=TEXT, b=TEXT), "required": ["a", "b"]},
                {**of(a=TEXT, c=TEXT), "required": ["a"]},
            ]
        },
        {**of(a=TEXT, b=TEXT, c=TEXT), "required": ["a"]},
    ),
    ({"oneOf": [of(a=TEXT), {"type": "null"}]}, of(a=TEXT)),
    (
        {"allOf": [{**of(a=TEXT), "required": ["a"]}, of(b=TEXT)], "properties": {"c": TEXT}},
        {**of(c=TEXT, a=TEXT, b=TEXT), "required": ["a"]},
    ),
    ({"$ref": "#/$defs/A", "$defs": {"A": of(a=TEXT)}}, of(a=TEXT)),
    ({"type": "object", "enum": ["a"], "not": {}, "const": 1}, of()),
    ({**of(a=TEXT), "required": ["a", "gone", "a", 7]}, {**of(a=TEXT), "required": ["a"]}),
    ({**of(a=TEXT), "required": True}, of(a=TEXT)),
]
PROPERTIES: list[tuple[Any, Any]] = [
    # Claude checks a schema against the schema of schemas.
    ({"type": "string", "minLength": -1, "maxLength": 2.5, "examples": "x"}, TEXT),
    ({"type": "number", "multipleOf": 0, "minimum": True}, {"type": "number"}),
    (
        {"type": "number", "multipleOf": 0.5, "examples": [1]},
        {"type": "number", "multipleOf": 0.5, "examples": [1]},
    ),
    (True, {}),
    (None, {}),
    ("string", {}),
    ({"type": "str"}, TEXT),
    ({"type": "any"}, {}),
    ({"type": ["string", "weird", "null"]}, {"type": ["string", "null"]}),
    ({"type": "array"}, {"type": "array", "items": {}}),
    ({"type": "array", "items": True}, {"type": "array", "items": {}}),
    ({"type": "array", "items": [TEXT, {"type": "int"}]}, None),
    ({"enum": []}, {}),
    ({"enum": ["a", "a", 1]}, {"enum": ["a", 1]}),
    ({"type": "string", "minLength": "3", "pattern": 7}, TEXT),
    ({"properties": {"x": TEXT}}, of(x=TEXT)),
    ({"$ref": "#/nowhere"}, {}),
    ({"anyOf": []}, {}),
    ({"description": ["no"], "type": "string"}, TEXT),
]


@pytest.mark.parametrize(("written", "meant"), ROOTS)
def test_the_root_is_an_object_with_properties(written: Any, meant: Any) -> None:
    assert fit(written) == meant


@pytest.mark.parametrize(("written", "meant"), PROPERTIES)
def test_properties_are_what_they_should_be(written: Any, meant: Any) -> None:
    made = fit(of(a=written))["properties"]["a"]
    if meant is None:
        meant = {"type": "array", "items": {"anyOf": [TEXT, {"type": "integer"}]}}
    assert made == meant


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("#/$defs/a~1b%20c/anyOf/1", TEXT),
        ("#/$defs/a~1b%20c/anyOf/2", {}),
        ("#/$defs/a~1b%20c/anyOf/-1", {}),
        ("#/properties/b/items", TEXT),
        ("#/properties/b/items/type/x", {}),
    ],
)
def test_a_reference_leads_where_it_says(reference: str, meant: Any) -> None:
    defs = {"a/b c": {"anyOf": [{}, TEXT]}}
    written = {**of(a={"$ref": reference}, b={"type": "array", "items": TEXT}), "$defs": defs}
    assert fit(written)["properties"]["a"] == meant


def test_what_refers_to_itself_ends() -> None:
    node = of(next={"$ref": "#/$defs/N"}, text=TEXT)
    made = fit({**of(first={"$ref": "#/$defs/N"}), "$defs": {"N": node}})
    assert made["properties"]["first"]["properties"] == {"next": {}, "text": TEXT}
    wide = {f"p{n}": {"$ref": "#/$defs/W"} for n in range(30)}
    deep: dict[str, Any] = {
        f"D{n}": of(**{f"a{k}": {"$ref": f"#/$defs/D{n + 1}"} for k in range(9)}) for n in range(9)
    }
    made = fit({**of(**wide, d={"$ref": "#/$defs/D0"}), "$defs": {"W": of(**wide), **deep}})
    assert len(msgspec.json.encode(made)) < 1_000_000


def test_what_is_referred_to_often_is_not_copied_without_end() -> None:
    long = {"type": "string", "description": "x" * 100_000}
    schema = {"properties": {f"p{n}": {"$ref": "#/$defs/L"} for n in range(200)}, "$defs": {"L": long}}
    made = fit(schema)
    assert (made["properties"]["p0"], made["properties"]["p199"]) == (long, {})
    assert len(msgspec.json.encode(made)) < 2 << 20


def test_what_is_refused_is_said_instead() -> None:
    made = fit(of(a={"type": "string", "minLength": 3, "description": "A name."}), "minLength")
    assert made["properties"]["a"] == {"type": "string", "description": "A name. (minLength: 3)"}


def test_names_that_are_refused_are_said_instead() -> None:
    made = fit({**of(**{"file path": TEXT, "ok": TEXT}), "required": ["file path", "ok"]}, plain_names=True)
    assert made["properties"] == {"ok": TEXT}
    assert made["required"] == ["ok"]
    assert "file path" in made["description"]


def test_a_strict_tool_stays_as_it_is() -> None:
    strict = ToolSpec("t", "d", Raw(b'{"type":"object","anyOf":[]}'), strict=True)
    assert fitted(strict, frozenset({"anyOf"})) is strict


@pytest.mark.parametrize("schema", [[], "x", 7, {"type": "string"}, {"type": "array"}])
def test_what_is_no_object_is_left_out_alone(schema: Any) -> None:
    with pytest.raises(Unfit):
        fit(schema)
    target = ModelTarget(Endpoint("acme", "http://127.0.0.1:1/v1"), "m")
    tools = (spec({}, "one"), spec(schema, "bad"), spec({}, "two"))
    left_out = dict(unfit(tools, target))
    made = FittedTools()(tools, target)
    assert {spec.name for spec in tools} - {spec.name for spec in made} == left_out.keys()
    assert all(left_out.values())
    assert [each.name for each in made] == ["one", "two"]


def test_the_same_list_is_fitted_once_for_each_family() -> None:
    tools, fit_ = (spec({}),), FittedTools()
    endpoint = Endpoint("acme", "http://127.0.0.1:1/v1")
    target = ModelTarget(endpoint, "m")
    made = fit_(tools, target)
    assert fit_(tools, target) is made
    strict = ModelTarget(endpoint, "m", family=Family(schema_refuses=frozenset({"type"})))
    assert fit_(tools, strict) is not made
    right = (spec(of(a=TEXT)),)
    assert fit_(right, target) is right


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "string", "object", "#/a"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "properties",
                    "items",
                    "anyOf",
                    "allOf",
                    "required",
                    "enum",
                    "$ref",
                    "a",
                    "description",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["properties", "anyOf", "allOf", "required", "$ref", "$defs"]), JSON))
def test_whatever_is_written_comes_out_well(schema: Any) -> None:
    made = fit({**schema, "type": "object"})
    assert made["type"] == "object"
    assert isinstance(made["properties"], dict)
    assert not {"anyOf", "oneOf", "allOf", "enum", "not"} & made.keys()
    check(made)
    assert fit(made) == made


def check(schema: Any) -> None:
    assert isinstance(schema, dict)
    assert "$ref" not in schema
    if schema.get("type") == "array":
        assert isinstance(schema["items"], dict)
    for each in schema.get("properties", {}).values():
        check(each)
    assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
    for each in schema.get("anyOf", ()):
        check(each)


def test_google_is_offered_no_name_that_begins_with_a_digit() -> None:
    tools = (spec({}, "1c_reload"), spec({}, "_look"))
    where = Endpoint("acme", "https://example.com/v1", "k")
    for api, names in (
        ("google-generative-ai", ["_look"]),
        ("anthropic-messages", ["1c_reload", "_look"]),
    ):
        made = FittedTools()(tools, ModelTarget(where, "m", api=api))
        assert [each.name for each in made] == names


def test_what_is_kept_of_tools_is_bounded() -> None:
    kept = FittedTools()
    target = ModelTarget(Endpoint("acme", "http://127.0.0.1:1/v1"), "m")
    large = tuple(spec(of(**{f"p{n}": {**TEXT, "description": "x" * 9000}}), f"t{n}") for n in range(40))
    made = kept(large, target)
    assert [each.name for each in made] == [each.name for each in large]
    assert not kept._kept
    for number in range(300):
        kept((spec(of(**{f"q{number}": {}})),), target)
    assert len(kept._kept) <= 128
    grown = {f"D{n}": of(**{f"a{k}": {"$ref": f"#/$defs/D{n + 1}"} for k in range(9)}) for n in range(9)}
    before = len(tool_schemas._kept)
    fit({**of(d={"$ref": "#/$defs/D0"}), "$defs": grown})
    assert len(tool_schemas._kept) == before

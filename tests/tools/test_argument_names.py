"""Arguments go to an MCP server under its own names, and nothing else of them is touched."""

from typing import Any

import pytest

from openclaw_gateway.tools.mcp.argument_names import plain, put_back

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "$filter": TEXT,
        "data": {"type": "object"},
        "rows": {"type": "array", "items": {"$ref": "#/$defs/row"}},
        "one": {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"a b": TEXT}}]},
        "pick": {"anyOf": 3, "$ref": "#/properties/one/anyOf/1"},
        "odd": {"properties": ["a b"], "oneOf": {"a b": TEXT}},
        "by": {"additionalProperties": {"$ref": "#/$defs/row"}},
    },
    "$defs": {"row": {"properties": {"a b": TEXT, "next": {"$ref": "#/$defs/row"}}}},
}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"filter": "x"}, {"$filter": "x"}),
        ({"data": {"filter": 1, "a_b": [{"filter": 2}]}}, {"data": {"filter": 1, "a_b": [{"filter": 2}]}}),
        (
            {"rows": [{"a_b": "x", "next": {"a_b": "y", "filter": 1}}]},
            {"rows": [{"a b": "x", "next": {"a b": "y", "filter": 1}}]},
        ),
        ({"one": {"a_b": "x"}}, {"one": {"a b": "x"}}),
        ({"pick": {"a_b": "x"}, "odd": {"a_b": "x"}}, {"pick": {"a b": "x"}, "odd": {"a_b": "x"}}),
        ({"by": {"filter": {"a_b": "x"}}}, {"by": {"filter": {"a b": "x"}}}),
        ({"rows": "none", "new": {"a_b": 1}}, {"rows": "none", "new": {"a_b": 1}}),
    ],
)
def test_only_what_the_server_describes_is_renamed(said: Any, meant: Any) -> None:
    _, names = plain(SCHEMA)
    assert put_back(said, names, SCHEMA) == meant

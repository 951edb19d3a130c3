"""An MCP server without an SDK, whose thirty tools are described as badly as such servers do."""

import json
import sys
from typing import Any

TEXT = {"type": "string"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMAS: list[Any] = [
    {},
    {"type": "object"},
    {"type": "object", "properties": None},
    {"type": "object", "properties": {"a": True}},
    {"type": "object", "properties": {"a": {"type": "array"}}},
    {"type": "object", "properties": {"a": {"type": "array", "items": [TEXT]}}},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": TEXT}},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "$defs": {"A": {"$ref": "#/$defs/A"}}},
    {"type": "object", "properties": {"file path": TEXT}, "required": ["file path"]},
    {"anyOf": [{"type": "object", "properties": {"a": TEXT}}, {"type": "object", "properties": {"b": TEXT}}]},
    {"oneOf": [{"properties": {"a": TEXT}}]},
    {"allOf": [{"properties": {"a": TEXT}, "required": ["a"]}]},
    {"type": "object", "properties": {"a": {"enum": []}}},
    {"type": "object", "properties": {"a": {"type": "str"}}},
    {"type": "object", "properties": {"a": {"type": "any", "x-more": 1}}},
    {"type": "object", "properties": {"a": TEXT}, "required": ["a", "gone"]},
    {"type": "object", "properties": {"a": {**TEXT, "format": "uri", "minLength": 1, "pattern": "^a"}}},
    {"type": "object", "properties": {"a": {"const": "x"}}},
    {"type": "object", "properties": {"a": {"type": ["string", "null"], "default": None}}},
    {"type": "object", "properties": {"a": TEXT}, "additionalProperties": False, "$schema": "http://x"},
    {"type": "object", "patternProperties": {"^a": TEXT}},
    {"type": "object", "properties": {"a": {"type": "object", "properties": {"b c": TEXT}}}},
]
TOOLS: list[Any] = [
    {"name": f"odd_{n}", "description": "d", "inputSchema": schema} for n, schema in enumerate(SCHEMAS)
]
TOOLS += [
    {"name": "no_schema"},
    {"name": "schema_is_text", "inputSchema": "none"},
    {"name": "described_oddly", "description": 7, "inputSchema": {}},
    {"name": "annotated_oddly", "inputSchema": {}, "annotations": "yes", "title": 7, "icons": 1},
    {"name": "promises", "inputSchema": {}, "outputSchema": {"type": "object", "required": ["never"]}},
    {"name": "shows", "inputSchema": {}},
    {"inputSchema": {}},
    {"name": 7, "inputSchema": {}},
    "not a tool",
    {"name": "last", "inputSchema": {}},
]


def answer(name: str, arguments: Any) -> Any:
    if name == "shows":
        return {
            "content": [{"type": "image", "mimeType": "image/png", "data": PNG}],
            "structuredContent": {"n": 1},
        }
    if name == "promises":
        return {"content": [], "structuredContent": {"other": True}}
    return {"content": [{"type": "text", "text": json.dumps(arguments)}]}


def result(message: Any) -> Any:
    params = message.get("params") or {}
    match message["method"]:
        case "initialize":
            version = params["protocolVersion"]
            capabilities: Any = {"tools": {}}
            return {
                "protocolVersion": version,
                "capabilities": capabilities,
                "serverInfo": {"name": "odd", "version": "1"},
            }
        case "tools/list":
            return {"tools": TOOLS}
        case "tools/call":
            return answer(params["name"], params.get("arguments"))
        case _:
            return None


for line in sys.stdin:
    message = json.loads(line)
    if "id" not in message:
        continue
    made = result(message)
    reply = {"jsonrpc": "2.0", "id": message["id"]}
    reply |= {"error": {"code": -32601, "message": "no"}} if made is None else {"result": made}
    sys.stdout.write(json.dumps(reply) + "\n")
    sys.stdout.flush()

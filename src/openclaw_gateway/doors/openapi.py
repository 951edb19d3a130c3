"""The OpenAPI 3.1 document of the HTTP API, made of what the endpoints declare and of the code's own types.

Pure. What a request may hold is asked of its decoder: run once over the least body, it names each field that
it takes, and the type. Nothing here is of one gateway's configuration, so the document is the same for all.
Source: spec.openapis.org/oas/v3.1.1.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from openclaw_gateway.doors.endpoint import HttpEndpoint
from openclaw_gateway.doors.openai.body import NotedBody
from openclaw_gateway.doors.operation import Operation, Sent, statuses

Json = dict[str, Any]
_COMPONENTS = "#/components/schemas/"
_REFERENCE = _COMPONENTS + "{name}"
_VARIABLE = re.compile(r"\{(\w+)\}")
_ABOUT = (
    "The OpenAI API of an OpenClaw-compatible gateway: an agent is a model. Every path that begins with /v1 "
    "is served without it too. Fields of a request that are not listed have no effect and are named in "
    "x-openclaw-ignored-params; one that is null counts as absent. An endpoint that is off answers 404 with "
    "the configuration key that turns it on."
)
_NEVER_VOID = {"minLength": 1}


def openapi(endpoints: Iterable[type[HttpEndpoint]]) -> Json:
    """Raises ValueError for two types that would have one name in the document."""
    types = _Types()
    paths: dict[str, Json] = {}
    for endpoint in endpoints:
        for operation in endpoint.operations:
            entry = paths.setdefault(operation.path, {})
            entry[operation.method.lower()] = _operation(endpoint, operation, types)
    return {
        "openapi": "3.1.0",
        "info": {"title": "OpenClaw gateway", "version": "1", "description": _ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": types.components(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "api-key"},
                "xApiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
        "security": [{"bearer": []}, {"apiKey": []}, {"xApiKey": []}],
    }


class _Types:
    """Python types as JSON schemas, with one component for each struct."""

    def __init__(self) -> None:
        self._found: dict[str, Json] = {}
        self._known: dict[Any, Json] = {}

    def schema(self, kind: Any) -> Json:
        """Of a tuple of types any one may come. Raises ValueError as above."""
        if isinstance(kind, tuple):
            return {"anyOf": [self.schema(each) for each in kind]}
        if kind not in self._known:
            self._known[kind] = self._made(kind)
        return self._known[kind]

    def _made(self, kind: Any) -> Json:
        (schema,), components = msgspec.json.schema_components([kind], ref_template=_REFERENCE)
        for name, component in components.items():
            plain, shown = _plain(name), _renamed(component)
            if self._found.setdefault(plain, shown) != shown:
                raise ValueError(f"two types are called {plain}: rename one of them")
        return dict(_renamed(schema))

    def components(self) -> dict[str, Json]:
        return dict(sorted(self._found.items()))


def _plain(name: str) -> str:
    return name.rpartition(".")[2].lstrip("_")


def _renamed(schema: Any) -> Any:
    """With every reference to a component by its plain name, and every union as `anyOf` alone."""
    if isinstance(schema, list):
        return [_renamed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shown = {key: _renamed(value) for key, value in schema.items()}
    if isinstance(reference := shown.get("$ref"), str):
        shown["$ref"] = _COMPONENTS + _plain(reference.removeprefix(_COMPONENTS))
    if "discriminator" in shown:
        mapping = shown["discriminator"].get("mapping", {})
        shown["discriminator"]["mapping"] = {
            tag: _COMPONENTS + _plain(where.removeprefix(_COMPONENTS)) for tag, where in mapping.items()
        }
    return shown


def _operation(endpoint: type[HttpEndpoint], operation: Operation, types: _Types) -> Json:
    error = types.schema(operation.error)
    shown: Json = {
        "operationId": _id_of(operation),
        "summary": operation.summary,
        "responses": _answers(operation, types)
        | {
            str(status): _refusal(codes, error)
            for status, codes in statuses(endpoint.refusals).items()
            if status not in operation.answers
        },
    }
    parameters = [
        *(_parameter(name, "path", "", required=True) for name in _VARIABLE.findall(operation.path)),
        *(_parameter(name, "query", said) for name, said in operation.query.items()),
        *(_parameter(name, "header", said) for name, said in operation.headers.items()),
    ]
    if parameters:
        shown["parameters"] = parameters
    if operation.sent is not None:
        content = {"schema": _body(operation.sent, types), "example": dict(operation.sent.least)}
        shown["requestBody"] = {"required": True, "content": {"application/json": content}}
    if endpoint.public:
        shown["security"] = []
    return shown


def _id_of(operation: Operation) -> str:
    words = re.findall(r"[a-z_]+", operation.path.removeprefix("/v1").lower())
    return "_".join([operation.method.lower(), *words])


def _parameter(name: str, place: str, said: str, *, required: bool = False) -> Json:
    shown: Json = {"name": name, "in": place, "required": required}
    shown["schema"] = {"type": "string", **(_NEVER_VOID if required else {})}
    return shown | ({"description": said} if said else {})


def _answers(operation: Operation, types: _Types) -> dict[str, Json]:
    answers: dict[str, Json] = {}
    for status, kind in operation.answers.items():
        content: Json = {}
        if kind is not None:
            content[operation.media_type] = {"schema": types.schema(kind)}
        if operation.events is not None and status == 200:
            # Of a stream 3.1 has no words: what the data of each event holds stands beside it.
            content["text/event-stream"] = {"x-event-schema": types.schema(operation.events)}
        answers[str(status)] = {"description": operation.summary, "content": content}
    return answers


def _refusal(codes: Iterable[str], error: Json) -> Json:
    return {
        "description": "Refused: " + ", ".join(f"`{code}`" for code in codes),
        "content": {"application/json": {"schema": error}},
    }


def _body(sent: Sent, types: _Types) -> Json:
    noted = NotedBody({name: msgspec.Raw(msgspec.json.encode(value)) for name, value in sent.least.items()})
    sent.read(noted)
    properties = {name: types.schema(kind) for name, kind in sorted(noted.types.items())}
    return {
        "type": "object",
        "properties": {
            name: schema if name in sent.least else _or_null(schema) for name, schema in properties.items()
        },
        "required": sorted(sent.least),
    }


def _or_null(schema: Mapping[str, Any]) -> Json:
    null = {"type": "null"}
    if schema.keys() == {"anyOf"}:
        return {"anyOf": [*schema["anyOf"], null]}
    return {"anyOf": [dict(schema), null]}

"""The dialect `ollama`: POST /api/chat, Ollama's own API.

Pure: a conversation in, the bytes of a request out; answers are read in `stream`. Spoken rather than its
OpenAI mode because only here the size of the context can be said: what is longer is cut in silence. It must
not know sockets, retries or configuration. Source: docs.ollama.com/api/chat.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.apis.calls import as_object
from openclaw_gateway.models.apis.ollama.stream import NAME, LineParser
from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.apis.settings import (
    asked_for,
    max_tokens,
    not_taken,
    schema_of,
    settings,
    strict_tools,
)
from openclaw_gateway.models.apis.thinking import OFF, insisted, told
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import AssistantMessage, Message, SystemMessage, ToolMessage, UserMessage
from openclaw_gateway.wire.run import Sampling, ToolSpec

API = NAME

# Those of its models that think by levels; the others think or do not.
_BY_LEVEL = ("low", "medium", "high")


class _Function(Struct):
    name: str
    parameters: Raw
    description: str | UnsetType = UNSET


class _Tool(Struct, tag_field="type", tag="function"):
    function: _Function


class _Options(Struct, omit_defaults=True):
    num_ctx: int | None = None
    num_predict: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET


class _Request(Struct):
    model: str
    messages: list[dict[str, Any]]
    options: dict[str, Any]
    stream: bool = True
    tools: Raw | UnsetType = UNSET
    format: Any = UNSET
    think: bool | str | UnsetType = UNSET


# `options` of an operator's are laid under ours.
RESERVED: frozenset[str] = frozenset(_Request.__struct_fields__) - {"options"}

_encode = msgspec.json.Encoder().encode


def path(target: ModelTarget) -> str:
    # Who has used the OpenAI mode has its version in the address.
    return "/../api/chat" if target.endpoint.base_url.endswith("/v1") else "/api/chat"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    return openai_completions.headers(endpoint)


def parser(vendor: Vendor) -> LineParser:
    return LineParser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    names = not_taken(target, request) + strict_tools(request)
    chosen = settings(target, request)
    if _think(target, request, chosen) is UNSET and chosen.reasoning_effort not in (UNSET, *OFF):
        names += asked_for(request, "reasoning_effort")
    if insisted(request):
        names += ("tool_choice",)
    if request.tools and request.parallel_tool_calls is not None:
        names += ("parallel_tool_calls",)
    return names


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    chosen = settings(target, request)
    further = dict(target.extra_body)
    own = further.pop("options", None)
    options = {**own, **_options(target, chosen)} if isinstance(own, dict) else _options(target, chosen)
    said = [_wire(message) for message in request.messages if type(message) is not SystemMessage]
    if system := instructions(request, target.system):
        said.insert(0, {"role": "system", "content": system})
    wire = _Request(
        target.model, said, options, format=_format(chosen), think=_think(target, request, chosen)
    )
    if request.tools and request.tool_choice != "none":
        wire.tools = _tools(request.tools)
    made = _encode(wire)
    return b"%b,%b" % (made[:-1], _encode(further)[1:]) if further else made


def _options(target: ModelTarget, chosen: Sampling) -> dict[str, Any]:
    options = _Options(
        target.context_window,
        max_tokens(target, chosen),
        chosen.temperature,
        chosen.top_p,
        chosen.stop,
        chosen.seed,
        chosen.frequency_penalty,
        chosen.presence_penalty,
    )
    return dict(msgspec.to_builtins(options))


def _think(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> bool | str | UnsetType:
    """Said to a model that cannot think, yes is refused; those that can think where nothing is said."""
    said, family = told(target, request, chosen), target.family
    if not said:
        return UNSET
    if said == "none":
        return False
    if family.thinking.levels == _BY_LEVEL:
        return said
    return True if family.reasons else UNSET


def _format(chosen: Sampling) -> Any:
    kind, schema = schema_of(chosen)
    if kind == "json_schema" and schema is not None:
        return schema.get("schema") or "json"
    return "json" if kind == "json_object" else UNSET


def _wire(message: Message) -> dict[str, Any]:
    match message:
        case UserMessage():
            said: dict[str, Any] = {"role": "user", "content": message.content}
            if message.images:
                said["images"] = [image.data for image in message.images]
            return said
        case ToolMessage():
            return {
                "role": "tool",
                "content": message.content,
                "tool_name": message.name or "",
                "tool_call_id": message.tool_call_id,
            }
        case AssistantMessage():
            return _said(message)
        case SystemMessage(content):
            return {"role": "system", "content": content}


def _said(message: AssistantMessage) -> dict[str, Any]:
    said: dict[str, Any] = {"role": "assistant", "content": message.content}
    calls = message.tool_calls
    if calls:
        # What was thought before a call belongs to it.
        if message.reasoning:
            said["thinking"] = message.reasoning
        said["tool_calls"] = [
            {"id": call.id, "function": {"name": call.name, "arguments": as_object(call.arguments)}}
            for call in calls
        ]
    return said


def _tool(spec: ToolSpec) -> _Tool:
    return _Tool(_Function(spec.name, spec.parameters, spec.description or UNSET))


def _listed(tools: Iterable[ToolSpec]) -> list[_Tool]:
    return list(map(_tool, tools))


_tools = ToolLists(_listed)

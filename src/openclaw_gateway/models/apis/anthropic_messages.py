"""The dialect `anthropic-messages`: POST /v1/messages, of Anthropic and of those who speak like it.

Pure: a conversation in, the bytes of a request out; turns are made in anthropic_messages_turns, answers
read in anthropic_messages_stream. It must not know sockets, retries or configuration.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.apis import anthropic_messages_stream
from openclaw_gateway.models.apis.anthropic_messages_stream import MessageParser
from openclaw_gateway.models.apis.anthropic_messages_turns import Block, Turn, may_think, turns
from openclaw_gateway.models.apis.claude import Abilities, abilities
from openclaw_gateway.models.apis.schemas import closed
from openclaw_gateway.models.apis.settings import (
    BUDGETS,
    LEVELS,
    asked_for,
    max_tokens,
    schema_of,
    settings,
    strict_tools,
    thinking,
    written,
)
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import AssistantMessage
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

API = anthropic_messages_stream.NAME

# The API insists on a limit; this is what the two systems say when nobody else does.
_MAX_TOKENS = 8192
# The API's least budget of thinking; as much must be left for the answer.
_LEAST = 1024
_ANY = Raw(b'{"type":"object"}')


class _Tool(Struct):
    name: str
    input_schema: Raw
    description: str | UnsetType = UNSET
    cache_control: Any = UNSET


class _Request(Struct):
    model: str
    max_tokens: int
    messages: list[Turn]
    stream: bool = True
    system: list[Block] | UnsetType = UNSET
    tools: Raw | UnsetType = UNSET
    tool_choice: Any = UNSET
    thinking: Any = UNSET
    output_config: Any = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    stop_sequences: list[str] | UnsetType = UNSET


RESERVED: frozenset[str] = frozenset(_Request.__struct_fields__)

_encode = msgspec.json.Encoder().encode


def path(target: ModelTarget) -> str:
    # Anthropic's own clients are given the address without the version, OpenAI's with it.
    return "/messages" if target.endpoint.base_url.endswith("/v1") else "/v1/messages"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    version = {"anthropic-version": "2023-06-01"}
    return {**version, "x-api-key": endpoint.api_key} if endpoint.api_key else version


def parser(vendor: Vendor) -> MessageParser:
    return MessageParser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    can, chosen = abilities(target.model), settings(target, request)
    names = ["seed", "frequency_penalty", "presence_penalty"]
    thought = _thinking(target, request, chosen, can)[0] is not UNSET
    if thought or not can.sampling:
        names += ["temperature", "top_p"]
    elif not can.both_samplings and chosen.temperature is not UNSET:
        names += ["top_p"]
    if not thought and thinking(chosen) not in {None, "off"}:
        names += ["reasoning_effort"]
    kind = schema_of(chosen)[0]
    if kind == "json_object" or (kind == "json_schema" and not can.schema):
        names += ["response_format"]
    return asked_for(request, *names) + strict_tools(request)


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    chosen, can = settings(target, request), abilities(target.model)
    mark = _mark(target.cache)
    thought, limit = _thinking(target, request, chosen, can)
    said = turns(request.messages)
    if mark and said[-1]["role"] == "user":
        said[-1]["content"][-1] = {**said[-1]["content"][-1], "cache_control": mark}
    wire = _Request(target.model, limit, said, thinking=thought)
    if system := instructions(request, target.system):
        wire.system = [{"type": "text", "text": system, **({"cache_control": mark} if mark else {})}]
    if request.tools:
        wire.tools = _tools(request.tools, target.cache)
        wire.tool_choice = _choice(request)
    elif called := _called(request):
        wire.tools = _tools(called, target.cache)
        wire.tool_choice = {"type": "none"}
    if thought is UNSET and can.sampling:
        if not isinstance(chosen.temperature, UnsetType):
            wire.temperature = min(chosen.temperature, 1.0)
        if can.both_samplings or chosen.temperature is UNSET:
            wire.top_p = chosen.top_p
    if chosen.stop is not UNSET:
        # Blank ones are refused.
        wire.stop_sequences = [text for text in chosen.stop if text.strip()] or UNSET
    wire.output_config = _output(chosen, can, thought)
    return written(wire, target)


def _thinking(
    target: ModelTarget, request: ModelRequest, chosen: Sampling, can: Abilities
) -> tuple[Any, int]:
    """(how to think, the longest answer, which includes the thinking)."""
    asked = max_tokens(target, chosen)
    limit = _MAX_TOKENS if asked is UNSET else asked
    level = thinking(chosen)
    # A call that is insisted on leaves no room for thinking: the API refuses both together.
    insisted = request.tools and request.tool_choice not in ("auto", "none")
    if level in {None, "off"} or insisted or target.family.thinking.way == "never":
        return UNSET, limit
    if can.adaptive:
        return {"type": "adaptive", "display": "summarized"}, limit
    budget = BUDGETS[level or ""]
    if asked is UNSET:
        limit = budget + _MAX_TOKENS
    budget = min(budget, limit - _LEAST)
    if budget < _LEAST or not may_think(request.messages):
        return UNSET, limit
    return {"type": "enabled", "budget_tokens": budget}, limit


def _called(request: ModelRequest) -> tuple[ToolSpec, ...]:
    """The tools of earlier calls, where none is offered any more: calls of tools that are not declared are
    refused."""
    names = {
        call.name: None
        for message in request.messages
        if type(message) is AssistantMessage
        for call in message.tool_calls
    }
    return tuple(ToolSpec(name, "", _ANY) for name in names)


def _output(chosen: Sampling, can: Abilities, thought: Any) -> Any:
    output: dict[str, Any] = {}
    if thought is not UNSET and can.adaptive:
        output["effort"] = can.efforts[LEVELS.index(thinking(chosen) or "medium")]
    kind, schema = schema_of(chosen)
    if kind == "json_schema" and schema and can.schema:
        output["format"] = {"type": "json_schema", "schema": closed(schema.get("schema", {}))}
    return output or UNSET


def _tool(spec: ToolSpec) -> _Tool:
    return _Tool(spec.name, spec.parameters, spec.description or UNSET)


def _choice(request: ModelRequest) -> Any:
    choice: dict[str, Any]
    match request.tool_choice:
        case NamedTool(name):
            choice = {"type": "tool", "name": name}
        case "required":
            choice = {"type": "any"}
        case "none":
            return {"type": "none"}
        case "auto":
            if request.parallel_tool_calls is None:
                return UNSET
            choice = {"type": "auto"}
    if request.parallel_tool_calls is not None:
        choice["disable_parallel_tool_use"] = not request.parallel_tool_calls
    return choice


@ToolLists
def _tools(tools: tuple[ToolSpec, ...], cache: str) -> list[_Tool]:
    listed = [_tool(spec) for spec in tools]
    if mark := _mark(cache):
        listed[-1].cache_control = mark
    return listed


@lru_cache(maxsize=8)
def _mark(ttl: str) -> dict[str, str] | None:
    """Where a prompt may be cached up to; "" = it shall not be."""
    if not ttl:
        return None
    return {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}

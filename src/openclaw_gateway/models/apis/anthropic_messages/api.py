"""The dialect `anthropic-messages`: POST /v1/messages, of Anthropic and of those who speak like it.

Pure: a conversation in, the bytes of a request out; turns are made in `turns`, answers are read in `stream`.
It must not know sockets, retries or configuration.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.apis.anthropic_messages.stream import NAME, MessageParser
from openclaw_gateway.models.apis.anthropic_messages.turns import Block, Turn, may_think, turns
from openclaw_gateway.models.apis.schemas import closed
from openclaw_gateway.models.apis.settings import (
    asked_for,
    max_tokens,
    not_taken,
    schema_of,
    settings,
    strict_tools,
    written,
)
from openclaw_gateway.models.apis.thinking import OFF, budget, insisted, told
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import AssistantMessage
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

API = NAME

# The API insists on a limit; this is what is said of a model nobody knows.
_MAX_TOKENS = 8192
# The API's least budget of thinking; as much must be left for the answer.
_LEAST = 1024
_ANY = Raw(b'{"type":"object"}')
_ADAPTIVE = {"type": "adaptive", "display": "summarized"}


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
    family, chosen = target.family, settings(target, request)
    names = not_taken(target, request)
    if chosen.reasoning_effort not in (UNSET, *OFF) and not _thinking(target, request, chosen).on:
        names += asked_for(request, "reasoning_effort")
    kind = schema_of(chosen)[0]
    if kind == "json_object" or (kind == "json_schema" and not family.answers_schema):
        names += asked_for(request, "response_format")
    if insisted(request) and not family.insists:
        names += ("tool_choice",)
    return names + strict_tools(request)


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    chosen = settings(target, request)
    mark = _mark(target.cache)
    thought = _thinking(target, request, chosen)
    said = turns(request.messages)
    if mark and said[-1]["role"] == "user":
        said[-1]["content"][-1] = {**said[-1]["content"][-1], "cache_control": mark}
    wire = _Request(target.model, thought.limit, said, thinking=thought.how)
    if system := instructions(request, target.system):
        wire.system = [{"type": "text", "text": system, **({"cache_control": mark} if mark else {})}]
    if request.tools:
        wire.tools = _tools(request.tools, target.cache)
        wire.tool_choice = _choice(request, insists=target.family.insists)
    elif called := _called(request):
        wire.tools = _tools(called, target.cache)
        wire.tool_choice = {"type": "none"}
    if not isinstance(chosen.temperature, UnsetType):
        wire.temperature = min(chosen.temperature, 1.0)
    wire.top_p = chosen.top_p
    if chosen.stop is not UNSET:
        # Blank ones are refused.
        wire.stop_sequences = [text for text in chosen.stop if text.strip()] or UNSET
    wire.output_config = _output(target, chosen, thought)
    return written(wire, target)


class _Thought(NamedTuple):
    """How to think, how hard, and the longest answer, which includes the thinking."""

    how: Any
    effort: str
    limit: int
    on: bool


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


def _thinking(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> _Thought:
    thinking, asked = target.family.thinking, max_tokens(target, chosen)
    most = target.family.output
    # The thinking has tokens of its own: an answer of a hundred words may need ten thousand before it.
    answer = (most or _MAX_TOKENS) if isinstance(asked, UnsetType) else min(asked, most or asked)
    said = told(target, request, chosen)
    if insisted(request) and target.family.insists:
        # A call that is insisted on leaves no room for thinking: the API refuses both together.
        said = "none" if thinking.usual else ""
    elif thinking.way == "adaptive" and chosen.reasoning_effort == "adaptive":
        return _Thought(_ADAPTIVE, "", _with_room(answer, "medium", target), on=True)
    if said in {"", "none"}:
        off = thinking.words.get("none") if said else None
        limit = answer if said or isinstance(asked, UnsetType) else _with_room(answer, thinking.usual, target)
        return _Thought({"type": off} if off else UNSET, "", limit, on=False)
    limit = _with_room(answer, said, target)
    if thinking.way == "adaptive":
        return _Thought(_ADAPTIVE, said, limit, on=True)
    tokens = min(budget(thinking, said), limit - _LEAST)
    if tokens < _LEAST or not may_think(request.messages):
        return _Thought(UNSET, "", answer, on=False)
    return _Thought({"type": "enabled", "budget_tokens": tokens}, "", limit, on=True)


def _with_room(answer: int, level: str, target: ModelTarget) -> int:
    if not level:
        return answer
    whole = answer + budget(target.family.thinking, level)
    return min(whole, max(target.family.output or whole, answer))


def _output(target: ModelTarget, chosen: Sampling, thought: _Thought) -> Any:
    output: dict[str, Any] = {"effort": thought.effort} if thought.effort else {}
    kind, schema = schema_of(chosen)
    if kind == "json_schema" and schema and target.family.answers_schema:
        output["format"] = {"type": "json_schema", "schema": closed(schema.get("schema", {}))}
    return output or UNSET


def _tool(spec: ToolSpec) -> _Tool:
    return _Tool(spec.name, spec.parameters, spec.description or UNSET)


def _choice(request: ModelRequest, *, insists: bool) -> Any:
    choice: dict[str, Any]
    match request.tool_choice if insists or not insisted(request) else "auto":
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

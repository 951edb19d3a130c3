"""The dialect `openai-responses`: POST /responses, OpenAI's newer API.

Pure: a conversation in, the bytes of a request out; answers are read in `stream`. Nothing is left at the
vendor (`store` false), so reasoning comes encrypted and goes back as it came. It must not know sockets,
retries or configuration.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.apis.images import data_url, file_name
from openclaw_gateway.models.apis.openai_completions import api as openai_completions
from openclaw_gateway.models.apis.openai_responses.stream import NAME, ResponseParser
from openclaw_gateway.models.apis.settings import max_tokens, not_taken, schema_of, settings, written
from openclaw_gateway.models.apis.thinking import effort
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    Message,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolChoice, ToolSpec

API = NAME

# The API's own least; it refuses smaller limits.
_LEAST_TOKENS = 16


class _Tool(Struct, tag_field="type", tag="function"):
    name: str
    parameters: Raw
    # Strict is this API's default, and refuses most schemas people write: only who asks for it has it.
    strict: bool = False
    description: str | UnsetType = UNSET


class _Request(Struct):
    model: str
    input: list[Any]
    stream: bool = True
    store: bool = False
    instructions: str | UnsetType = UNSET
    include: list[str] | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    text: Any = UNSET
    reasoning: Any = UNSET
    tools: Raw | UnsetType = UNSET
    tool_choice: Any = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET


RESERVED: frozenset[str] = frozenset(_Request.__struct_fields__)

_encode = msgspec.json.Encoder().encode


def path(target: ModelTarget) -> str:
    return "/responses"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    return openai_completions.headers(endpoint)


def parser(vendor: Vendor) -> ResponseParser:
    return ResponseParser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    return not_taken(target, request)


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    chosen = settings(target, request)
    level, limit = effort(target, request, chosen), max_tokens(target, chosen)
    wire = _Request(
        target.model,
        _items(request.messages),
        instructions=instructions(request, target.system) or UNSET,
        max_output_tokens=limit if isinstance(limit, UnsetType) else max(limit, _LEAST_TOKENS),
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        text=_text(chosen),
    )
    if level is not UNSET or target.family.reasons:
        # Asked for with a model that does not reason, the vendor refuses the request.
        wire.include = ["reasoning.encrypted_content"]
    if level is not UNSET:
        wire.reasoning = {"effort": level, **({"summary": "auto"} if level != "none" else {})}
    if request.tools:
        wire.tools = _tools(request.tools)
        if request.tool_choice != "auto":
            wire.tool_choice = _choice(request.tool_choice)
        if request.parallel_tool_calls is not None:
            wire.parallel_tool_calls = request.parallel_tool_calls
    return written(wire, target)


def _items(messages: Iterable[Message]) -> list[Any]:
    items: list[Any] = []
    for message in messages:
        match message:
            case UserMessage():
                items.append({"role": "user", "content": _parts(message)})
            case AssistantMessage():
                items += _assistant(message)
            case ToolMessage(tool_call_id=call_id, content=content):
                output = _parts(message) if message.images else content
                items.append({"type": "function_call_output", "call_id": call_id, "output": output})
            case _:
                pass
    return items


def _parts(message: UserMessage | ToolMessage) -> list[dict[str, str]]:
    parts: list[dict[str, str]] = []
    for file in message.files if isinstance(message, UserMessage) else ():
        parts.append({"type": "input_file", "filename": file_name(file), "file_data": data_url(file)})
    if message.content:
        parts.append({"type": "input_text", "text": message.content})
    for image in message.images:
        parts.append({"type": "input_image", "image_url": data_url(image), "detail": "auto"})
    return parts or [{"type": "input_text", "text": ""}]


def _assistant(message: AssistantMessage) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for part in message.parts:
        match part:
            case Text(text):
                items.append({"role": "assistant", "content": text})
            case ToolCall():
                call = {"call_id": part.id, "name": part.name, "arguments": part.arguments}
                items.append({"type": "function_call", **call})
            case Reasoning(text, payload) if payload is not UNSET:
                summary = [{"type": "summary_text", "text": text}] if text else []
                sealed = msgspec.json.decode(payload)
                items.append({"type": "reasoning", "summary": summary, **sealed})
            case Reasoning():
                pass
    return items


def _text(chosen: Sampling) -> Any:
    kind, schema = schema_of(chosen)
    if kind == "text":
        return UNSET
    return {"format": {**(schema or {}), "type": kind}}


def _tool(spec: ToolSpec) -> _Tool:
    return _Tool(spec.name, spec.parameters, spec.strict is True, spec.description or UNSET)


_tools = ToolLists(lambda tools: list(map(_tool, tools)))


def _choice(choice: ToolChoice) -> Any:
    return {"type": "function", "name": choice.name} if isinstance(choice, NamedTool) else choice

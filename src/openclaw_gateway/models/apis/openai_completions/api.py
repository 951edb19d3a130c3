"""The dialect `openai-completions`: POST /chat/completions, as OpenAI defined it and everybody speaks it.

Pure: a conversation in, the bytes of a request out; what comes back is read in `stream`. It must not
know sockets, retries or configuration.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.apis.images import data_url, file_name
from openclaw_gateway.models.apis.openai_completions.stream import NAME, ChunkParser
from openclaw_gateway.models.apis.settings import asked_for, max_tokens, not_taken, settings, written
from openclaw_gateway.models.apis.thinking import FIELDS, OFF
from openclaw_gateway.models.apis.thinking import fields as thinking_fields
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.azure import is_azure
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Message,
    Reasoning,
    SystemMessage,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import NamedTool, ToolChoice, ToolSpec

API = NAME


class _Function(Struct):
    name: str
    arguments: str


class _ToolCall(Struct, tag_field="type", tag="function"):
    id: str
    function: _Function
    extra_content: Raw | UnsetType = UNSET


class _Assistant(Struct, tag_field="role", tag="assistant"):
    content: str | None
    tool_calls: list[_ToolCall] | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    reasoning_details: Any = UNSET
    name: str | UnsetType = UNSET


class _User(Struct, tag_field="role", tag="user"):
    content: list[Any]
    name: str | UnsetType = UNSET


class _Result(Struct, tag_field="role", tag="tool"):
    tool_call_id: str
    content: str
    name: str | UnsetType = UNSET


class _Spec(Struct):
    name: str
    parameters: Raw
    description: str | UnsetType = UNSET
    strict: bool | UnsetType = UNSET


class _Tool(Struct, tag_field="type", tag="function"):
    function: _Spec


class _StreamOptions(Struct):
    include_usage: bool = True


class _Request(Struct):
    model: str
    messages: list[Any]
    stream: bool = True
    stream_options: _StreamOptions | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    max_completion_tokens: int | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    response_format: Any = UNSET
    tools: Raw | UnsetType = UNSET
    tool_choice: Any = UNSET
    parallel_tool_calls: bool | UnsetType = UNSET
    reasoning: Any = UNSET
    thinking: Any = UNSET
    enable_thinking: bool | UnsetType = UNSET
    chat_template_kwargs: Any = UNSET


RESERVED: frozenset[str] = frozenset(_Request.__struct_fields__) - FIELDS

_encode = msgspec.json.Encoder().encode
_STREAM_OPTIONS = _StreamOptions()
# Google's own word for a call that another model made, as its OpenAI mode takes it.
_UNSEALED = Raw(b'{"google":{"thought_signature":"skip_thought_signature_validator"}}')


def path(target: ModelTarget) -> str:
    if target.endpoint.deployments:
        return f"/deployments/{target.model}/chat/completions"
    return "/chat/completions"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    if endpoint.api_key and is_azure(endpoint.base_url):
        return {"api-key": endpoint.api_key}
    if endpoint.api_key and endpoint.auth_header:
        return {"Authorization": f"Bearer {endpoint.api_key}"}
    return {}


def parser(vendor: Vendor) -> ChunkParser:
    return ChunkParser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    names = not_taken(target, request)
    if request.tools and not target.family.thinks_with_tools and request.sampling.reasoning_effort not in OFF:
        names += asked_for(request, "reasoning_effort")
    return names


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    """Raises nothing: what a request may hold has been checked."""
    family = target.family
    said = []
    for message in request.messages:
        if type(message) is not SystemMessage:
            said.append(_wire(message, target))
    if system := instructions(request, target.system):
        said.insert(0, _system(system))
    chosen = settings(target, request)
    wire = _Request(
        target.model,
        said,
        temperature=chosen.temperature,
        top_p=chosen.top_p,
        stop=chosen.stop,
        seed=chosen.seed,
        frequency_penalty=chosen.frequency_penalty,
        presence_penalty=chosen.presence_penalty,
        response_format=chosen.response_format,
    )
    if chosen.reasoning_effort is not UNSET or not family.thinks_with_tools:
        for name, value in thinking_fields(target, request, chosen):
            setattr(wire, name, value)
    if stream_usage and family.usage_in_stream:
        wire.stream_options = _STREAM_OPTIONS
    if family.max_tokens_field == "max_completion_tokens":
        wire.max_completion_tokens = max_tokens(target, chosen)
    else:
        wire.max_tokens = max_tokens(target, chosen)
    if request.tools:
        wire.tools = _tools(request.tools)
        if request.tool_choice != "auto":
            wire.tool_choice = _choice(request.tool_choice)
        if request.parallel_tool_calls is not None:
            wire.parallel_tool_calls = request.parallel_tool_calls
    return written(wire, target)


def _wire(message: Message, target: ModelTarget) -> Any:
    if type(message) is UserMessage:
        # Of text alone it is stored in the shape it has on the wire.
        if message.images or message.files:
            return _User(_parts(message), message.name or UNSET)
        return message
    if type(message) is ToolMessage:
        name = message.name if target.family.results_named else None
        return _Result(message.tool_call_id, message.content, name or UNSET)
    if type(message) is AssistantMessage:
        return _said(message, target)
    return message


def _said(message: AssistantMessage, target: ModelTarget) -> _Assistant:
    calls = [
        _ToolCall(call.id, _Function(call.name, call.arguments), call.payload) for call in message.tool_calls
    ]
    if calls and target.family.seals_calls and calls[0].extra_content is UNSET:
        # Of calls side by side only the first is sealed.
        calls[0].extra_content = _UNSEALED
    text = message.content
    said = _Assistant(text if text or not calls else None, calls or UNSET, name=message.name or UNSET)
    if target.family.reasoning_back and (calls or message.reasoning):
        # Of a call that another model made there is none, and an empty one is refused as missing.
        said.reasoning_content = message.reasoning or " "
    for part in message.parts:
        if type(part) is Reasoning and part.payload is not UNSET:
            said.reasoning_details = part.payload
    return said


def _parts(message: UserMessage) -> list[Any]:
    parts: list[Any] = list(map(_file, message.files))
    if message.content:
        parts.append({"type": "text", "text": message.content})
    parts += [{"type": "image_url", "image_url": {"url": data_url(image)}} for image in message.images]
    return parts


def _file(file: File) -> Any:
    if file.media_type.startswith("audio/"):
        form = "wav" if file.media_type == "audio/wav" else "mp3"
        return {"type": "input_audio", "input_audio": {"data": file.data, "format": form}}
    return {"type": "file", "file": {"filename": file_name(file), "file_data": data_url(file)}}


def _choice(choice: ToolChoice) -> Any:
    if isinstance(choice, NamedTool):
        return {"type": "function", "function": {"name": choice.name}}
    return choice


def _system(text: str) -> Any:
    # Agents' prompts are long and the same every time: escaping 10 KB takes 5 microseconds, copying 0.4.
    return _escaped(text) if len(text) <= 64 << 10 else SystemMessage(text)


@lru_cache(maxsize=64)
def _escaped(text: str) -> Raw:
    return Raw(_encode(SystemMessage(text)))


def _tool(spec: ToolSpec) -> _Tool:
    strict = UNSET if spec.strict is None else spec.strict
    return _Tool(_Spec(spec.name, spec.parameters, spec.description or UNSET, strict))


_tools = ToolLists(lambda tools: list(map(_tool, tools)))


def refuses_stream_options(status: int, said: bytes) -> bool:
    """Whether an error means that the provider does not know `stream_options`."""
    return status in (400, 422) and b"stream_options" in said

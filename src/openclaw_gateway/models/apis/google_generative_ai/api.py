"""The dialect `google-generative-ai`: POST /models/…:streamGenerateContent, Gemini's own API.

Pure: a conversation in, the bytes of a request out; answers are read in `stream`, schemas rewritten
in schemas. It must not know sockets, retries or configuration.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.models.alternation import NOTHING
from openclaw_gateway.models.apis.calls import as_object
from openclaw_gateway.models.apis.google_generative_ai.stream import NAME, ContentParser
from openclaw_gateway.models.apis.schemas import for_google
from openclaw_gateway.models.apis.settings import (
    asked_for,
    max_tokens,
    not_taken,
    schema_of,
    settings,
    strict_tools,
    written,
)
from openclaw_gateway.models.apis.thinking import OFF, budget, told
from openclaw_gateway.models.apis.tool_lists import ToolLists
from openclaw_gateway.models.request import ModelRequest, instructions
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    Message,
    Reasoning,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
)
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolSpec

API = NAME

# Google's own word for a call that another model made: without a seal it refuses the whole request.
_UNSEALED = Raw(b'{"thoughtSignature":"skip_thought_signature_validator"}')


class _Declaration(Struct, rename="camel"):
    """`parameters` would be a dialect of schemas of its own; this takes JSON schema as it is."""

    name: str
    description: str | UnsetType = UNSET
    parameters_json_schema: Raw | UnsetType = UNSET


class _Generation(Struct, rename="camel", omit_defaults=True):
    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    max_output_tokens: int | UnsetType = UNSET
    stop_sequences: tuple[str, ...] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET
    response_mime_type: str | UnsetType = UNSET
    response_schema: Any = UNSET
    thinking_config: Any = UNSET


class _Request(Struct, rename="camel"):
    contents: list[dict[str, Any]]
    system_instruction: Any = UNSET
    tools: Any = UNSET
    tool_config: Any = UNSET
    generation_config: _Generation | UnsetType = UNSET


RESERVED: frozenset[str] = frozenset(
    {"contents", "systemInstruction", "tools", "toolConfig", "generationConfig"}
)

_encode = msgspec.json.Encoder().encode


def path(target: ModelTarget) -> str:
    return f"/models/{target.model.removeprefix('models/')}:streamGenerateContent?alt=sse"


def headers(endpoint: Endpoint) -> Mapping[str, str]:
    return {"x-goog-api-key": endpoint.api_key} if endpoint.api_key else {}


def parser(vendor: Vendor) -> ContentParser:
    return ContentParser(vendor)


def unsupported(target: ModelTarget, request: ModelRequest) -> tuple[str, ...]:
    names = asked_for(request, "response_format") if _form_is_dropped(target, request) else ()
    names += not_taken(target, request)
    if request.tools and request.parallel_tool_calls is not None:
        names += ("parallel_tool_calls",)
    return names + strict_tools(request)


def body(target: ModelTarget, request: ModelRequest, *, stream_usage: bool) -> bytes:
    chosen = settings(target, request)
    wire = _Request(_contents(request.messages, target))
    if system := instructions(request, target.system):
        wire.system_instruction = {"parts": [{"text": system}]}
    generation = _Generation(
        chosen.temperature,
        chosen.top_p,
        max_tokens(target, chosen),
        chosen.stop,
        chosen.seed,
        chosen.frequency_penalty,
        chosen.presence_penalty,
        thinking_config=_thinking(target, request, chosen),
    )
    kind, schema = schema_of(chosen)
    if kind != "text" and not _form_is_dropped(target, request):
        generation.response_mime_type = "application/json"
        if schema is not None:
            generation.response_schema = for_google(_encode(schema.get("schema", {}))) or UNSET
    if generation != _Generation():
        wire.generation_config = generation
    if request.tools:
        wire.tools = _tools(request.tools)
        wire.tool_config = _choice(request)
    return written(wire, target)


def _form_is_dropped(target: ModelTarget, request: ModelRequest) -> bool:
    with_tools = bool(request.tools) and request.tool_choice != "none"
    return with_tools and not target.family.schema_with_tools


def _thinking(target: ModelTarget, request: ModelRequest, chosen: Sampling) -> Any:
    thinking, said = target.family.thinking, told(target, request, chosen)
    if not said:
        return UNSET
    off = chosen.reasoning_effort in OFF
    if thinking.way == "level":
        # Some cannot be stopped from thinking: then what they thought is not told.
        return {"includeThoughts": not off, "thinkingLevel": said}
    if off:
        return {"thinkingBudget": thinking.budget[0]}
    return {"includeThoughts": True, "thinkingBudget": budget(thinking, said)}


def _contents(messages: Iterable[Message], target: ModelTarget) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    for message in messages:
        match message:
            case SystemMessage():
                continue
            case AssistantMessage():
                role, parts = "model", _said(message, target)
            case ToolMessage():
                answer = {"error" if message.is_error else "output": message.content}
                answered: dict[str, Any] = {"name": message.name or "unknown", "response": answer}
                images = list(map(_image, message.images))
                if images and target.family.shown_in_results:
                    # Beside the results they would be counted among them.
                    answered["parts"], images = images, []
                role, parts = "user", [{"functionResponse": answered}, *images]
            case _:
                said = [{"text": message.content}] if message.content else []
                role, parts = "user", [*map(_file, message.files), *said, *map(_image, message.images)]
        if made and made[-1]["role"] == role:
            made[-1]["parts"] += parts
        else:
            made.append({"role": role, "parts": parts})
    if not made or made[0]["role"] == "model":
        made.insert(0, {"role": "user", "parts": []})
    for turn in made:
        if not turn["parts"]:
            turn["parts"].append({"text": NOTHING})
    return made


def _image(image: Image) -> dict[str, Any]:
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}


def _file(file: File) -> dict[str, Any]:
    kind = "audio/mp3" if file.media_type == "audio/mpeg" else file.media_type
    return {"inlineData": {"mimeType": kind, "data": file.data}}


def _said(message: AssistantMessage, target: ModelTarget) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    # Of calls side by side only the first is sealed.
    unsealed = target.family.seals_calls and any(call.payload is UNSET for call in message.tool_calls[:1])
    for part in message.parts:
        match part:
            case Text(text, payload):
                parts.append(_sealed({"text": text}, payload))
            case ToolCall(_, name, arguments, payload):
                called = {"functionCall": {"name": name, "args": as_object(arguments)}}
                parts.append(_sealed(called, _UNSEALED if unsealed else payload))
                unsealed = False
            case Reasoning(text, payload) if payload is not UNSET:
                parts.append(_sealed({"text": text, "thought": True}, payload))
            case Reasoning():
                pass
    return parts


def _sealed(part: dict[str, Any], payload: Raw | UnsetType) -> dict[str, Any]:
    return part if payload is UNSET else {**part, **msgspec.json.decode(payload)}


def _declaration(spec: ToolSpec) -> _Declaration:
    return _Declaration(spec.name, spec.description or UNSET, spec.parameters)


_tools = ToolLists(lambda tools: [{"functionDeclarations": list(map(_declaration, tools))}])


def _choice(request: ModelRequest) -> Any:
    match request.tool_choice:
        case NamedTool(name):
            return {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": [name]}}
        case "required":
            return {"functionCallingConfig": {"mode": "ANY"}}
        case "none":
            return {"functionCallingConfig": {"mode": "NONE"}}
        case "auto":
            return UNSET

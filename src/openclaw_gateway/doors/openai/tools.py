"""The request's own function tools: what they may look like, and the sentence when they look else.

Pure. The agent's tools are not known here; a clash of names is found where both meet.
"""

import re

import msgspec
from msgspec import Raw, Struct

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.run import ClientTools, NamedTool, ToolChoice, ToolSpec

MAX_TOOLS = 512
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


class _Function(Struct, frozen=True):
    name: str | None = None
    description: str | None = None
    parameters: Raw = Raw(b"null")
    strict: bool | None = None


class _Tool(Struct, frozen=True):
    type: str | None = None
    function: _Function | None = None


_TOOLS = msgspec.json.Decoder(list[_Tool])
_CHOICE = msgspec.json.Decoder(str | _Tool)
_BOOLEAN = msgspec.json.Decoder(bool)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])


def take_tools(body: Body) -> ClientTools:
    """Raises InvalidRequest naming the field."""
    if not (body.has("tools") or body.has("tool_choice") or body.has("parallel_tool_calls")):
        return ClientTools()
    sent = body.take("tools", _TOOLS) or []
    if len(sent) > MAX_TOOLS:
        raise InvalidRequest(f"`tools` may hold at most {MAX_TOOLS} tools.", param="tools")
    tools = tuple(_spec(tool, f"tools[{index}]") for index, tool in enumerate(sent))
    names = [tool.name for tool in tools]
    for index, name in enumerate(names):
        if name in names[:index]:
            where = f"tools[{index}].function.name"
            raise InvalidRequest(f"`{where}`: the name '{name}' is there twice.", param=where)
    if any(tool.function and tool.function.strict for tool in sent):
        body.ignore("tools.function.strict")
    choice = _choice(body, names)
    return ClientTools(tools, choice, body.take("parallel_tool_calls", _BOOLEAN))


def _spec(tool: _Tool, where: str) -> ToolSpec:
    if tool.type not in {None, "function"}:
        raise InvalidRequest(f"`{where}.type`: only function tools are supported.", param=f"{where}.type")
    function = tool.function
    if function is None:
        raise InvalidRequest(f"`{where}.function` is required.", param=f"{where}.function")
    if not function.name or not _NAME.fullmatch(function.name):
        raise InvalidRequest(
            f"`{where}.function.name` must be 1 to 64 letters, digits, '_' or '-'.",
            param=f"{where}.function.name",
        )
    return ToolSpec(function.name, function.description or "", _parameters(function, where))


def _parameters(function: _Function, where: str) -> Raw:
    raw = function.parameters
    if bytes(raw) == b"null":
        return _NO_PARAMETERS
    try:
        _OBJECT.decode(raw)
    except msgspec.MsgspecError:
        path = f"{where}.function.parameters"
        raise InvalidRequest(f"`{path}` must be a JSON schema: an object.", param=path) from None
    return raw.copy()


def _choice(body: Body, names: list[str]) -> ToolChoice:
    chosen = body.take("tool_choice", _CHOICE)
    match chosen:
        case None:
            return "auto"
        case "none":
            return "none"
        case "auto":
            return "auto"
        case "required":
            if not names:
                raise InvalidRequest(
                    "`tool_choice` is required but no tools were provided.", param="tool_choice"
                )
            return "required"
        case _Tool(type=str(kind)) if kind != "function":
            raise InvalidRequest(
                "`tool_choice.type`: only function tools can be chosen.", param="tool_choice.type"
            )
        case _Tool(function=_Function(name=str(name))):
            if name not in names:
                raise InvalidRequest(
                    f"`tool_choice` requested an unknown tool: '{name[:64]}' is not among `tools`.",
                    param="tool_choice",
                )
            return NamedTool(name)
        case _:
            raise InvalidRequest(
                '`tool_choice` must be auto, none, required or {"type":"function","function":{"name":…}}.',
                param="tool_choice",
            )

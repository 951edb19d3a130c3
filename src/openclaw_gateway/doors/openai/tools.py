"""The request's own function tools: what they may look like, and the sentence when they look else.

Pure. The agent's tools are not known here.
"""

import re
from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.run import ClientTools, NamedTool, ToolChoice, ToolSpec

MAX_TOOLS = 512
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NO_PARAMETERS = Raw(b'{"type":"object","properties":{}}')


class _ToolFunction(Struct, frozen=True):
    name: str | None = None
    description: str | None = None
    parameters: Raw | UnsetType = UNSET
    strict: bool | None = None


class _Tool(_ToolFunction, frozen=True):
    """Its function stands in a field of its own, or, as in OpenAI's newer API, in the tool itself."""

    type: str | None = None
    function: _ToolFunction | None = None


class _ToolChoice(Struct, frozen=True):
    """`name` stands in `function` or beside `type`, as with the tools."""

    type: str | None = None
    name: str | None = None
    function: _ToolFunction | None = None


_TOOLS = msgspec.json.Decoder(list[_Tool])
_CHOICE = msgspec.json.Decoder(str | _ToolChoice)
_BOOLEAN = msgspec.json.Decoder(bool)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
# "any" is what other vendors call it.
_WORDS: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "required": "required",
    "any": "required",
}


_FUNCTION = (None, "function")
_NAMES = frozenset({"tools", "tool_choice", "parallel_tool_calls"})
_NONE = ClientTools()


def take_tools(body: Body) -> ClientTools:
    """Raises InvalidRequest naming the field."""
    if not body.has_any(_NAMES):
        return _NONE
    return _client_tools(body, body.take("tools", _TOOLS) or [])


def take_known_tools(body: Body) -> tuple[ClientTools, tuple[str, ...]]:
    """The function tools, and the types of those that only a vendor has, which are left out.

    Raises InvalidRequest naming the field.
    """
    if not body.has_any(_NAMES):
        return _NONE, ()
    sent = body.take("tools", _TOOLS) or []
    others = dict.fromkeys(tool.type for tool in sent if tool.type not in _FUNCTION)
    known = [tool for tool in sent if tool.type in _FUNCTION]
    return _client_tools(body, known), tuple(str(each) for each in others)


def _client_tools(body: Body, sent: list[_Tool]) -> ClientTools:
    if len(sent) > MAX_TOOLS:
        raise InvalidRequest(f"`tools` may hold at most {MAX_TOOLS} tools.", param="tools")
    tools = tuple(_spec(tool, f"tools[{index}]") for index, tool in enumerate(sent))
    names = [tool.name for tool in tools]
    known: set[str] = set()
    for index, name in enumerate(names):
        if name in known:
            flat = sent[index].function is None
            where = f"tools[{index}].name" if flat else f"tools[{index}].function.name"
            raise InvalidRequest(f"`{where}`: the name '{name}' is there twice.", param=where)
        known.add(name)
    choice = _choice(body, names)
    return ClientTools(tools, choice, body.take("parallel_tool_calls", _BOOLEAN))


def _spec(tool: _Tool, where: str) -> ToolSpec:
    if tool.type not in _FUNCTION:
        raise InvalidRequest(f"`{where}.type`: only function tools are supported.", param=f"{where}.type")
    function = tool.function
    if function is None and tool.name:
        function = tool
    elif function is None:
        raise InvalidRequest(f"`{where}.function` is required.", param=f"{where}.function")
    else:
        where = f"{where}.function"
    if not function.name or not _NAME.fullmatch(function.name):
        raise InvalidRequest(
            f"`{where}.name` must be 1 to 64 letters, digits, '_' or '-'.",
            param=f"{where}.name",
        )
    return ToolSpec(function.name, function.description or "", _parameters(function, where), function.strict)


def _parameters(function: _ToolFunction, where: str) -> Raw:
    raw = function.parameters
    if raw is UNSET or bytes(raw) == b"null":
        return _NO_PARAMETERS
    return json_schema(raw, f"{where}.parameters")


def json_schema(raw: Raw, path: str) -> Raw:
    """A copy of what stands at `path`. Raises InvalidRequest unless it is an object: more of it the provider
    knows."""
    try:
        decode(_OBJECT, raw)
    except DecodeError:
        raise InvalidRequest(f"`{path}` must be a JSON schema: an object.", param=path) from None
    return raw.copy()


def _choice(body: Body, names: list[str]) -> ToolChoice:
    chosen = body.take("tool_choice", _CHOICE)
    word = chosen.type if isinstance(chosen, _ToolChoice) else chosen
    if chosen is None:
        return "auto"
    if word in _WORDS:
        if _WORDS[word] == "required" and not names:
            raise InvalidRequest("`tool_choice` is required but no tools were provided.", param="tool_choice")
        return _WORDS[word]
    if isinstance(chosen, str):
        raise _not_a_choice()
    if word not in {None, "function", "tool"}:
        raise InvalidRequest(
            "`tool_choice.type` must be auto, none, required or function.", param="tool_choice.type"
        )
    name = chosen.name if chosen.function is None else chosen.function.name
    if not name:
        raise _not_a_choice()
    if name not in names:
        raise InvalidRequest(
            f"`tool_choice` requested an unknown tool: '{name[:64]}' is not among `tools`.",
            param="tool_choice",
        )
    return NamedTool(name)


def _not_a_choice() -> InvalidRequest:
    return InvalidRequest(
        '`tool_choice` must be auto, none, required or {"type":"function","function":{"name":…}}.',
        param="tool_choice",
    )

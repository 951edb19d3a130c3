"""The request's own tools in Anthropic's shape, and what the model may do with them.

Pure. Tools with a type of the vendor's own (`web_search_20250305`) have no schema that another model could
be told of: they are left out and named.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.openai.body import Body
from openclaw_gateway.doors.openai.tools import MAX_TOOLS, json_schema
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.run import ClientTools, NamedTool, ToolChoice, ToolSpec


class _MessageTool(Struct, frozen=True):
    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class _MessageToolChoice(Struct, frozen=True):
    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_TOOLS = msgspec.json.Decoder(list[_MessageTool])
_CHOICE = msgspec.json.Decoder(_MessageToolChoice)
_OWN = (None, "custom")
_WORDS: dict[str, Literal["auto", "none", "required"]] = {
    "auto": "auto",
    "none": "none",
    "any": "required",
}
_NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
_NAMES = frozenset({"tools", "tool_choice"})
_NONE = ClientTools()


def take_tools(body: Body) -> tuple[ClientTools, tuple[str, ...]]:
    """The tools, and the types of those that were left out. Raises InvalidRequest naming the field."""
    if not body.has_any(_NAMES):
        return _NONE, ()
    sent = body.take("tools", _TOOLS) or []
    if len(sent) > MAX_TOOLS:
        raise InvalidRequest(f"`tools` may hold at most {MAX_TOOLS} tools.", param="tools")
    left_out = dict.fromkeys(str(tool.type) for tool in sent if tool.type not in _OWN)
    specs: dict[str, ToolSpec] = {}
    for index, tool in enumerate(sent):
        if tool.type not in _OWN:
            continue
        spec = _spec(tool, f"tools[{index}]")
        if spec.name in specs:
            where = f"tools[{index}].name"
            raise InvalidRequest(f"`{where}`: the name '{spec.name}' is there twice.", param=where)
        specs[spec.name] = spec
    chosen = body.take("tool_choice", _CHOICE)
    parallel = None
    if chosen is not None and chosen.disable_parallel_tool_use is not None:
        parallel = not chosen.disable_parallel_tool_use
    return ClientTools(tuple(specs.values()), _choice(chosen, specs), parallel), tuple(left_out)


def _spec(tool: _MessageTool, where: str) -> ToolSpec:
    name = tool.name or ""
    if not 1 <= len(name) <= 128 or not _NAME_CHARS.issuperset(name):
        raise InvalidRequest(
            f"`{where}.name` must be 1 to 128 letters, digits, '_' or '-'.", param=f"{where}.name"
        )
    path = f"{where}.input_schema"
    schema = tool.input_schema
    if isinstance(schema, UnsetType):
        raise InvalidRequest(f"`{path}` is required: a JSON schema of type object.", param=path)
    return ToolSpec(name, tool.description or "", json_schema(schema, path), tool.strict)


def _choice(chosen: _MessageToolChoice | None, specs: dict[str, ToolSpec]) -> ToolChoice:
    if chosen is None:
        return "auto"
    word = _WORDS.get(chosen.type)
    if word == "required" and not specs:
        raise InvalidRequest(
            "`tool_choice` is any, but there is no tool that could be called.", param="tool_choice"
        )
    if word is not None:
        return word
    if chosen.type != "tool":
        raise InvalidRequest("`tool_choice.type` must be auto, any, tool or none.", param="tool_choice.type")
    if chosen.name not in specs:
        raise InvalidRequest(
            f"`tool_choice.name`: '{str(chosen.name)[:64]}' is not among `tools`.", param="tool_choice.name"
        )
    return NamedTool(chosen.name)

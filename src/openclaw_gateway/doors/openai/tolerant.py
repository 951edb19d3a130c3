"""A chat completion asked for in the words of the Responses API, wholly or in part, as Cursor does.

Pure. The body is written anew in the words of chat completions, and read as such: a list of items becomes a
list of messages, and what only a vendor's own tools know is left out and named like a field without effect.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Raw

from openclaw_gateway.doors.openai.body import parse
from openclaw_gateway.doors.openai.chat import ChatRequest, decode_chat
from openclaw_gateway.doors.openai.response_items import MAX_ITEMS
from openclaw_gateway.errors import InvalidRequest

Json = dict[str, Any]
_OTHER_WORDS = frozenset({"input", "instructions", "max_output_tokens", "reasoning", "text"})
_FUNCTION = (None, "function")
_BEFORE = ("previous_response_id", "conversation")
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_PLACE = re.compile(r"messages\[(\d+)\]")


def decode_tolerant(data: bytes, max_depth: int) -> ChatRequest:
    """As `decode_chat`. Raises InvalidRequest."""
    body = parse(data, max_depth)
    for name in _BEFORE:
        if body.has(name):
            raise InvalidRequest(
                f"`{name}`: what came before is not looked up here. Send the whole conversation, or POST "
                "/v1/responses.",
                param=name,
            )
    tools = body.has("tools")
    # Items may stand among messages, too.
    if not (tools or body.has_any(_OTHER_WORDS) or b'"function_call' in data):
        return decode_chat(data, max_depth)
    fields: Json = {name: raw for name, raw in _FIELDS.decode(data).items() if bytes(raw) != b"null"}
    left_out: dict[str, None] = {}
    if tools:
        _keep_functions(fields, left_out)
    places, word = _write_messages(fields, left_out), "messages" if body.has("messages") else "input"
    _write_settings(fields)
    fields |= dict.fromkeys(left_out, True)
    try:
        return decode_chat(msgspec.json.encode(fields), max_depth)
    except InvalidRequest as error:
        raise _placed(error, lambda place: f"{word}[{places.get(place, place)}]") from None


def _placed(error: InvalidRequest, named: Callable[[int], str]) -> InvalidRequest:
    """With the places of messages as the client has numbered them."""

    def renamed(text: str) -> str:
        return _PLACE.sub(lambda found: named(int(found[1])), text)

    return InvalidRequest(
        renamed(error.message), code=error.code, param=None if error.param is None else renamed(error.param)
    )


def _keep_functions(fields: Json, left_out: dict[str, None]) -> None:
    tools = _decoded(fields, "tools")
    if not isinstance(tools, list):
        return
    fields["tools"] = [tool for tool in tools if _kind(tool) in _FUNCTION]
    left_out.update((f"tools.{kind}", None) for kind in map(_kind, tools) if kind not in _FUNCTION)


def _kind(tool: object) -> object:
    return tool.get("type") if isinstance(tool, dict) else None


def _write_messages(fields: Json, left_out: dict[str, None]) -> Mapping[int, int]:
    """Of each message that is written, which one of the client's it is."""
    sent = fields.get("messages")
    places: list[int] = []
    messages: list[Any] = []
    if sent is not None:
        messages = _decoded(fields, "messages")
        if not isinstance(messages, list):
            return {}
        if any(isinstance(each, dict) and "role" not in each and "type" in each for each in messages):
            messages, places = _messages_of(messages, "messages", left_out)
        else:
            places = list(range(len(messages)))
    elif "input" in fields:
        items = _decoded(fields, "input")
        del fields["input"]
        messages, places = _messages_of(items, "input", left_out)
    else:
        return {}
    instructions = _decoded(fields, "instructions") if "instructions" in fields else None
    if isinstance(instructions, str):
        del fields["instructions"]
        messages.insert(0, {"role": "system", "content": instructions})
        places.insert(0, 0)
    fields["messages"] = messages
    return dict(enumerate(places))


def _messages_of(items: object, word: str, left_out: dict[str, None]) -> tuple[list[Any], list[int]]:
    """Raises InvalidRequest."""
    if isinstance(items, str):
        return [{"role": "user", "content": items}], [0]
    if not isinstance(items, list):
        raise InvalidRequest("`input` must be a text, or an array of items.", param="input")
    if len(items) > MAX_ITEMS:
        raise InvalidRequest(f"`input` may hold at most {MAX_ITEMS:,} items.", param="input")
    messages: list[Any] = []
    places: list[int] = []
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidRequest(f"`{word}[{place}]` must be an object.", param=f"{word}[{place}]")
        message = _message_of(item, f"{word}[{place}]")
        if message is None:
            if item["type"] != "reasoning":
                left_out[f"input.{item['type']}"] = None
        elif messages and _goes_on(messages[-1], message):
            _join(messages[-1], message)
        else:
            messages.append(message)
            places.append(place)
    return messages, places


def _message_of(item: Json, where: str) -> Json | None:
    """None for what is no part of the conversation."""
    match item.get("type") or "message":
        case "message":
            # Its parts are understood under either API's names.
            return {name: value for name, value in item.items() if name not in ("id", "status", "type")}
        case "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments") or "{}"}
            call = {"id": item.get("call_id") or item.get("id"), "type": "function", "function": function}
            if not call["id"] or not function["name"]:
                raise InvalidRequest(f"`{where}`: a function_call has a name and a call_id.", param=where)
            return {"role": "assistant", "content": None, "tool_calls": [call]}
        case "function_call_output":
            output = item.get("output")
            if not isinstance(output, str | list | None):
                raise InvalidRequest(
                    f"`{where}.output`: a text or an array of parts is expected.", param=f"{where}.output"
                )
            return {"role": "tool", "tool_call_id": item.get("call_id"), "content": output}
        case "item_reference":
            raise InvalidRequest(
                f"`{where}`: items are not looked up here. Send the item itself, or POST /v1/responses.",
                code="item_not_found",
                param=where,
            )
        case _:
            return None


def _goes_on(before: Json, message: Json) -> bool:
    """Whether the model said both in one answer: a call, behind its words or other calls."""
    roles = (before.get("role"), message.get("role"))
    # What is no list is refused where it stands.
    joins = roles == ("assistant", "assistant") and isinstance(before.get("tool_calls"), list | None)
    return joins and isinstance(message.get("tool_calls"), list) and not message.get("content")


def _join(before: Json, message: Json) -> None:
    calls = before.get("tool_calls")
    if calls is None:
        calls = before["tool_calls"] = []
    calls += message["tool_calls"]


def _write_settings(fields: Json) -> None:
    if "max_output_tokens" in fields:
        limit = fields.pop("max_output_tokens")
        fields.setdefault("max_completion_tokens", limit)
    reasoning = _object(fields, "reasoning")
    if reasoning is not None and "effort" in reasoning:
        fields.setdefault("reasoning_effort", reasoning["effort"])
        del fields["reasoning"]
    text = _object(fields, "text")
    if text is None:
        return
    del fields["text"]
    if text.get("verbosity") is not None:
        fields.setdefault("verbosity", text["verbosity"])
    form = text.get("format")
    if isinstance(form, dict):
        schema = {name: value for name, value in form.items() if name != "type"}
        is_schema = form.get("type") == "json_schema"
        kind = {"type": form.get("type")}
        fields.setdefault("response_format", {**kind, "json_schema": schema} if is_schema else kind)


def _object(fields: Json, name: str) -> Json | None:
    value = _decoded(fields, name) if name in fields else None
    return value if isinstance(value, dict) else None


def _decoded(fields: Json, name: str) -> Any:
    """Raises InvalidRequest: a field that is only split off has not been read to its depth."""
    try:
        return msgspec.json.decode(fields[name])
    except msgspec.MsgspecError:
        raise InvalidRequest(
            f"`{name}` holds something that cannot be read, such as a number out of range.", param=name
        ) from None

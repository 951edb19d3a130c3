"""A request of Anthropic's Messages API: from a body to what the gateway is asked.

Pure, as `doors/openai/chat` is for chat completions. A field that has no effect is named; marks for a cache
are not, because it is not for the client to say what is cached.
Source: platform.claude.com/docs/en/api/messages.
"""

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.anthropic.blocks import TURNS, Block, conversation_of
from openclaw_gateway.doors.anthropic.tools import take_tools
from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import nameable
from openclaw_gateway.doors.openai.messages import asks_something, missing_user_message
from openclaw_gateway.doors.openai.sampling import word_of
from openclaw_gateway.doors.openai.tools import json_schema
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.models.apis.thinking import level_within
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import ClientTools, Sampling

_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_INTEGER = msgspec.json.Decoder(int)
_NUMBER = msgspec.json.Decoder(float)
_STRINGS = msgspec.json.Decoder(list[str])
_SYSTEM = msgspec.json.Decoder(str | list[Block])
_ANYTHING = msgspec.json.Decoder(Raw)
_MAX_INTEGER = 2**63 - 1
# What Claude Code says of itself in a block of its instructions; it differs from request to request.
_BILLING = "x-anthropic-billing-header:"
# Names of ours in those of this API.
_NAMED = {
    "stop": "stop_sequences",
    "reasoning_effort": "thinking",
    "response_format": "output_config.format",
    "tools.function.strict": "tools.strict",
}


class _Thinking(Struct, frozen=True):
    type: str
    budget_tokens: int | None = None
    display: str | None = None


class _OutputFormat(Struct, frozen=True):
    type: str
    schema: Raw | UnsetType = UNSET


class _Output(Struct, frozen=True):
    effort: str | None = None
    format: _OutputFormat | None = None


class _Schema(Struct, frozen=True):
    name: str
    schema: Raw


class _ChatFormat(Struct, frozen=True):
    """As chat completions say it, and every dialect of a model reads it."""

    type: str
    json_schema: _Schema


_THINKING = msgspec.json.Decoder(_Thinking)
_OUTPUT = msgspec.json.Decoder(_Output)


class MessagesRequest(Struct, frozen=True):
    """`thinks_aloud`: the client wants to see what the model thinks; `brings`: there is more than text in the
    messages. `ignored` names what had no effect."""

    instructions: str
    messages: tuple[Message, ...]
    sampling: Sampling
    client_tools: ClientTools = ClientTools()
    model: str | None = None
    stream: bool = False
    thinks_aloud: bool = False
    brings: bool = False
    ignored: tuple[str, ...] = ()


def decode_messages(data: bytes, max_depth: int) -> MessagesRequest:
    """Raises InvalidRequest."""
    return read_messages(parse(data, max_depth))


def read_messages(body: Body) -> MessagesRequest:
    """Raises InvalidRequest."""
    if not body.has("messages"):
        raise InvalidRequest("`messages` is required: an array of turns.", param="messages")
    turns = body.take("messages", TURNS)
    conversation = conversation_of(turns or ())
    if not asks_something(conversation.messages):
        raise missing_user_message("messages")
    system = _system(body)
    model = body.take("model", _STRING)
    stream = body.take("stream", _BOOLEAN)
    tools, left_out = take_tools(body)
    thinking = body.take("thinking", _THINKING)
    sampling = _sampling(body, thinking)
    body.take("cache_control", _ANYTHING)
    return MessagesRequest(
        "\n\n".join(filter(None, (system, conversation.told))),
        conversation.messages,
        sampling,
        tools,
        model,
        bool(stream),
        _is_shown(thinking),
        conversation.brings,
        nameable(
            (
                *body.left,
                *(f"tools.{one}" for one in left_out),
                *(f"messages.{one}" for one in conversation.skipped),
            )
        ),
    )


def named_here(names: tuple[str, ...]) -> tuple[str, ...]:
    """Fields that a model does not take, as this API calls them."""
    return tuple(_NAMED.get(name, name) for name in names)


def _system(body: Body) -> str:
    sent = body.take("system", _SYSTEM)
    if sent is None or isinstance(sent, str):
        return sent or ""
    for index, block in enumerate(sent):
        if block.type != "text":
            where = f"system[{index}]"
            raise InvalidRequest(f"`{where}`: only text blocks can be instructions.", param=where)
    texts = (block.text or "" for block in sent)
    return "\n\n".join(text for text in texts if text and not text.startswith(_BILLING))


def _sampling(body: Body, thinking: _Thinking | None) -> Sampling:
    output = body.take("output_config", _OUTPUT) or _Output()
    return Sampling(
        temperature=_share(body, "temperature"),
        top_p=_share(body, "top_p"),
        max_tokens=_max_tokens(body),
        stop=_stop(body),
        reasoning_effort=_effort(thinking, output.effort),
        response_format=_response_format(output.format),
    )


def _share(body: Body, name: str) -> float | UnsetType:
    value = body.take(name, _NUMBER)
    if value is None:
        return UNSET
    if not 0 <= value <= 1:
        raise InvalidRequest(f"`{name}` must be between 0 and 1.", param=name)
    return value


def _max_tokens(body: Body) -> int | UnsetType:
    """(That API demands it; here the agent's own limit holds without.)"""
    value = body.take("max_tokens", _INTEGER)
    if value is None:
        return UNSET
    if not 1 <= value <= _MAX_INTEGER:
        raise InvalidRequest(f"`max_tokens` must be from 1 to {_MAX_INTEGER}.", param="max_tokens")
    return value


def _stop(body: Body) -> tuple[str, ...] | UnsetType:
    value = body.take("stop_sequences", _STRINGS)
    if not value:
        return UNSET
    if not all(text.strip() for text in value):
        raise InvalidRequest("`stop_sequences` must not be blank.", param="stop_sequences")
    return tuple(value)


def _effort(thinking: _Thinking | None, effort: str | None) -> str | UnsetType:
    if thinking is not None and thinking.type == "disabled":
        return "off"
    if effort:
        return word_of(effort, "output_config.effort")
    match thinking:
        case None:
            return UNSET
        case _Thinking(type="enabled", budget_tokens=int(tokens)):
            return level_within(tokens)
        case _Thinking(type="enabled" | "adaptive" | "between_tools"):
            return "adaptive"
        case _:
            raise InvalidRequest(
                "`thinking.type` must be enabled, adaptive, between_tools or disabled.",
                param="thinking.type",
            )


def _is_shown(thinking: _Thinking | None) -> bool:
    return thinking is not None and thinking.type != "disabled" and thinking.display != "omitted"


def _response_format(wanted: _OutputFormat | None) -> Raw | UnsetType:
    if wanted is None:
        return UNSET
    if wanted.type != "json_schema" or isinstance(wanted.schema, UnsetType):
        raise InvalidRequest(
            "`output_config.format` must be of type json_schema, with a schema.", param="output_config.format"
        )
    schema = json_schema(wanted.schema, "output_config.format.schema")
    return Raw(msgspec.json.encode(_ChatFormat("json_schema", _Schema("answer", schema))))

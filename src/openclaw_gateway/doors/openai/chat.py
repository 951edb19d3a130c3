"""A chat completion request: from a body to what the gateway is asked.

Pure. Says exactly what is wrong with a wrong body, ignores what it does not know and says so. Knows
neither headers nor agents.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from openclaw_gateway.config.schema import TOLERANT_SWITCH
from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.functions import take_functions
from openclaw_gateway.doors.openai.messages import CHAT_MESSAGES, ChatMessage, translate
from openclaw_gateway.doors.openai.metadata import take_metadata
from openclaw_gateway.doors.openai.sampling import take_sampling
from openclaw_gateway.doors.openai.tools import take_tools
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.decode import DecodeError, check_utf8, depth_exceeds
from openclaw_gateway.wire.messages import Message
from openclaw_gateway.wire.run import ClientTools, Sampling

_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_MODALITIES = msgspec.json.Decoder(list[str])
_INTEGER = msgspec.json.Decoder(int)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_MAX_NAMED = 20
SHORT = 8 << 10
# What a typed decode of a body raises that has to be looked at field by field.
UNUSUAL = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, DecodeError)
NO_FIELDS: Mapping[str, str] = {}
_NAMING = frozenset({"metadata", "prompt_cache_key", "safety_identifier"})
_METADATA = msgspec.json.Decoder(dict[str, Any])


class StreamOptions(Struct, frozen=True):
    include_usage: bool | None = None
    include_obfuscation: bool | None = None


STREAM_OPTIONS = msgspec.json.Decoder(StreamOptions)


class _Usual(Struct, forbid_unknown_fields=True):
    """A body that asks for nothing special, as most do."""

    messages: list[ChatMessage]
    model: str | None = None
    user: str | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None


_USUAL = msgspec.json.Decoder(_Usual)


class ChatRequest(Struct, frozen=True):
    """`ignored` names the fields that had no effect, for the x-openclaw-ignored-params header. `brings`: its
    messages bring more than text, which has to be taken in. `fields` are those by which front ends may say
    which conversation it is of."""

    instructions: str
    messages: tuple[Message, ...]
    sampling: Sampling
    client_tools: ClientTools = ClientTools()
    model: str | None = None
    user: str | None = None
    stream: bool = False
    include_usage: bool = False
    ignored: tuple[str, ...] = ()
    brings: bool = False
    store: bool = False
    metadata: dict[str, str] | None = None
    fields: Mapping[str, str] = NO_FIELDS
    functions: bool = False


def decode_chat(data: bytes, max_depth: int) -> ChatRequest:
    """Raises InvalidRequest."""
    usual = None
    # Of a long one that asks for more, all messages would be read twice.
    if len(data) <= SHORT and not depth_exceeds(data, max_depth):
        usual = _usual(data)
    return read_chat(parse(data, max_depth)) if usual is None else usual


def _usual(data: bytes) -> ChatRequest | None:
    """The request in one typed decode; None for whatever has to be looked at field by field. Raises
    InvalidRequest for messages that cannot be."""
    try:
        body = _USUAL.decode(data)
        check_utf8(data)
    except UNUSUAL:
        return None
    options = body.stream_options
    if options is not None and options.include_obfuscation:
        return None
    instructions, messages, brings = translate(body.messages)
    return ChatRequest(
        instructions,
        messages,
        Sampling(),
        model=body.model,
        user=body.user,
        stream=bool(body.stream),
        include_usage=bool(options and options.include_usage),
        brings=brings,
    )


def read_chat(body: Body) -> ChatRequest:
    """Raises InvalidRequest."""
    if not body.has("messages"):
        raise _without_messages(body)
    sent = body.take("messages", CHAT_MESSAGES)
    instructions, messages, brings = translate(sent or ())
    options = body.take("stream_options", STREAM_OPTIONS)
    model = body.take("model", _STRING)
    user = body.take("user", _STRING)
    stream = body.take("stream", _BOOLEAN)
    sampling = take_sampling(body)
    functions, tools = take_functions(body), take_tools(body)
    client_tools = tools if functions is None else functions
    fields = chat_fields(body)
    store, metadata = body.take("store", _BOOLEAN), take_metadata(body)
    refuse_many(body, "n")
    more = tuple(_without_effect(body, options))
    return ChatRequest(
        instructions=instructions,
        messages=messages,
        sampling=sampling,
        client_tools=client_tools,
        model=model,
        user=user,
        stream=bool(stream),
        include_usage=bool(options and options.include_usage),
        ignored=nameable((*body.left, *more)),
        brings=brings,
        store=bool(store),
        metadata=metadata,
        fields=fields,
        functions=functions is not None,
    )


def _without_messages(body: Body) -> InvalidRequest:
    if body.has("input"):
        return InvalidRequest(
            "This body has `input`, the shape of /v1/responses. POST /v1/chat/completions takes `messages`: "
            f"set your client to the chat completions API, or set {TOLERANT_SWITCH} to true.",
            code="responses_body",
            param="input",
        )
    return InvalidRequest("`messages` is required: an array of messages.", param="messages")


def refuse_many(body: Body, *names: str) -> None:
    """What asks for several answers. Raises InvalidRequest."""
    for name in names:
        count = body.take(name, _INTEGER)
        if count is not None and count != 1:
            raise InvalidRequest(f"`{name}` must be 1: an agent gives one answer per request.", param=name)


def chat_fields(body: Body) -> Mapping[str, str]:
    """The texts by which a conversation may be named; they stay to be taken. What is no text is left out."""
    if not body.has_any(_NAMING):
        return NO_FIELDS
    found: dict[str, Any] = {}
    for name in _NAMING:
        if not body.has(name):
            continue
        try:
            if name == "metadata":
                said = _METADATA.decode(body.peek(name))
                found.update({f"metadata.{key}": value for key, value in said.items()})
            else:
                found[name] = _STRING.decode(body.peek(name))
        except msgspec.DecodeError:
            continue
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _without_effect(body: Body, options: StreamOptions | None) -> Iterator[str]:
    """Of fields that may be asked for what is done anyway, those that ask for more."""
    yield from unmade(options)
    if body.take("logprobs", _BOOLEAN):
        yield "logprobs"
    if (body.take("modalities", _MODALITIES) or ["text"]) != ["text"]:
        yield "modalities"


def unmade(options: StreamOptions | None) -> Iterator[str]:
    """What of them has no effect."""
    if options is not None and options.include_obfuscation:
        yield "stream_options.include_obfuscation"


def nameable(names: tuple[str, ...]) -> tuple[str, ...]:
    """Field names fit for a header: the client wrote them, so only plain ones, and not too many."""
    return tuple(name for name in names if _NAME.fullmatch(name))[:_MAX_NAMED]

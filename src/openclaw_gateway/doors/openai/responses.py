"""A request of the Responses API: from a body to what the gateway is asked.

Pure, as `chat` is for chat completions. Source: platform.openai.com/docs/api-reference/responses/create.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import NO_FIELDS, SHORT, UNUSUAL, chat_fields, nameable
from openclaw_gateway.doors.openai.messages import asks_something, missing_user_message
from openclaw_gateway.doors.openai.metadata import take_metadata
from openclaw_gateway.doors.openai.response_items import ITEMS, Item, conversation_of, references_in
from openclaw_gateway.doors.openai.sampling import positive, take_sampling, word_of
from openclaw_gateway.doors.openai.tools import json_schema, take_known_tools
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.decode import check_utf8, depth_exceeds
from openclaw_gateway.wire.messages import Message, media_of
from openclaw_gateway.wire.run import ClientTools, Sampling

_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_OBJECTS = msgspec.json.Decoder(list[dict[str, Raw]])
_NULL, _FUNCTION = Raw(b"null"), Raw(b'"function"')
# What a response repeats of its request, as it was written.
_ECHOED = ("background", "metadata", "reasoning", "temperature", "text", "tool_choice", "tools", "top_p")


class _Reasoning(Struct, frozen=True):
    effort: str | None = None


class _Conversation(Struct, frozen=True):
    id: str


class _TextFormat(Struct, frozen=True):
    type: str
    name: str | None = None
    description: str | None = None
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class _Text(Struct, frozen=True):
    format: _TextFormat | None = None
    verbosity: str | None = None


class _Schema(Struct, frozen=True, omit_defaults=True):
    name: str | None = None
    description: str | None = None
    schema: Raw | UnsetType = UNSET
    strict: bool | None = None


class _ChatFormat(Struct, frozen=True, omit_defaults=True):
    type: str
    json_schema: _Schema | None = None


_REASONING = msgspec.json.Decoder(_Reasoning)
_TEXT = msgspec.json.Decoder(_Text)
_CONVERSATION = msgspec.json.Decoder(str | _Conversation)


class _Usual(Struct, forbid_unknown_fields=True):
    """A body that asks for nothing special."""

    input: str | list[Item] | None = None
    instructions: str | None = None
    model: str | None = None
    user: str | None = None
    stream: bool | None = None
    store: bool | None = None


_USUAL = msgspec.json.Decoder(_Usual)


class ResponsesRequest(Struct, frozen=True):
    """`told` is what system and developer messages of the input say. `echo` is the JSON of fields that a
    response repeats; `ignored` names those that had no effect.

    With `previous`, the id of a response, or a `conversation`, `messages` are what is new. `references` are
    items that are only named: they must be known, or the conversation is not complete. `brings`: there is
    more in it than text, which has to be taken in. `fields` are as in a ChatRequest.
    """

    instructions: str
    told: str
    messages: tuple[Message, ...]
    sampling: Sampling
    client_tools: ClientTools
    echo: dict[str, Raw]
    model: str | None = None
    user: str | None = None
    stream: bool = False
    store: bool = True
    previous: str | None = None
    conversation: str | None = None
    references: frozenset[str] = frozenset()
    ignored: tuple[str, ...] = ()
    brings: bool = False
    background: bool = False
    fields: Mapping[str, str] = NO_FIELDS


def decode_responses(
    data: bytes, max_depth: int, known: Mapping[str, Item] | None = None
) -> ResponsesRequest:
    """`known` are the items that the request names; without it nothing is made of the input but its
    `references`, if it has any. Raises InvalidRequest."""
    usual = None
    # Of a long one that asks for more, all items would be read twice.
    if known is None and len(data) <= SHORT and not depth_exceeds(data, max_depth):
        usual = _usual(data)
    return read_responses(parse(data, max_depth), known) if usual is None else usual


def _usual(data: bytes) -> ResponsesRequest | None:
    """The request in one typed decode; None for whatever has to be looked at field by field. Raises
    InvalidRequest for input that cannot be."""
    try:
        body = _USUAL.decode(data)
        check_utf8(data)
    except UNUSUAL:
        return None
    if body.input is None or references_in(body.input):
        return None
    told, messages, skipped = conversation_of(body.input, {})
    if skipped or not asks_something(messages):
        return None
    instructions = body.instructions or ""
    return ResponsesRequest(
        instructions,
        told,
        messages,
        Sampling(),
        ClientTools(),
        {"instructions": Raw(msgspec.json.encode(instructions))} if instructions else {},
        body.model,
        body.user,
        bool(body.stream),
        body.store is not False,
        brings=any(map(media_of, messages)),
    )


def read_responses(body: Body, known: Mapping[str, Item] | None = None) -> ResponsesRequest:
    """The same, of a body that is parsed."""
    if not body.has("input"):
        raise _without_input(body)
    echo = {name: body.peek(name).copy() for name in _ECHOED if body.has(name)}
    if "tools" in echo:
        echo["tools"] = _whole_tools(echo["tools"])
    sent = body.take("input", ITEMS) or ""
    references = references_in(sent) if known is None else frozenset[str]()
    if references:
        return ResponsesRequest("", "", (), Sampling(), ClientTools(), {}, references=references)
    texts, messages, skipped = conversation_of(sent, known or {})
    fields = chat_fields(body)
    if not asks_something(messages):
        raise missing_user_message("input")
    instructions = body.take("instructions", _STRING) or ""
    if instructions:
        echo["instructions"] = Raw(msgspec.json.encode(instructions))
    model, user = body.take("model", _STRING), body.take("user", _STRING)
    stream = body.take("stream", _BOOLEAN)
    text = body.take("text", _TEXT)
    sampling = _sampling(body, text, echo)
    tools, left_out = take_known_tools(body)
    take_metadata(body)
    store = body.take("store", _BOOLEAN) is not False
    previous, conversation = _before(body, echo)
    background = body.take("background", _BOOLEAN) is True
    if background and not store:
        raise InvalidRequest(
            "A response in the `background` has to be kept until you ask for it: leave `store` out.",
            param="background",
        )
    _refuse_unserved(body)
    return ResponsesRequest(
        instructions,
        texts,
        messages,
        sampling,
        tools,
        echo,
        model,
        user,
        bool(stream),
        store,
        previous,
        conversation,
        frozenset(),
        nameable(
            (
                *body.left,
                *_without_effect(text),
                *(f"tools.{one}" for one in left_out),
                *(f"input.{one}" for one in skipped),
            )
        ),
        any(map(media_of, messages)),
        background=background,
        fields=fields,
    )


def _whole_tools(sent: Raw) -> Raw:
    """With the fields that function tools of a response have, whatever the request left out. What is no list
    of tools is refused later."""
    try:
        tools = _OBJECTS.decode(sent)
    except msgspec.MsgspecError:
        return sent
    for tool in tools:
        if tool.get("type") == _FUNCTION:
            tool.setdefault("parameters", _NULL)
            tool.setdefault("strict", _NULL)
    return Raw(msgspec.json.encode(tools))


def _without_input(body: Body) -> InvalidRequest:
    if body.has("messages"):
        return InvalidRequest(
            "This body has `messages`, the shape of /v1/chat/completions. POST /v1/responses takes `input`: "
            "set your client to the Responses API, or to the path /v1/chat/completions.",
            code="chat_body",
            param="messages",
        )
    return InvalidRequest("`input` is required: a text, or an array of items.", param="input")


def _sampling(body: Body, text: _Text | None, echo: dict[str, Raw]) -> Sampling:
    sampling = take_sampling(body)
    limit = positive(body, "max_output_tokens")
    if limit is not UNSET:
        sampling = replace(sampling, max_tokens=limit)
        echo["max_output_tokens"] = Raw(str(limit).encode())
    reasoning = body.take("reasoning", _REASONING)
    effort = UNSET if reasoning is None else word_of(reasoning.effort, "reasoning.effort")
    if effort is not UNSET:
        sampling = replace(sampling, reasoning_effort=effort)
    if text is not None and text.format is not None and text.format.type != "text":
        sampling = replace(sampling, response_format=_chat_format(text.format))
    return sampling


def _without_effect(text: _Text | None) -> Iterator[str]:
    """Of fields that have one otherwise."""
    if text is not None and text.verbosity is not None:
        yield "text.verbosity"


def _chat_format(wanted: _TextFormat) -> Raw:
    """As chat completions say it, and every dialect of a model reads it."""
    if wanted.type == "json_object":
        return Raw(msgspec.json.encode(_ChatFormat("json_object")))
    if wanted.type != "json_schema" or isinstance(wanted.schema, UnsetType):
        raise InvalidRequest(
            "`text.format` must be of type text, json_object, or json_schema with a schema.",
            param="text.format",
        )
    said = json_schema(wanted.schema, "text.format.schema")
    schema = _Schema(wanted.name or "answer", wanted.description, said, wanted.strict)
    return Raw(msgspec.json.encode(_ChatFormat("json_schema", schema)))


def _before(body: Body, echo: dict[str, Raw]) -> tuple[str | None, str | None]:
    """(the response that this one goes on from, the conversation that it belongs to)."""
    previous = body.take("previous_response_id", _STRING)
    named = body.take("conversation", _CONVERSATION)
    conversation = named.id if isinstance(named, _Conversation) else named
    if previous and conversation:
        raise InvalidRequest(
            "`previous_response_id` and `conversation` say two things about what came before: send one.",
            param="previous_response_id",
        )
    if previous:
        echo["previous_response_id"] = Raw(msgspec.json.encode(previous))
    if conversation is not None and not conversation.strip():
        raise InvalidRequest("`conversation` needs a name that can be seen.", param="conversation")
    if conversation:
        echo["conversation"] = Raw(msgspec.json.encode(_Conversation(conversation)))
    return previous or None, conversation or None


def _refuse_unserved(body: Body) -> None:
    """What would make another answer if it were passed over."""
    if body.has("prompt"):
        raise InvalidRequest("`prompt`: prompts are not kept here. Send `instructions`.", param="prompt")

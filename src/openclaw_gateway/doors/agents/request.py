"""Bodies of the Agents API: what makes a session, what is sent to one, what is changed of it.

Pure. What this gateway does not have (environments, vaults, subagents, spending limits, tools of the client)
is refused with a sentence that says so, because without it the answer would be another one; what has no
effect on an answer is passed over and named. Source: developers.openai.com/api/docs/guides/agents-api.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.openai.body import Body, parse
from openclaw_gateway.doors.openai.chat import nameable
from openclaw_gateway.doors.openai.metadata import take_metadata
from openclaw_gateway.doors.openai.response_items import ITEMS, Item, conversation_of
from openclaw_gateway.doors.openai.tools import json_schema
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.messages import UserMessage

T = TypeVar("T")
_STRING = msgspec.json.Decoder(str)
_BOOLEAN = msgspec.json.Decoder(bool)
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_STRINGS = msgspec.json.Decoder(list[str])
_TOOLS = msgspec.json.Decoder(list[dict[str, Raw]])
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


class _Environment(Struct, frozen=True):
    type: str


class _Reasoning(Struct, frozen=True):
    effort: str | None = None


class _Format(Struct, frozen=True):
    type: str
    schema: Raw | UnsetType = UNSET


class _Text(Struct, frozen=True):
    format: _Format | None = None


class _MultiAgent(Struct, frozen=True):
    enabled: bool | None = None


class _SpendControl(Struct, frozen=True):
    limit: int | None = None


class _Change(Struct, frozen=True):
    metadata: Raw | UnsetType = UNSET


class _InputEvent(Struct, frozen=True):
    type: str
    input: str | list[Item] | None = None


_ENVIRONMENT = msgspec.json.Decoder(_Environment)
_REASONING = msgspec.json.Decoder(_Reasoning)
_TEXT = msgspec.json.Decoder(_Text)
_MULTI_AGENT = msgspec.json.Decoder(_MultiAgent)
_SPEND_CONTROL = msgspec.json.Decoder(_SpendControl)
_CHANGE = msgspec.json.Decoder(_Change)
_EVENTS = msgspec.json.Decoder(list[_InputEvent])


class AgentWish(Struct, frozen=True):
    """What a client says of the agent: for all turns of its session. `schema` is what answers shall fit."""

    model: str | None = None
    instructions: str = ""
    effort: str | None = None
    schema: Raw | UnsetType = UNSET


class NewSession(Struct, frozen=True):
    """`ignored` names the fields that had no effect."""

    agent: AgentWish
    agent_id: str | None
    message: UserMessage
    metadata: dict[str, str]
    stream: bool
    ignored: tuple[str, ...]


class SessionInput(Struct, frozen=True):
    """What is sent to a session: to end what it is at, and then a message, or only one of the two; with
    `cancels_after` the end comes behind the message. `ignored` names the fields that had no effect."""

    message: UserMessage | None
    cancels: bool
    cancels_after: bool
    ignored: tuple[str, ...]


class SessionChange(Struct, frozen=True):
    """`metadata` None leaves it as it is."""

    metadata: dict[str, str] | None
    ignored: tuple[str, ...]


def decode_session(data: bytes, max_depth: int) -> NewSession:
    """Raises InvalidRequest."""
    return read_session(parse(data, max_depth))


def read_session(body: Body) -> NewSession:
    """The same, of a body that is parsed."""
    environment = body.take("environment", _ENVIRONMENT)
    if environment is None or environment.type != "none":
        raise InvalidRequest(
            '`environment`: only {"type": "none"} is served here: an agent of this gateway works with its '
            "own tools in its own workspace, and computers are not made for it.",
            code="not_served_here",
            param="environment",
        )
    if not body.has("input"):
        raise InvalidRequest(
            "`input` is required without an environment: a text, or an array of user messages.", param="input"
        )
    message = _message_of(body.take("input", ITEMS) or "", "input")
    _refuse_unserved(body)
    agent, passed_over = _agent(body)
    agent_id = body.take("agent_id", _STRING)
    stream = body.take("stream", _BOOLEAN) is True
    metadata = take_metadata(body) or {}
    ignored = nameable((*body.left, *(f"agent.{name}" for name in passed_over)))
    return NewSession(agent, agent_id, message, metadata, stream, ignored)


def decode_events(data: bytes, max_depth: int) -> SessionInput:
    """Raises InvalidRequest."""
    return read_events(parse(data, max_depth))


def read_events(body: Body) -> SessionInput:
    """The same, of a body that is parsed."""
    events = body.take("events", _EVENTS)
    if not events:
        raise InvalidRequest("`events` is required: at least one event.", param="events")
    message: UserMessage | None = None
    cancels = cancels_after = False
    for place, event in enumerate(events):
        where = f"events[{place}]"
        match event.type:
            case "agent.session.input.cancel":
                cancels = True
                cancels_after = message is not None
            case "agent.session.input.message" if message is None:
                message = _message_of(event.input or "", f"{where}.input")
            case "agent.session.input.message":
                raise InvalidRequest(
                    f"`{where}`: one message event at a time: put further messages into the `input` of the "
                    "first, or send them in a request of their own.",
                    param=where,
                )
            case "agent.session.input.tool_result":
                raise InvalidRequest(
                    f"`{where}`: no call waits for a result here: tools of the client are served by "
                    "/v1/chat/completions, /v1/responses and /v1/messages only.",
                    code="not_served_here",
                    param=where,
                )
            case other:
                raise InvalidRequest(
                    f"`{where}.type`: {other[:80]!r} is not served here. Send agent.session.input.message or "
                    "agent.session.input.cancel.",
                    code="not_served_here",
                    param=f"{where}.type",
                )
    return SessionInput(message, cancels, cancels_after, nameable(body.left))


def decode_change(data: bytes, max_depth: int) -> SessionChange:
    """Raises InvalidRequest."""
    change = read_change(parse(data, max_depth))
    if change.metadata is None and _CHANGE.decode(data or b"{}").metadata is not UNSET:
        # A null clears it.
        return SessionChange({}, change.ignored)
    return change


def read_change(body: Body) -> SessionChange:
    """The same, of a body that is parsed."""
    if body.has("agent"):
        raise InvalidRequest(
            "`agent`: what a session's agent is was settled when the session was made. Make a new session.",
            code="not_served_here",
            param="agent",
        )
    _refuse_unserved(body)
    return SessionChange(take_metadata(body), nameable(body.left))


def _message_of(sent: str | Sequence[Item], where: str) -> UserMessage:
    """All of what is sent as one message: it is one turn's, and what a session says is never resent."""
    if not isinstance(sent, str):
        for place, item in enumerate(sent):
            if (item.type or "message") != "message" or item.role != "user":
                raise InvalidRequest(
                    f"`{where}[{place}]`: only messages of the role user are sent to a session: it holds "
                    "what was said before.",
                    param=f"{where}[{place}]",
                )
    _, messages, _ = conversation_of(sent, {})
    said = [message for message in messages if isinstance(message, UserMessage)]
    text = "\n\n".join(message.content for message in said if message.content)
    images = tuple(image for message in said for image in message.images)
    files = tuple(file for message in said for file in message.files)
    if not (text.strip() or images or files):
        raise InvalidRequest(f"`{where}` says nothing: send a text or an image.", param=where)
    return UserMessage(text, images=images, files=files)


def _agent(body: Body) -> tuple[AgentWish, tuple[str, ...]]:
    """(what is wished of the agent, names of its fields that had no effect)."""
    fields = body.take("agent", _FIELDS)
    if fields is None:
        return AgentWish(), ()
    agent = _Within({name: raw for name, raw in fields.items() if bytes(raw) != b"null"})
    if agent.take("tools", _TOOLS):
        raise InvalidRequest(
            "`agent.tools`: an agent has the tools of its configuration here (agents.list[].tools). Tools of "
            "the client are served by /v1/chat/completions, /v1/responses and /v1/messages.",
            code="not_served_here",
            param="agent.tools",
        )
    several = agent.take("multi_agent", _MULTI_AGENT)
    if several is not None and several.enabled:
        raise InvalidRequest(
            "`agent.multi_agent`: a session's subagents are not served here. An agent starts sub-agents by "
            "its tool sessions_spawn, if it has it.",
            code="not_served_here",
            param="agent.multi_agent",
        )
    reasoning = agent.take("reasoning", _REASONING)
    effort = None if reasoning is None else reasoning.effort
    if effort is not None and effort not in _EFFORTS:
        raise InvalidRequest(
            f"`agent.reasoning.effort` must be one of {', '.join(_EFFORTS)}.", param="agent.reasoning.effort"
        )
    text = agent.take("text", _TEXT)
    wish = AgentWish(
        agent.take("model", _STRING),
        agent.take("instructions", _STRING) or "",
        effort,
        _schema(text),
    )
    return wish, agent.left


def _schema(text: _Text | None) -> Raw | UnsetType:
    if text is None or text.format is None or text.format.type == "text":
        return UNSET
    if text.format.type != "json_schema" or isinstance(text.format.schema, UnsetType):
        raise InvalidRequest(
            "`agent.text.format` must be of type text, or json_schema with a schema.",
            param="agent.text.format",
        )
    return json_schema(text.format.schema, "agent.text.format.schema")


def _refuse_unserved(body: Body) -> None:
    """What would make another answer if it were passed over."""
    if body.take("vault_ids", _STRINGS):
        raise InvalidRequest(
            "`vault_ids`: there are no vaults here: an agent's secrets stand in the gateway's configuration.",
            code="not_served_here",
            param="vault_ids",
        )
    spending = body.take("spend_control", _SPEND_CONTROL)
    if spending is not None and spending.limit is not None:
        raise InvalidRequest(
            "`spend_control`: what a session costs is not bounded here. Leave it out.",
            code="not_served_here",
            param="spend_control",
        )
    if body.take("review", _STRING) == "auto_review":
        raise InvalidRequest(
            "`review`: an agent's commands are asked about as its configuration says (tools.exec.ask), not "
            "reviewed by a model. Leave it out.",
            code="not_served_here",
            param="review",
        )


class _Within(Body):
    """The fields of the object `agent`, named as such."""

    def take(self, name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
        try:
            return super().take(name, decoder)
        except InvalidRequest as error:
            path = f"agent.{error.param}"
            said = error.message.replace(f"`{error.param}`", f"`{path}`", 1)
            raise InvalidRequest(said, param=path) from None

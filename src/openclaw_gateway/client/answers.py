"""What the gateway answers, as far as its clients read it. Pure.

An answer comes from the network: what has another shape is said to have it, and is nobody's fault here.
Fields are those of the control protocol; those that are not read are passed over.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from openclaw_gateway.client.errors import AnswerGarbled

T = TypeVar("T")


class Accepted(Struct, frozen=True):
    """Of `chat.send` and `agent`; `queued` runs of the session come first."""

    status: str = ""
    queued: int = 0


class Waited(Struct, frozen=True):
    """Of `agent.wait`; `error` and `code` are of a run that failed."""

    status: str
    queued: int = 0
    error: str = ""
    code: str = ""


class Message(Struct, frozen=True):
    """`identity` says which run it is of, as its client calls it."""

    role: str = ""
    content: Any = None
    identity: "Identity | None" = msgspec.field(name="__openclaw", default=None)


class Identity(Struct, frozen=True, rename="camel"):
    run_id: str = ""


class History(Struct, frozen=True):
    """Of `chat.history`, with its messages read."""

    messages: tuple[Message, ...] = ()


class Transcript(Struct, frozen=True):
    """The same, with its messages as they are."""

    messages: tuple[dict[str, Any], ...]


class Made(Struct, frozen=True):
    """Of `sessions.create`."""

    key: str


class Session(Struct, frozen=True, rename="camel"):
    """A row of `sessions.list`; `updated_at` is Unix milliseconds."""

    key: str
    updated_at: float = 0
    display_name: str = ""
    input_tokens: int = 0
    output_tokens: int = 0


class Sessions(Struct, frozen=True, rename="camel"):
    sessions: tuple[Session, ...]
    next_offset: int | None = None


class Model(Struct, frozen=True):
    """A row of `models.list`."""

    id: str
    provider: str


class Models(Struct, frozen=True):
    models: tuple[Model, ...]


class AgentModel(Struct, frozen=True):
    primary: str | None = None


class Agent(Struct, frozen=True):
    """A row of `agents.list`."""

    id: str
    name: str | None = None
    model: AgentModel | str | None = None


class Agents(Struct, frozen=True):
    agents: tuple[Agent, ...]


class Defaults(Struct, frozen=True, rename="camel"):
    model_provider: str | None = None
    model: str | None = None


class InFlight(Struct, frozen=True, rename="camel"):
    run_id: str | None = None


class Here(Struct, frozen=True, rename="camel"):
    """Of `chat.history`, what it says of the conversation."""

    session_key: str
    defaults: Defaults | None = None
    in_flight_run: InFlight | None = None
    total_messages: int | None = None


class Described(Struct, frozen=True):
    """Of `sessions.describe`."""

    session: Session | None = None


def told(answer: Mapping[str, Any], method: str, shape: type[T]) -> T:
    """Raises AnswerGarbled."""
    try:
        return msgspec.convert(answer, shape)
    except msgspec.ValidationError as error:
        raise AnswerGarbled(
            f"The gateway's answer to {method} cannot be read ({error}): it may be of another version."
        ) from None

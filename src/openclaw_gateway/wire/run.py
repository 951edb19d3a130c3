"""What a run is asked, and what came of it."""

from typing import Literal

from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import replace

from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.messages import Message, ToolCall

RunStatus = Literal["queued", "running", "completed", "failed", "aborted", "interrupted"]
Door = Literal["http", "websocket", "terminal"]
Audience = Literal["operator", "user", "conversation"]
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]


class Usage(Struct, frozen=True, omit_defaults=True):
    """Tokens as the provider counted them; `prompt_tokens` includes those read from the
    provider's cache (`cached_tokens`) and those written to it."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.total_tokens + other.total_tokens,
            self.cached_tokens + other.cached_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


class Sampling(Struct, frozen=True):
    """Validated sampling fields to pass on; UNSET = the caller did not say, so neither do we."""

    temperature: float | UnsetType = UNSET
    top_p: float | UnsetType = UNSET
    max_tokens: int | UnsetType = UNSET
    stop: tuple[str, ...] | UnsetType = UNSET
    seed: int | UnsetType = UNSET
    frequency_penalty: float | UnsetType = UNSET
    presence_penalty: float | UnsetType = UNSET
    reasoning_effort: str | UnsetType = UNSET
    response_format: Raw | UnsetType = UNSET


class ToolSpec(Struct, frozen=True):
    """A function tool as a model is offered it. `parameters` is a JSON schema of type object; `strict` asks
    the vendor to hold the model to it, None = nobody has said."""

    name: str
    description: str
    parameters: Raw
    strict: bool | None = None


class NamedTool(Struct, frozen=True):
    """The model must call this one."""

    name: str


ToolChoice = Literal["auto", "none", "required"] | NamedTool


class ClientTools(Struct, frozen=True):
    """The request's own function tools: offered to the model, executed by the client."""

    tools: tuple[ToolSpec, ...] = ()
    choice: ToolChoice = "auto"
    parallel: bool | None = None

    @property
    def names(self) -> frozenset[str]:
        """Of the tools that are offered: with the choice "none" there are none."""
        if not self.tools or self.choice == "none":
            return frozenset()
        return frozenset(spec.name for spec in self.tools)


class Origin(Struct, frozen=True):
    """Who asks: made once by the door, carried by the run, asked by whatever decides what a run may see or
    do. Nothing is decided by the text of a key, and nothing of this comes from a tool's arguments.

    `owner` is the principal whose runs and sessions these are. `audience` is who reads the answer: the
    operator, one `user` whom an HTTP request names, or whoever holds the one conversation. A run that a run
    started has that one's id as `parent`, is one deeper, and is `confined` to the sandbox if that one was.
    `spawned` is how many of it and those above it were given their task as a sub-agent.
    """

    owner: str
    door: Door
    audience: Audience
    user: str | None = None
    parent: str | None = None
    depth: int = 0
    confined: bool = False
    spawned: int = 0

    def child(self, run_id: str, *, confined: bool, spawned: bool = False) -> "Origin":
        """Who asks in a run that the run `run_id` of this origin starts: nobody who may see more."""
        return Origin(
            self.owner,
            self.door,
            self.audience,
            self.user,
            parent=run_id,
            depth=self.depth + 1,
            confined=confined,
            spawned=self.spawned + spawned,
        )


class Idempotency(Struct, frozen=True):
    """A caller's own name for a request, unique per owner. `digest` tells a repeat from another request."""

    key: str
    digest: bytes


# What is done when the session is at work: wait for one's turn, be refused, end what is going on there, or be
# taken up by it (else wait).
Queue = Literal["wait", "reject", "interrupt", "steer"]


class Attempt(Struct, frozen=True):
    """One of the times that a client sends the same request by itself, as the official SDKs do: what is equal
    in all of them, which are many characters, by `length` and `hash`. `again`: it is not the first."""

    path: str
    length: int
    hash: int
    again: bool


KeptKind = Literal["response", "chat"]


class Keep(Struct, frozen=True):
    """The answer is kept under the run's id for its client to come back to. `about` is what the door wants to
    know of it then, as JSON; `previous` is the kept answer that this one goes on from, `told` what of the
    instructions belongs to the conversation and so counts for who goes on from this one.

    What is kept as one `kind` is never found as another; `labels` are what it is listed by."""

    about: Raw
    previous: str | None = None
    told: str = ""
    kind: KeptKind = "response"
    labels: tuple[str, ...] = ()


class Invocation(Struct, frozen=True):
    """One call of an agent's tool that a client makes itself. It belongs to the conversation `session_key`,
    of which it neither waits for a turn nor leaves a trace in the transcript."""

    call: ToolCall
    session_key: str | None = None


class Note(Struct, frozen=True, tag_field="kind", tag="note"):
    """A note of the assistant's is written into the session, in its turn. No model is asked."""

    text: str


class Compact(Struct, frozen=True, tag_field="kind", tag="compact"):
    """The older part of the session is summarised now, in its turn."""


Errand = Note | Compact
"""What is done to a session in its turn, instead of an answer."""


class RunRequest(Struct, frozen=True):
    """One request for an agent, after routing: nothing below this reads headers or credentials.

    `session_key` None means stateless; so is a `task`, which a front end asks for itself beside a
    conversation. `messages` is everything the client sent but its system and
    developer messages, which are joined into `instructions`; `before` is what was said before that in answers
    that are kept. A repeat of one with `idempotency` gets the first answer. `model` is the one that
    was chosen for it; "" = the agent's, in their order. `is_whole`: `messages` are all of the conversation
    that shall count; with `is_windowed` its client may have cut off their beginning. `attempt` is set where
    its client may send it again by itself. One that is `detached` goes on without its client, who may come
    back to it: then its door is given this, which is JSON of its own. With an `invocation` no model is asked;
    an `errand` is done in a session.
    """

    origin: Origin
    agent_id: str
    messages: tuple[Message, ...]
    session_key: str | None = None
    instructions: str = ""
    sampling: Sampling = Sampling()
    client_tools: ClientTools = ClientTools()
    idempotency: Idempotency | None = None
    timeout_s: float | None = None
    task: str | None = None
    before: tuple[Message, ...] = ()
    keep: Keep | None = None
    model: str = ""
    is_whole: bool = False
    is_windowed: bool = False
    attempt: Attempt | None = None
    detached: Raw | None = None
    invocation: Invocation | None = None
    queue: Queue = "wait"
    errand: Errand | None = None

    @property
    def is_stored(self) -> bool:
        """Whether the store knows a run of it, wherever that is executed; of the others only what another
        process has begun."""
        return self.session_key is not None or self.idempotency is not None


def outlined(request: RunRequest) -> RunRequest:
    """Who asks for what and where, without what is said."""
    return replace(
        request,
        messages=(),
        before=(),
        instructions="",
        client_tools=ClientTools(),
        sampling=Sampling(),
        keep=None,
        invocation=None,
    )


class RunResult(Struct, frozen=True):
    """How a run ended. `error` is set exactly when `status` is not "completed".

    `tool_calls` are calls of the client's tools, which the client now has to execute. `model` is the
    reference of the model that was asked last, which need not be the agent's first; "" = none was.
    `is_error`: the tool that a client has called says in `text` why it could not. `called` counts the calls
    of tools, the client's among them; `cost` is what the model calls cost, None = not known. `taken_by` is
    what a client calls the run that has taken up the message and answered it; "" = this one's own turn did.
    `completed_ms` is when an answer was complete, in Unix milliseconds.
    """

    status: RunStatus
    text: str = ""
    reasoning: str = ""
    finish_reason: FinishReason | None = None
    usage: Usage = Usage()
    error: ErrorInfo | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    is_error: bool = False
    called: int = 0
    cost: float | None = None
    taken_by: str = ""
    completed_ms: int | None = None


class KeptResult(RunResult, frozen=True):
    """A result as it is kept: with what its door wrote of one that is detached (`RunRequest.detached`), so
    that it can be told as its own door told it."""

    detached: Raw | UnsetType = UNSET

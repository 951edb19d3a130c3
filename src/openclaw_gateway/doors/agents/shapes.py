"""The types of sessions, turns, items and events, which `resources`, `items` and `events` make, for the
OpenAPI document; tests hold what is made to them.
Source: the types of the `openai` package, 3.52 (types/beta/agent_session*, types/beta/agents).
"""

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

Done = Literal["in_progress", "completed", "incomplete"]


class SessionMultiAgent(Struct, frozen=True):
    enabled: Literal[False]
    max_concurrent_subagents: None


class SessionReasoning(Struct, frozen=True):
    effort: str | None
    summary: None


class SessionFormat(Struct, frozen=True):
    type: Literal["text", "json_schema"]
    schema: dict[str, Any] | UnsetType = UNSET


class SessionText(Struct, frozen=True):
    format: SessionFormat
    verbosity: Literal["medium"]


class SessionAgent(Struct, frozen=True):
    id: str
    name: str
    model: str
    instructions: str | None
    multi_agent: SessionMultiAgent
    reasoning: SessionReasoning
    service_tier: Literal["auto"]
    text: SessionText
    tools: tuple[()]


class SessionEnvironment(Struct, frozen=True):
    type: Literal["none"]


class CachedTokens(Struct, frozen=True):
    cached_tokens: int


class ReasoningTokens(Struct, frozen=True):
    reasoning_tokens: int


class TurnUsage(Struct, frozen=True):
    input_tokens: int
    input_tokens_details: CachedTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int


class AgentSession(Struct, frozen=True):
    """Its id is its key, by which every door knows it."""

    id: str
    object: Literal["agent.session"]
    created_at: int
    last_active_at: int
    status: Literal["idle", "in_progress"]
    error: None
    metadata: dict[str, str]
    required_actions: tuple[()]
    vault_ids: tuple[()]
    environment: SessionEnvironment
    usage: TurnUsage
    agent: SessionAgent


class DeletedSession(Struct, frozen=True):
    id: str
    object: Literal["agent.session.deleted"]
    deleted: Literal[True]


class TurnError(Struct, frozen=True):
    code: str
    message: str


class AgentTurn(Struct, frozen=True):
    id: str
    object: Literal["agent.session.turn"]
    session_id: str
    agent_id: str
    subagent_id: None
    status: Literal["queued", "in_progress", "completed", "failed", "cancelled"]
    created_at: int
    started_at: int | None
    completed_at: int | None
    error: TurnError | None
    usage: TurnUsage | None


class TurnPart(Struct, frozen=True):
    type: Literal["input_text", "input_image", "output_text"]
    text: str | UnsetType = UNSET
    image_url: str | UnsetType = UNSET


class TurnOutput(Struct, frozen=True):
    type: Literal["output_text"]
    text: str


class TurnSummary(Struct, frozen=True):
    type: Literal["summary_text"]
    text: str


class SessionItem(Struct, frozen=True, tag_field="type"):
    id: str
    turn_id: str


class SessionMessage(SessionItem, frozen=True, tag="message"):
    role: Literal["user", "assistant"]
    phase: Literal["final_answer"] | None
    status: Done
    content: tuple[TurnPart, ...]


class SessionThought(SessionItem, frozen=True, tag="reasoning"):
    status: Done
    summary: tuple[TurnSummary, ...]


class SessionCall(SessionItem, frozen=True, tag="function_call"):
    call_id: str
    name: str
    arguments: str
    status: Literal["completed"]


class SessionResult(SessionItem, frozen=True, tag="function_call_output"):
    call_id: str
    output: str
    error: None
    status: Literal["completed"]


AnyItem = SessionMessage | SessionThought | SessionCall | SessionResult


class Listed(Struct, frozen=True):
    object: Literal["list"]
    first_id: str | None
    last_id: str | None
    has_more: bool


class ListedSessions(Listed, frozen=True):
    data: tuple[AgentSession, ...]


class ListedTurns(Listed, frozen=True):
    data: tuple[AgentTurn, ...]


class ListedItems(Listed, frozen=True):
    data: tuple[AnyItem, ...]


class SessionEvent(Struct, frozen=True, tag_field="type"):
    event_id: str


class OfSession(SessionEvent, frozen=True):
    session: AgentSession


class SessionCreated(OfSession, frozen=True, tag="agent.session.created"):
    pass


class SessionInProgress(OfSession, frozen=True, tag="agent.session.in_progress"):
    pass


class SessionIdle(OfSession, frozen=True, tag="agent.session.idle"):
    pass


class SessionErrorDetails(Struct, frozen=True):
    type: str
    code: str
    message: str
    param: str | None


class SessionFailure(SessionEvent, frozen=True, tag="error"):
    session_id: str
    error: SessionErrorDetails


class TurnEvent(SessionEvent, frozen=True):
    session_id: str
    turn_id: str


class OfTurn(TurnEvent, frozen=True):
    turn: AgentTurn


class TurnCreated(OfTurn, frozen=True, tag="agent.session.turn.created"):
    pass


class TurnInProgress(OfTurn, frozen=True, tag="agent.session.turn.in_progress"):
    pass


class TurnEnded(OfTurn, frozen=True):
    usage: TurnUsage | None


class TurnCompleted(TurnEnded, frozen=True, tag="agent.session.turn.completed"):
    pass


class TurnFailed(TurnEnded, frozen=True, tag="agent.session.turn.failed"):
    pass


class TurnCancelled(TurnEnded, frozen=True, tag="agent.session.turn.cancelled"):
    pass


class TurnItemAdded(TurnEvent, frozen=True, tag="agent.session.turn.item.added"):
    item: AnyItem
    output_index: int | None


class TurnItemDone(TurnEvent, frozen=True, tag="agent.session.turn.item.done"):
    item: AnyItem
    output_index: int


class InTurnItem(TurnEvent, frozen=True):
    item_id: str
    output_index: int


class InTurnMessage(InTurnItem, frozen=True):
    content_index: Literal[0]


class TurnPartAdded(InTurnMessage, frozen=True, tag="agent.session.turn.content_part.added"):
    part: TurnOutput


class TurnPartDone(InTurnMessage, frozen=True, tag="agent.session.turn.content_part.done"):
    part: TurnOutput


class TurnTextMore(InTurnMessage, frozen=True, tag="agent.session.turn.output_text.delta"):
    delta: str


class TurnTextDone(InTurnMessage, frozen=True, tag="agent.session.turn.output_text.done"):
    text: str


class InTurnThought(InTurnItem, frozen=True):
    summary_index: Literal[0]


class TurnSummaryPartAdded(InTurnThought, frozen=True, tag="agent.session.turn.reasoning_summary_part.added"):
    part: TurnSummary


class TurnSummaryPartDone(InTurnThought, frozen=True, tag="agent.session.turn.reasoning_summary_part.done"):
    part: TurnSummary


class TurnSummaryMore(InTurnThought, frozen=True, tag="agent.session.turn.reasoning_summary_text.delta"):
    delta: str


class TurnSummaryDone(InTurnThought, frozen=True, tag="agent.session.turn.reasoning_summary_text.done"):
    text: str


AgentEvent = (
    SessionCreated
    | SessionInProgress
    | SessionIdle
    | SessionFailure
    | TurnCreated
    | TurnInProgress
    | TurnCompleted
    | TurnFailed
    | TurnCancelled
    | TurnItemAdded
    | TurnItemDone
    | TurnPartAdded
    | TurnPartDone
    | TurnTextMore
    | TurnTextDone
    | TurnSummaryPartAdded
    | TurnSummaryPartDone
    | TurnSummaryMore
    | TurnSummaryDone
)

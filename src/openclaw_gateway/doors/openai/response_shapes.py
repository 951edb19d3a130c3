"""The types of a response, its items and its events, which `response_object` and `response_events` make.
For the OpenAPI document; tests hold what is made to them.
Source: platform.openai.com/docs/api-reference/responses/object and /responses-streaming.
"""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Status = Literal["completed", "in_progress", "incomplete"]


class SummaryText(Struct, frozen=True):
    type: Literal["summary_text"]
    text: str


class OutputText(Struct, frozen=True):
    type: Literal["output_text"]
    text: str
    annotations: tuple[Any, ...]
    logprobs: tuple[Any, ...] | UnsetType = UNSET


class Item(Struct, frozen=True, tag_field="type"):
    id: str


class ReasoningItem(Item, frozen=True, tag="reasoning"):
    summary: tuple[SummaryText, ...]


class MessageItem(Item, frozen=True, tag="message"):
    role: Literal["assistant"]
    status: Status
    content: tuple[OutputText, ...]


class AskedPart(Struct, frozen=True):
    """Of a message of the request, or of what a tool gave back."""

    type: Literal["input_text", "input_image", "input_file", "input_audio", "output_text"]
    text: str | UnsetType = UNSET
    annotations: tuple[Any, ...] | UnsetType = UNSET
    detail: str | UnsetType = UNSET
    image_url: str | UnsetType = UNSET
    filename: str | UnsetType = UNSET
    file_data: str | UnsetType = UNSET
    input_audio: dict[str, str] | UnsetType = UNSET


class AskedMessage(Item, frozen=True, tag="message"):
    role: Literal["assistant", "user"]
    status: Status
    content: tuple[AskedPart, ...]


class CallItem(Item, frozen=True, tag="function_call"):
    status: Status
    call_id: str
    name: str
    arguments: str


class ResultItem(Item, frozen=True, tag="function_call_output"):
    status: Status
    call_id: str
    output: str | tuple[AskedPart, ...]


OutputItem = ReasoningItem | MessageItem | CallItem


class Incomplete(Struct, frozen=True):
    reason: Literal["max_output_tokens", "content_filter"]


class ResponseError(Struct, frozen=True):
    code: str
    message: str


class InputDetails(Struct, frozen=True):
    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(Struct, frozen=True):
    reasoning_tokens: int


class ResponseUsage(Struct, frozen=True):
    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class NamedConversation(Struct, frozen=True):
    id: str


class Response(Struct, frozen=True):
    """What it repeats of its request stands there as it was written."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["completed", "in_progress", "incomplete", "failed", "queued", "cancelled"]
    background: bool
    error: ResponseError | None
    incomplete_details: Incomplete | None
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    model: str
    output: tuple[OutputItem, ...]
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: dict[str, Any]
    store: bool
    temperature: float
    frequency_penalty: float
    presence_penalty: float
    max_tool_calls: int | None
    prompt_cache_key: str | None
    safety_identifier: str | None
    service_tier: str
    top_logprobs: int
    text: dict[str, Any]
    tool_choice: str | dict[str, Any]
    tools: tuple[dict[str, Any], ...]
    top_p: float
    truncation: Literal["disabled"]
    usage: ResponseUsage | None
    conversation: NamedConversation | UnsetType = UNSET


class DeletedResponse(Struct, frozen=True):
    id: str
    object: Literal["response"]
    deleted: Literal[True]


class ResponseInput(Struct, frozen=True):
    object: Literal["list"]
    data: tuple[ReasoningItem | AskedMessage | CallItem | ResultItem, ...]
    first_id: str | None
    last_id: str | None
    has_more: bool


class Event(Struct, frozen=True, tag_field="type"):
    sequence_number: Annotated[int, Meta(ge=0)]


class ResponseCreated(Event, frozen=True, tag="response.created"):
    response: Response


class ResponseInProgress(Event, frozen=True, tag="response.in_progress"):
    response: Response


class ResponseCompleted(Event, frozen=True, tag="response.completed"):
    response: Response


class ResponseIncomplete(Event, frozen=True, tag="response.incomplete"):
    response: Response


class ResponseFailed(Event, frozen=True, tag="response.failed"):
    response: Response


class ItemEvent(Event, frozen=True):
    output_index: int
    item: OutputItem


class ItemAdded(ItemEvent, frozen=True, tag="response.output_item.added"):
    pass


class ItemDone(ItemEvent, frozen=True, tag="response.output_item.done"):
    pass


class WithinItem(Event, frozen=True):
    item_id: str
    output_index: int


class PartEvent(WithinItem, frozen=True):
    content_index: int
    part: OutputText


class PartAdded(PartEvent, frozen=True, tag="response.content_part.added"):
    pass


class PartDone(PartEvent, frozen=True, tag="response.content_part.done"):
    pass


class TextMore(WithinItem, frozen=True, tag="response.output_text.delta"):
    content_index: int
    delta: str
    logprobs: tuple[Any, ...]


class TextDone(WithinItem, frozen=True, tag="response.output_text.done"):
    content_index: int
    text: str
    logprobs: tuple[Any, ...]


class SummaryPartEvent(WithinItem, frozen=True):
    summary_index: int
    part: SummaryText


class SummaryPartAdded(SummaryPartEvent, frozen=True, tag="response.reasoning_summary_part.added"):
    pass


class SummaryPartDone(SummaryPartEvent, frozen=True, tag="response.reasoning_summary_part.done"):
    pass


class SummaryMore(WithinItem, frozen=True, tag="response.reasoning_summary_text.delta"):
    summary_index: int
    delta: str


class SummaryDone(WithinItem, frozen=True, tag="response.reasoning_summary_text.done"):
    summary_index: int
    text: str


class ArgumentsMore(WithinItem, frozen=True, tag="response.function_call_arguments.delta"):
    delta: str


class ArgumentsDone(WithinItem, frozen=True, tag="response.function_call_arguments.done"):
    name: str
    arguments: str


ResponseEvent = (
    ResponseCreated
    | ResponseInProgress
    | ResponseCompleted
    | ResponseIncomplete
    | ResponseFailed
    | ItemAdded
    | ItemDone
    | PartAdded
    | PartDone
    | TextMore
    | TextDone
    | SummaryPartAdded
    | SummaryPartDone
    | SummaryMore
    | SummaryDone
    | ArgumentsMore
    | ArgumentsDone
)

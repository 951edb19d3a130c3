"""How much of a model's context a conversation takes, and up to where it has to be summarised.

Pure. Sizes are estimates in tokens: a quarter of the UTF-8 bytes, which is near enough for every model
and costs next to nothing; what a provider has counted is exact and comes in as a number. No tokenizer
library: those that are kept well fetch their vocabulary at run time, and none has every vendor's. A
conversation is only ever cut between two turns, never inside one and never between a call and its
result, so that what is left is legal by the rules of sessions/transcript. Knows no store, no model and
no clock.
"""

from collections.abc import Iterable, Sequence

from msgspec import UNSET

from openclaw_gateway.config.schema import Compaction
from openclaw_gateway.sessions.store import Entry
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Message,
    Reasoning,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from openclaw_gateway.wire.run import ToolSpec

# What a provider that does not say is taken to have; the older systems' default.
DEFAULT_WINDOW = 200_000
# What roles and separators cost, and an image, whatever its size in bytes; a file beside its bytes.
_PER_MESSAGE = 4
_PER_IMAGE = 1_200
_FILE_BYTES_A_TOKEN = 256
# A summary must stand for at least this part of the window.
_WORTH_IT = 16


def text_tokens(text: str) -> int:
    """About how many tokens a text is."""
    if text.isascii():
        return (len(text) + 3) >> 2
    # Scripts with more bytes per character also have more tokens per character.
    return (len(text.encode("utf-8", "surrogatepass")) + 3) >> 2


def message_tokens(message: Message) -> int:
    """About how many tokens a message is for a model."""
    size = _PER_MESSAGE + text_tokens(message.content)
    if type(message) is AssistantMessage:
        for part in message.parts:
            if type(part) is ToolCall:
                size += _PER_MESSAGE + text_tokens(part.name) + text_tokens(part.arguments)
            elif type(part) is Reasoning:
                size += text_tokens(part.text)
            if part.payload is not UNSET:
                size += (len(memoryview(part.payload)) + 3) >> 2
    elif type(message) is UserMessage:
        size += _PER_IMAGE * len(message.images)
        if message.files:
            size += sum(map(_file_tokens, message.files))
    elif type(message) is ToolMessage:
        size += _PER_IMAGE * len(message.images)
    return size


def _file_tokens(file: File) -> int:
    # A model that takes it as it is reads its text too.
    raw = 0 if file.text else len(file.data) or file.size
    return _PER_IMAGE + text_tokens(file.text) + raw // _FILE_BYTES_A_TOKEN


def conversation_tokens(messages: Iterable[Message]) -> int:
    return sum(map(message_tokens, messages))


def fixed_tokens(system: str, tools: Iterable[ToolSpec]) -> int:
    """What the instructions and the tools take in every call."""
    size = text_tokens(system)
    for tool in tools:
        # Schemas are JSON in ASCII, or near enough.
        size += _PER_MESSAGE + text_tokens(tool.name) + text_tokens(tool.description)
        size += (len(memoryview(tool.parameters)) + 3) >> 2
    return size


def reserve(window: int, settings: Compaction) -> int:
    """Tokens kept free for the answer: as configured, but at most a quarter of the window."""
    return min(max(settings.reserve_tokens, settings.reserve_tokens_floor), window // 4)


def fits(used_tokens: int, window: int, settings: Compaction) -> bool:
    """Whether the conversation leaves room for an answer."""
    return used_tokens <= window - reserve(window, settings)


def plan_compaction(
    entries: Sequence[Entry], used_tokens: int, window: int, settings: Compaction, *, fixed_tokens: int = 0
) -> int | None:
    """`covers_to_seq` of the summary to make; None = not needed, or nothing to be won by it.

    `used_tokens` is everything the model would be sent, with its instructions and tools, which take
    `fixed_tokens` of it. The newest turns stay, about `keep_recent_tokens` of them (at most a third of
    what conversations have room for, so that turns pass until the next summary), and always the newest
    one: a client that resends its history is recognised by it. Only when that turn alone is more than the
    window has room for is everything summarised. Where the instructions and tools take most of the window,
    a summary of a few messages would win nothing and cost a call in every run.
    """
    if not settings.enabled or fits(used_tokens, window, settings):
        return None
    room = window - reserve(window, settings)
    covered = _covered(entries, room, min(settings.keep_recent_tokens, (room - fixed_tokens) // 3))
    won = conversation_tokens(entry.message for entry in entries[:covered])
    if not covered or won < window // _WORTH_IT:
        return None
    return entries[covered - 1].seq


def plan_now(
    entries: Sequence[Entry], window: int, settings: Compaction, *, fixed_tokens: int = 0
) -> int | None:
    """The same where somebody wants it though there is room yet: the newest turns stay, a third of it at
    most, and always the newest one. None = there is nothing before that."""
    room = window - reserve(window, settings)
    whole = conversation_tokens(entry.message for entry in entries)
    keep = min(settings.keep_recent_tokens, (room - fixed_tokens) // 3, whole // 3)
    covered = _covered(entries, room, keep)
    return entries[covered - 1].seq if covered else None


def _covered(entries: Sequence[Entry], room: int, keep: int) -> int:
    """How many of the entries the summary stands for; 0 = none."""
    best = 0
    kept = 0
    for index in range(len(entries) - 1, 0, -1):
        kept += message_tokens(entries[index].message)
        if not _turn_begins(entries, index):
            continue
        if kept > (keep if best else room):
            break
        best = index
    if best or not entries or awaits_results(entries):
        return best
    return len(entries) if kept + message_tokens(entries[0].message) > room else 0


def _turn_begins(entries: Sequence[Entry], index: int) -> bool:
    """Whether the entry is the first of a run's turn and answers nothing that stands before it."""
    entry = entries[index]
    return entry.run_id != entries[index - 1].run_id and not isinstance(entry.message, ToolMessage)


def awaits_results(entries: Sequence[Entry]) -> bool:
    """Whether the client may still bring results for the last calls."""
    for entry in reversed(entries):
        if not isinstance(entry.message, ToolMessage):
            return isinstance(entry.message, AssistantMessage) and bool(entry.message.tool_calls)
    return False

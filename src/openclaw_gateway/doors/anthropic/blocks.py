"""Turns of Anthropic's API to our messages.

Pure. A turn is a text, or blocks: text, images and documents, calls and results of tools, thoughts. Results
are the user's there and messages of their own here; they come before what the user says, as that API wants
it. What the vendor's own tools left behind is skipped and named.
Source: platform.claude.com/docs/en/api/messages.
"""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from openclaw_gateway.doors.openai.files import NamedFile, file_of
from openclaw_gateway.doors.openai.files import check_count as check_files
from openclaw_gateway.doors.openai.images import check_count, image_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.wire.decode import DecodeError, decode
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
    media_of,
)

T = TypeVar("T")
MAX_MESSAGES = 10_000
MAX_CALLS = 128


class Block(Struct, frozen=True):
    """A block as it comes; unknown fields (cache_control, citations, a caller) are ignored. What depends on
    its type is decoded when that is known."""

    type: str
    text: str | None = None
    thinking: str | None = None
    title: str | None = None
    context: str | None = None
    source: Raw | UnsetType = UNSET
    content: Raw | UnsetType = UNSET
    id: str | None = None
    name: str | None = None
    input: Raw | UnsetType = UNSET
    tool_use_id: str | None = None
    tool_name: str | None = None
    is_error: bool | None = None


class Turn(Struct, frozen=True):
    role: str
    content: str | list[Block] | None = None


class _Source(Struct, frozen=True):
    """Of an image or a document."""

    type: str
    url: str | None = None
    media_type: str | None = None
    data: str | None = None
    content: Raw | UnsetType = UNSET


class Conversation(Struct, frozen=True):
    """`told` is what turns with the role system say; `skipped` names the types of blocks that had no
    effect; `brings`: there is more than text in it."""

    told: str
    messages: tuple[Message, ...]
    skipped: tuple[str, ...]
    brings: bool


TURNS = msgspec.json.Decoder(list[Turn])
_CONTENT = msgspec.json.Decoder(str | list[Block] | None)
_SOURCE = msgspec.json.Decoder(_Source)
_LINK = msgspec.json.Decoder(str)
_OBJECT = msgspec.json.Decoder(dict[str, Raw])
# Without an effect, and without a loss: nothing of ours can be in them.
_SEALED = {"redacted_thinking"}


def conversation_of(sent: Sequence[Turn]) -> Conversation:
    """Raises InvalidRequest naming the block."""
    if len(sent) > MAX_MESSAGES:
        raise InvalidRequest(
            f"`messages` may hold at most {MAX_MESSAGES:,} messages: send the newest ones.", param="messages"
        )
    told: list[str] = []
    messages: list[Message] = []
    called: dict[str, str] = {}
    skipped: dict[str, None] = {}
    for index, turn in enumerate(sent):
        where = f"messages[{index}]"
        match turn.role:
            case "user":
                messages += _user(turn, where, called)
            case "assistant":
                said = _assistant(turn, where, skipped)
                called.update((call.id, call.name) for call in said.tool_calls)
                messages.append(said)
            case "system":
                told.append(_read(turn.content, f"{where}.content").text)
            case role:
                raise InvalidRequest(
                    f"`{where}.role`: {role[:40]!r} is no role. Use user, assistant or system; instructions "
                    "go into `system`.",
                    param=f"{where}.role",
                )
    brings = any(map(media_of, messages))
    return Conversation("\n\n".join(filter(None, told)), tuple(messages), tuple(skipped), brings)


class _Read(Struct, frozen=True):
    """What a content says, and brings."""

    text: str = ""
    images: tuple[Image, ...] = ()
    files: tuple[File, ...] = ()


def _user(turn: Turn, where: str, called: dict[str, str]) -> list[Message]:
    content = turn.content
    if content is None or isinstance(content, str):
        return [UserMessage(content or "")]
    results: list[Message] = []
    answered: set[str] = set()
    said: list[tuple[int, Block]] = []
    for index, block in enumerate(content):
        if block.type == "tool_result":
            here = f"{where}.content[{index}]"
            result = _result(block, here, called)
            _check_new(result.tool_call_id, answered, here, "each `tool_use` must have a single result")
            results.append(result)
        else:
            said.append((index, block))
    if results and not said:
        return results
    read = _read_blocks(said, f"{where}.content")
    return [*results, UserMessage(read.text, images=read.images, files=read.files)]


def _result(block: Block, where: str, called: dict[str, str]) -> ToolMessage:
    if not block.tool_use_id:
        raise InvalidRequest(
            f"`{where}.tool_use_id` is missing: a result names the call it answers.",
            param=f"{where}.tool_use_id",
        )
    read = _Read()
    if block.content is not UNSET:
        read = _read(_decoded(_CONTENT, block.content, f"{where}.content"), f"{where}.content")
    if read.files:
        raise _unsupported(where, "files in results are not accepted: send their text")
    return ToolMessage(
        block.tool_use_id,
        read.text,
        called.get(block.tool_use_id),
        is_error=bool(block.is_error),
        images=read.images,
    )


def _assistant(turn: Turn, where: str, skipped: dict[str, None]) -> AssistantMessage:
    content = turn.content
    if content is None or isinstance(content, str):
        return AssistantMessage((Text(content),) if content else ())
    parts: list[Part] = []
    ids: set[str] = set()
    for index, block in enumerate(content):
        match block.type:
            case "text":
                if block.text:
                    parts.append(Text(block.text))
            case "thinking":
                if block.thinking:
                    parts.append(Reasoning(block.thinking))
            case "tool_use":
                here = f"{where}.content[{index}]"
                call = _call(block, here)
                _check_new(call.id, ids, here, "`tool_use` ids must be unique")
                parts.append(call)
            case kind if kind not in _SEALED:
                skipped[kind] = None
            case _:
                pass
    if sum(type(part) is ToolCall for part in parts) > MAX_CALLS:
        raise InvalidRequest(f"`{where}.content` may hold at most {MAX_CALLS} calls.", param=where)
    return AssistantMessage(tuple(parts))


def _call(block: Block, where: str) -> ToolCall:
    if not block.id or not block.name:
        raise InvalidRequest(f"`{where}`: a tool_use block has an `id` and a `name`.", param=where)
    if block.input is UNSET or bytes(block.input) == b"null":
        return ToolCall(block.id, block.name, "{}")
    _decoded(_OBJECT, block.input, f"{where}.input")
    return ToolCall(block.id, block.name, bytes(block.input).decode())


def _check_new(id_: str, there: set[str], where: str, rule: str) -> None:
    """Within a turn: from one to the next many models use the same ids again. Raises InvalidRequest."""
    if id_ in there:
        raise InvalidRequest(f"`{where}`: {rule}, and this turn has {id_[:80]!r} twice.", param=where)
    there.add(id_)


def _read(content: str | list[Block] | None, where: str) -> _Read:
    if content is None or isinstance(content, str):
        return _Read(content or "")
    return _read_blocks(list(enumerate(content)), where)


def _read_blocks(blocks: Sequence[tuple[int, Block]], where: str) -> _Read:
    texts: list[str] = []
    images: list[Image] = []
    files: list[File] = []
    for index, block in blocks:
        here = f"{where}[{index}]"
        match block.type:
            case "text":
                texts.append(block.text or "")
            case "image":
                images.append(_image(block, here))
            case "document":
                read = _document(block, here)
                texts += [read.text] if read.text else []
                images += read.images
                files += read.files
            case "search_result":
                texts.append(_found(block, here))
            case "tool_reference":
                texts.append(f"[tool: {block.tool_name or ''}]")
            case kind:
                raise _unsupported(here, f"blocks of type {kind[:40]!r} are not accepted")
    check_count(len(images))
    check_files(len(files), where)
    return _Read("\n".join(texts), tuple(images), tuple(files))


def _image(block: Block, where: str) -> Image:
    source = _source(block, where)
    match source.type:
        case "base64":
            return image_of(f"data:{source.media_type or ''};base64,{source.data or ''}", f"{where}.source")
        case "url":
            return image_of(source.url or "", f"{where}.source")
        case kind:
            raise _unsupported(where, f"images by {kind[:40]!r} are not accepted: send the image as base64")


def _document(block: Block, where: str) -> _Read:
    """Its text, in a frame that says what it is; or the file."""
    source = _source(block, where)
    if source.type in {"base64", "url"}:
        url = f"data:{source.media_type or ''};base64,{source.data or ''}"
        data = url if source.type == "base64" else None
        named = NamedFile(data, file_url=source.url, filename=block.title)
        return _Read(files=(file_of(named, where),))
    if source.type == "text":
        read = _Read(source.data or "")
    elif source.type == "content" and source.content is not UNSET:
        inside = f"{where}.source.content"
        read = _read(_decoded(_CONTENT, source.content, inside), inside)
    else:
        what = f"documents by {source.type[:40]!r} ({str(source.media_type)[:40]}) are not accepted"
        raise _unsupported(where, f"{what}: send their text, as source type text")
    head = "".join(f"{line}\n" for line in (block.title, block.context) if line)
    return _Read(f"<document>\n{head}{read.text}\n</document>", read.images, read.files)


def _found(block: Block, where: str) -> str:
    link = "" if block.source is UNSET else _decoded(_LINK, block.source, f"{where}.source")
    read = _Read()
    if block.content is not UNSET:
        read = _read(_decoded(_CONTENT, block.content, f"{where}.content"), f"{where}.content")
    return "\n".join(filter(None, (block.title, link, read.text)))


def _source(block: Block, where: str) -> _Source:
    if block.source is UNSET:
        raise InvalidRequest(f"`{where}.source` is required.", param=f"{where}.source")
    return _decoded(_SOURCE, block.source, f"{where}.source")


def _decoded(decoder: msgspec.json.Decoder[T], raw: Raw, where: str) -> T:
    try:
        return decode(decoder, raw)
    except DecodeError as error:
        dot = "." if error.path and not error.path.startswith("[") else ""
        path = f"{where}{dot}{error.path}"
        raise InvalidRequest(f"`{path}`: {error.reason}.", param=path) from None


def _unsupported(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="unsupported_content_part", param=where)

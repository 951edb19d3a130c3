"""Whether a message that a client sends again is the one that is stored.

Pure. White space, reasoning and the way in which JSON is written tell nothing. A text of a file that a front
end puts before a message once, when it is new, and not when it resends it, is no difference.
"""

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    M,
    Media,
    Message,
    ToolMessage,
    UserMessage,
    WithImages,
    media_of,
)

_HEAD = 256  # characters that tell most texts apart
# What Open WebUI puts around the text of files, before what was typed (its RAG_TEMPLATE).
_CONTEXT_BEGINS, _CONTEXT_ENDS = "### Task:", "</context>"


def same(ours: Message, theirs: Message, *, is_exact: bool = False) -> bool:
    """Whether both say the same, as far as a client resends it; `theirs` is `known_by_content`. With
    `is_exact` it resends images and files too: none of them means that they were taken out."""
    if ours == theirs:
        return True
    if isinstance(ours, AssistantMessage):
        return isinstance(theirs, AssistantMessage) and _same_answer(ours, theirs)
    if isinstance(ours, UserMessage):
        return (
            isinstance(theirs, UserMessage)
            and ours.name == theirs.name
            and (_same_text(ours.content, theirs.content) or _same_typed(ours.content, theirs.content))
            and _same_media(ours, theirs, is_exact=is_exact)
        )
    if isinstance(ours, ToolMessage):
        return (
            isinstance(theirs, ToolMessage)
            and ours.tool_call_id == theirs.tool_call_id
            and _same_text(ours.content, theirs.content)
            and _same_media(ours, theirs, is_exact=is_exact)
        )
    return False


def known_by_content(sent: Sequence[Message], stored: Sequence[Message]) -> Sequence[Message]:
    """`sent` for comparing: where something stored is known by its digest, each image and file has one too,
    made once for however many comparisons."""
    if not any(one.digest for message in stored for one in media_of(message)):
        return sent
    sizes = {one.size for message in stored for one in media_of(message) if one.digest}

    def named(one: M) -> M:
        if one.digest or len(one.data) not in sizes:
            return one
        return replace(one, digest=hashlib.sha256(one.data.encode("ascii", "replace")).hexdigest())

    def known(message: Message) -> Message:
        if isinstance(message, WithImages) and message.images:
            message = replace(message, images=tuple(map(named, message.images)))
        if isinstance(message, UserMessage) and message.files:
            message = replace(message, files=tuple(map(named, message.files)))
        return message

    return [known(message) for message in sent]


def _same_media(ours: Message, theirs: Message, *, is_exact: bool) -> bool:
    """What is not to be had, now or then, tells nothing; nor does who sends none of them again."""
    kept, sent = media_of(ours), media_of(theirs)
    if not sent:
        return not (is_exact and kept)
    if len(kept) != len(sent):
        return False
    if all(map(_same_content, kept, sent)):
        return True
    # A file that turned out to be an image stands among the images, unless it is not to be had.
    return (len(_images(ours)) != len(_images(theirs))) and not all(map(_is_there, (*kept, *sent)))


def _images(message: Message) -> Sequence[Media]:
    return message.images if isinstance(message, WithImages) else ()


def _is_there(one: Media) -> bool:
    return bool(one.data or one.digest or (isinstance(one, File) and one.text))


def _same_content(ours: Media, theirs: Media) -> bool:
    if not _is_there(ours) or not _is_there(theirs):
        return True
    if ours.digest:
        return ours.digest == theirs.digest
    if not ours.data and isinstance(ours, File):
        return isinstance(theirs, File) and ours.text == theirs.text
    return ours.data == theirs.data


def _same_answer(ours: AssistantMessage, theirs: AssistantMessage) -> bool:
    """Reasoning and names are not resent; the arguments of calls are, but as JSON written anew."""
    if len(ours.tool_calls) != len(theirs.tool_calls):
        return False
    for call, other in zip(ours.tool_calls, theirs.tool_calls, strict=True):
        if call.id != other.id or call.name != other.name:
            return False
    if ours.aborted:
        return _one_begins_the_other(ours.content, theirs.content)
    return _same_text(ours.content, theirs.content)


def _same_typed(ours: str, theirs: str) -> bool:
    """Whether ours is theirs behind the text of files."""
    if not ours.startswith(_CONTEXT_BEGINS) or theirs.startswith(_CONTEXT_BEGINS):
        return False
    _, end, typed = ours.rpartition(_CONTEXT_ENDS)
    return bool(end) and _same_text(typed.strip(), theirs.strip())


def _same_text(ours: str, theirs: str) -> bool:
    """Equal but for white space. Most texts that differ do so early, and are told apart there."""
    if ours == theirs:
        return True
    first, other_first = ours[:1], theirs[:1]
    if first != other_first and not first.isspace() and not other_first.isspace():
        return False
    head, other = ours[:_HEAD].split(), theirs[:_HEAD].split()
    whole_words = min(len(head), len(other)) - 1
    if whole_words > 0 and head[:whole_words] != other[:whole_words]:
        return False
    return ours.split() == theirs.split()


def _one_begins_the_other(partial: str, text: str) -> bool:
    """A client may have seen a little more or a little less of an aborted answer than we kept."""
    ours, theirs = " ".join(partial.split()), " ".join(text.split())
    return ours != "" and theirs != "" and (ours.startswith(theirs) or theirs.startswith(ours))

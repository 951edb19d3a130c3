"""What of a conversation a model may be sent: the one place that knows what vendors refuse in a transcript.

Pure, linear, and before every dialect; the transcript itself is never changed. What comes out is always a
legal conversation for the target: every call is answered right after it and no result stands without its
call, nothing is empty, ids, names and arguments have the vendors' form, payloads go only to the very model
that made them, and where there is an image that the model cannot see, or nobody has, it reads so; of a file
that it does not take it reads the text. What only one dialect's wire asks for (where a system prompt stands,
which role a result has) is not decided here.
"""

import hashlib
import re
import string
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import msgspec
from msgspec import UNSET, Raw
from msgspec.structs import replace

from openclaw_gateway.models.alternation import NOTHING, by_turns
from openclaw_gateway.models.apis.calls import as_object
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.file_types import PDF
from openclaw_gateway.wire.messages import (
    AssistantMessage,
    File,
    Image,
    Message,
    Part,
    SystemMessage,
    Text,
    ToolCall,
    ToolMessage,
    UserMessage,
)

NO_IMAGE = "[An image was here. This model cannot see images.]"
NOT_HAD = "[An image was here. It could not be had.]"

NO_RESULT = "no result was recorded"
_IMAGES_OF_RESULTS = "[Images of the results above]"

# What every vendor takes as the name of a tool, also of one that a model has made up.
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NO_NAME = re.compile(r"[^a-zA-Z0-9_-]+")
_NO_QUOTE = re.compile(r'["<>\x00-\x1f\x7f]+')
_ID_CHARACTERS = string.ascii_letters + string.digits
# Their results are text; what they show goes into a message of the user's.
_BLIND_RESULTS = {"openai-completions", "ollama"}
# A vendor of these refuses reasoning that nothing follows.
_FOLLOWED = {"anthropic-messages", "openai-responses"}

_encode = msgspec.json.Encoder().encode
_is_object = msgspec.json.Decoder(dict[str, Raw]).decode


def replay(messages: Sequence[Message], target: ModelTarget) -> Sequence[Message]:
    """The very same messages where all of them are a user's and nothing has to be changed."""
    family = target.family
    if not family.alternate:
        # Most conversations that are not stored begin and end here.
        for message in messages:
            if type(message) is not UserMessage or message.files or not (message.content or message.images):
                break
            if message.images and not (family.images and all(image.data for image in message.images)):
                break
            if message.name is not None and not family.names:
                break
        else:
            return messages
    made = _Replay(target).of(messages)
    return by_turns(made) if family.alternate else made


class _Replay:
    """One conversation on its way to one target."""

    def __init__(self, target: ModelTarget) -> None:
        self._target = target
        self._made_by = target.made_by
        self._ids = target.family.call_ids
        self._taken: set[str] = set()
        # How many ids have been made of one.
        self._derived: Counter[str] = Counter()
        self._made: list[Message] = []
        # The calls that wait for their results: by the id in the transcript, those that are sent for it.
        self._waiting: dict[str, deque[ToolCall]] = {}
        self._pictures: list[Image] = []

    def of(self, messages: Iterable[Message]) -> list[Message]:
        for message in messages:
            if isinstance(message, ToolMessage):
                self._answer(message)
                continue
            if isinstance(message, SystemMessage):
                # It stands elsewhere in every dialect, and so not between a call and its result.
                self._made.append(message)
                continue
            self._close()
            if isinstance(message, AssistantMessage):
                self._said(message)
            else:
                self._made.append(self._asked(message))
        self._close()
        return self._made

    def _asked(self, message: UserMessage) -> UserMessage:
        name = message.name if self._target.family.names else None
        if not message.images and not message.files:
            if message.content and name is message.name:
                return message
            return UserMessage(message.content or NOTHING, name)
        content, images = self._seen(message.content, message.images)
        content, files = self._read(content, message.files)
        if not content and not images and not files:
            content = NOTHING
        return UserMessage(content, name, images, files)

    def _seen(self, content: str, images: tuple[Image, ...]) -> tuple[str, tuple[Image, ...]]:
        """With a note for each image that this model cannot see, or nobody has."""
        sees = self._target.family.images
        if sees and all(image.data for image in images):
            return content, images
        notes = [NOT_HAD if sees else NO_IMAGE for image in images if not (sees and image.data)]
        had = tuple(image for image in images if sees and image.data)
        return "\n".join(filter(None, [content, *notes])), had

    def _read(self, content: str, files: tuple[File, ...]) -> tuple[str, tuple[File, ...]]:
        """With the text, or a note, of each that is not taken as it is; before what is asked about them."""
        told: list[str] = []
        taken: list[File] = []
        for file in files:
            if file.data and self._takes(file.media_type):
                taken.append(file)
            else:
                told.append(_as_text(file))
        return "\n\n".join(filter(None, [*told, content])), tuple(taken)

    def _takes(self, media_type: str) -> bool:
        family = self._target.family
        return family.pdf if media_type == PDF else family.audio and media_type.startswith("audio/")

    def _said(self, message: AssistantMessage) -> None:
        own = message.made_by == self._made_by
        parts: list[Part] = []
        waiting: list[tuple[str, ToolCall]] = []
        for part in message.parts:
            kept = part if own or part.payload is UNSET else replace(part, payload=UNSET)
            if isinstance(kept, ToolCall):
                if not kept.name.strip():
                    continue
                kept = self._fitted(kept)
                waiting.append((part.id, kept))  # type: ignore[union-attr]
            elif not kept.text and kept.payload is UNSET:
                continue
            parts.append(kept)
        if self._target.api in _FOLLOWED:
            while parts and not isinstance(parts[-1], ToolCall) and not _has_words(parts[-1]):
                parts.pop()
        if not waiting and not any(map(_has_words, parts)):
            return
        for given, call in waiting:
            self._waiting.setdefault(given, deque()).append(call)
        name = message.name if self._target.family.names else None
        self._made.append(replace(message, parts=tuple(parts), name=name))

    def _fitted(self, call: ToolCall) -> ToolCall:
        call_id = self._unique(call.id)
        arguments = call.arguments
        if not _says_object(arguments):
            arguments = _encode(as_object(arguments)).decode()
        name = call.name if _NAME.fullmatch(call.name) else _NO_NAME.sub("_", call.name.strip())[:64]
        if call_id == call.id and arguments is call.arguments and name is call.name:
            return call
        return ToolCall(call_id, name, arguments, call.payload)

    def _unique(self, given: str) -> str:
        """The same id for the same place of a conversation, whenever it is sent: vendors keep prompts."""
        call_id = given
        while call_id in self._taken or not self._ids.fits(call_id):
            call_id = _derived(given, self._derived[given])
            self._derived[given] += 1
        self._taken.add(call_id)
        return call_id

    def _answer(self, result: ToolMessage) -> None:
        calls = self._waiting.get(result.tool_call_id)
        if not calls:
            return
        call = calls.popleft()
        content, images = result.content, result.images
        if images:
            content, images = self._seen(content, images)
        if images and self._target.api in _BLIND_RESULTS:
            self._pictures += images
            content, images = content or _IMAGES_OF_RESULTS, ()
        if not content.strip() and not images:
            content = NOTHING
        answered = ToolMessage(call.id, content, call.name, result.is_error, result.own, images)
        self._made.append(answered)

    def _close(self) -> None:
        """Nothing more answers the calls of the last message."""
        if self._waiting:
            left = [call for calls in self._waiting.values() for call in calls]
            self._made += [ToolMessage(call.id, NO_RESULT, call.name) for call in left]
            self._waiting = {}
        if self._pictures:
            self._made.append(UserMessage(_IMAGES_OF_RESULTS, images=tuple(self._pictures)))
            self._pictures = []


def _as_text(file: File) -> str:
    name = _NO_QUOTE.sub(" ", file.name)[:200].strip()
    if file.text:
        return f'<file name="{name}">\n{file.text}\n</file>'
    if file.media_type.startswith("audio/"):
        return (
            "[A recording was here. This model cannot hear.]"
            if file.data
            else "[A recording was here. It is lost.]"
        )
    named = f' "{name}"' if name else ""
    why = "This model cannot read it." if file.data else "It could not be had."
    return f"[A file{named} was here. {why}]"


def _has_words(part: Part) -> bool:
    return isinstance(part, Text) and bool(part.text.strip())


def _says_object(arguments: str) -> bool:
    try:
        _is_object(arguments)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return False
    return True


def _derived(given: str, again: int) -> str:
    """Nine letters and digits: that fits every form there is."""
    digest = hashlib.sha256(f"{again}:{given}".encode("utf-8", "surrogatepass")).digest()
    return "".join(_ID_CHARACTERS[byte % len(_ID_CHARACTERS)] for byte in digest[:9])

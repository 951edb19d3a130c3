"""What a request brings besides text, as it was sent: what of it has to be had, and what is refused first.

Pure. What is wrong in the newest message is an error; of earlier ones as much is taken as there is room for.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.config.schema import (
    AgentsEndpoint,
    ChatCompletionsEndpoint,
    FilesConfig,
    ImagesConfig,
    Limits,
    MessagesEndpoint,
    ResponsesEndpoint,
)
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.sizes import size_text
from openclaw_gateway.wire.messages import AssistantMessage, File, Image, Message, UserMessage, WithImages

MISSING: Final = Image("")
"""An image that is not to be had: the model reads that there was one."""


class SentImage(Image, frozen=True):
    """An image as a request names it, by the `url` where it is; `where` is its place in the request."""

    url: str = ""
    where: str = ""


class SentFile(File, frozen=True):
    """A file as it was sent, with its data or by the `url` where it is; `media_type` is what it is called."""

    url: str = ""
    where: str = ""


class Terms(Struct, frozen=True):
    """What an endpoint takes. `field` is where a request of its has the conversation, `key` where all this
    stands in the configuration, `most_bytes` how much what is fetched may be together."""

    field: str
    key: str
    images: ImagesConfig
    files: FilesConfig
    max_url_parts: int
    most_bytes: int


class Wanted(Struct, frozen=True):
    """`is_asked`: it belongs to what is asked now."""

    sent: SentImage | SentFile
    is_asked: bool

    @property
    def where(self) -> str:
        return self.sent.where


def terms_of(
    endpoint: ChatCompletionsEndpoint | ResponsesEndpoint | MessagesEndpoint | AgentsEndpoint, limits: Limits
) -> Terms:
    field, name = "messages", "chatCompletions"
    if isinstance(endpoint, ResponsesEndpoint):
        field, name = "input", "responses"
    elif isinstance(endpoint, MessagesEndpoint):
        name = "messages"
    elif isinstance(endpoint, AgentsEndpoint):
        field, name = "input", "agents"
    key = f"gateway.http.endpoints.{name}"
    return Terms(field, key, endpoint.images, endpoint.files, endpoint.max_url_parts, limits.max_body_bytes)


def wanted_of(messages: Sequence[Message], terms: Terms, *, sees: bool) -> dict[str, Wanted]:
    """What has to be had, by its key, the newest first; images only for models that see.

    Raises InvalidRequest for what is asked now and is not taken.
    """
    now = _asked_now(messages)
    wanted: dict[str, Wanted] = {}
    urls = 0
    for place in range(len(messages) - 1, -1, -1):
        is_asked = place in now
        if is_asked:
            _check_given(messages[place], terms)
        for sent in sent_of(messages[place]):
            key = key_of(sent)
            if key in wanted or (isinstance(sent, SentImage) and not sees):
                continue
            if sent.url:
                if is_asked:
                    _check_url(sent, urls, terms)
                elif not rules_of(sent, terms).allow_url or urls >= terms.max_url_parts:
                    continue
                urls += 1
            wanted[key] = Wanted(sent, is_asked)
    return wanted


def with_had(message: Message, had: Mapping[str, Image | File]) -> Message:
    """The message with what was had of it; a file that is an image is among the images."""
    if not isinstance(message, WithImages) or not any(sent_of(message)):
        return message
    images = [
        had.get(key_of(image), MISSING) if isinstance(image, SentImage) else image for image in message.images
    ]
    files = list[File]()
    for file in message.files if isinstance(message, UserMessage) else ():
        found = file
        if isinstance(file, SentFile):
            found = had.get(key_of(file), File(file.media_type, name=file.name))  # type: ignore[assignment]
        if isinstance(found, File):
            files.append(found)
        else:
            images.append(found)
    seen = tuple(image for image in images if isinstance(image, Image))
    if isinstance(message, UserMessage):
        return replace(message, images=seen, files=tuple(files))
    return replace(message, images=seen)


def sent_of(message: Message) -> list[SentImage | SentFile]:
    """What of a message still has to be had."""
    if not isinstance(message, WithImages):
        return []
    sent: list[SentImage | SentFile] = [one for one in message.images if isinstance(one, SentImage)]
    if isinstance(message, UserMessage):
        sent += [one for one in message.files if isinstance(one, SentFile)]
    return sent


def key_of(sent: SentImage | SentFile) -> str:
    """The same for what is the same."""
    kind = "image" if isinstance(sent, SentImage) else f"file {sent.name}"
    return f"{kind} {sent.url or sent.where}"


def rules_of(sent: SentImage | SentFile, terms: Terms) -> ImagesConfig | FilesConfig:
    return terms.images if isinstance(sent, SentImage) else terms.files


def refused(sent: SentImage | SentFile, why: str) -> InvalidRequest:
    code = "invalid_image" if isinstance(sent, SentImage) else "invalid_file"
    return InvalidRequest(f"`{sent.where}`: {why}.", code=code, param=sent.where)


def image_type_closed(kind: str, rules: ImagesConfig) -> str:
    return f"images of type {kind} are not taken here, only {', '.join(rules.allowed_mimes)}"


def _asked_now(messages: Sequence[Message]) -> frozenset[int]:
    """Places of the messages that are asked about now: behind the last answer the newest of the user's, and
    results."""
    places: set[int] = set()
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        if isinstance(message, AssistantMessage):
            break
        places.add(place)
        if isinstance(message, UserMessage):
            break
    return frozenset(places)


def _check_given(message: Message, terms: Terms) -> None:
    """Raises InvalidRequest for an image in the request itself that the configuration does not take."""
    rules = terms.images
    for image in message.images if isinstance(message, WithImages) else ():
        if isinstance(image, SentImage):
            continue
        why = None
        if image.media_type not in rules.allowed_mimes:
            why = image_type_closed(image.media_type, rules)
        elif len(image.data) * 3 // 4 > rules.max_bytes:
            why = f"an image is larger than {size_text(rules.max_bytes)}"
        if why is not None:
            raise InvalidRequest(f"`{terms.field}`: {why}.", code="invalid_image", param=terms.field)


def _check_url(sent: SentImage | SentFile, before: int, terms: Terms) -> None:
    """Raises InvalidRequest."""
    if not rules_of(sent, terms).allow_url:
        what, field, instead = (
            ("image", "images", "the image as a data URL (base64)")
            if isinstance(sent, SentImage)
            else ("file", "files", "what is in it within the request (base64)")
        )
        raise refused(
            sent,
            f"{what} URLs are not fetched: send {instead}, or have the operator set "
            f"{terms.key}.{field}.allowUrl to true",
        )
    if before >= terms.max_url_parts:
        raise InvalidRequest(
            f"`{sent.where}`: at most {terms.max_url_parts} URLs are fetched for a request "
            f"({terms.key}.maxUrlParts). Send the others as data URLs (base64).",
            code="too_many_urls",
            param=sent.where,
        )

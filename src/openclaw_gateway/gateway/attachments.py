"""What a request brings besides text, taken in before its run begins: fetched, known by its content, bounded.

What is wrong in the newest message is an error that says what to do. What is wrong in an earlier one costs
itself: clients resend what they once sent, and the conversation goes on without it. Knows no dialect; whether
a model can take what is taken in is decided in `models/replay`.
"""

import asyncio
import base64
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from openclaw_gateway.config.schema import (
    ChatCompletionsEndpoint,
    ImagesConfig,
    Limits,
    MessagesEndpoint,
    ResponsesEndpoint,
)
from openclaw_gateway.errors import GatewayError, InvalidRequest, Overloaded, ToolError
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.web.addresses import NotReached
from openclaw_gateway.tools.web.fetching import Fetcher, FetchLimits, Page
from openclaw_gateway.wire.image_types import image_type
from openclaw_gateway.wire.messages import AssistantMessage, Image, Message, UserMessage, WithImages
from openclaw_gateway.work.slots import Slots

MISSING: Final = Image("")
"""An image that is not to be had: the model reads that there was one."""

_AT_ONCE = 16
_AT_ONCE_OF_A_REQUEST = 4
_WAIT_S = 20.0
# What is smaller is encoded in less time than a thread costs.
_LARGE = 256 << 10

# Is told how many more bytes a request holds. Raises Overloaded.
Hold = Callable[[int], None]


class SentImage(Image, frozen=True):
    """An image as a request names it, by the `url` where it is; `where` is its place in the request."""

    url: str = ""
    where: str = ""


class Terms(Struct, frozen=True):
    """What an endpoint takes. `field` is where a request of its has the conversation, `key` where all this
    stands in the configuration, `most_bytes` how much what is fetched may be together."""

    field: str
    key: str
    images: ImagesConfig
    max_url_parts: int
    most_bytes: int


def terms_of(
    endpoint: ChatCompletionsEndpoint | ResponsesEndpoint | MessagesEndpoint, limits: Limits
) -> Terms:
    field, name = "messages", "chatCompletions"
    if isinstance(endpoint, ResponsesEndpoint):
        field, name = "input", "responses"
    elif isinstance(endpoint, MessagesEndpoint):
        name = "messages"
    key = f"gateway.http.endpoints.{name}"
    return Terms(field, key, endpoint.images, endpoint.max_url_parts, limits.max_body_bytes)


class Attachments:
    """For all requests: so many fetches at once, and so many of one request."""

    def __init__(self, fetcher: Fetcher, jobs: Performer) -> None:
        self.fetcher = fetcher
        self._jobs = jobs
        self._slots = Slots(_AT_ONCE, _AT_ONCE_OF_A_REQUEST)
        self._numbers = itertools.count(1)

    async def take_in(
        self, messages: Sequence[Message], targets: Sequence[ModelTarget], terms: Terms, hold: Hold
    ) -> tuple[Message, ...]:
        """The messages with all that they bring, for models of which some may be `targets`.

        Raises InvalidRequest naming the part, Overloaded.
        """
        now = _asked_now(messages)
        _check_given(messages, now, terms)
        wanted = _wanted(messages, now, terms) if any(each.family.images for each in targets) else {}
        request = f"request {next(self._numbers)}"
        room = _Room(terms, hold)
        # Newest first, as they are wanted; each ends by itself, with what went wrong as its result.
        found = await asyncio.gather(*(self._fetched(one, terms, room, request) for one in wanted.values()))
        had: dict[str, Image] = {}
        for one, result in zip(wanted.values(), found, strict=True):
            if isinstance(result, Image):
                had[one.url] = result
            elif isinstance(result, Overloaded) or one.is_asked:
                raise result
        return tuple(_with(each, had) for each in messages)

    async def _fetched(
        self, one: "_Wanted", terms: Terms, room: "_Room", request: str
    ) -> Image | GatewayError:
        try:
            page = await self._page(one, terms, request)
            room.take(one, page)
            kind = image_type(page.body)
            if kind is None:
                raise _refused(one.where, f"what is there is no image but {_said_type(page)}")
            if kind not in terms.images.allowed_mimes:
                raise _refused(one.where, _type_closed(kind, terms.images))
            return Image(kind, await self._text_of(page.body, request))
        except (InvalidRequest, Overloaded) as error:
            return error

    async def _page(self, one: "_Wanted", terms: Terms, request: str) -> Page:
        rules = terms.images
        limits = FetchLimits(
            max_bytes=rules.max_bytes,
            max_redirects=rules.max_redirects,
            timeout_s=rules.timeout_ms / 1000,
            hosts=rules.url_allowlist,
            accept="image/png,image/jpeg,image/webp,image/gif;q=0.9,*/*;q=0.1",
        )
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._slots.take(request)
        except TimeoutError:
            raise Overloaded(
                "The gateway is fetching for too many requests already. Try again in a moment.", retry_after=2
            ) from None
        try:
            page = await self.fetcher.fetch(one.url, limits)
        except NotReached:
            # Which of the two it is would tell an outsider what there is inside.
            raise _unfetched(
                one.where, "its host is not on the public internet, or does not answer"
            ) from None
        except ToolError as error:
            raise _unfetched(one.where, str(error).rstrip(".")) from None
        finally:
            self._slots.give(request)
        if page.cut:
            raise _unfetched(one.where, f"it is larger than {_mb(rules.max_bytes)}")
        return page

    async def _text_of(self, body: bytes, request: str) -> str:
        """In base64."""
        if len(body) <= _LARGE:
            return base64.b64encode(body).decode("ascii")
        return await self._jobs.on_thread(lambda: base64.b64encode(body).decode("ascii"), request)


class _Wanted(Struct, frozen=True):
    """`is_asked`: it belongs to what is asked now."""

    url: str
    where: str
    is_asked: bool


class _Room:
    """How much one request may still fetch."""

    def __init__(self, terms: Terms, hold: Hold) -> None:
        self._most = self._left = terms.most_bytes
        self._hold = hold

    def take(self, one: _Wanted, page: Page) -> None:
        """Raises InvalidRequest, Overloaded."""
        size = len(page.body) * 4 // 3
        self._left -= size
        if self._left < 0:
            raise _unfetched(one.where, f"all that this request names is more than {_mb(self._most)}")
        self._hold(size)


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


def _check_given(messages: Sequence[Message], now: Iterable[int], terms: Terms) -> None:
    """Raises InvalidRequest for an image in the request itself that the configuration does not take."""
    rules = terms.images
    for place in now:
        message = messages[place]
        for image in message.images if isinstance(message, WithImages) else ():
            if isinstance(image, SentImage):
                continue
            if image.media_type not in rules.allowed_mimes:
                raise _refused(terms.field, _type_closed(image.media_type, rules))
            if len(image.data) * 3 // 4 > rules.max_bytes:
                raise _refused(terms.field, f"an image is larger than {_mb(rules.max_bytes)}")


def _wanted(messages: Sequence[Message], now: frozenset[int], terms: Terms) -> dict[str, _Wanted]:
    """What is to be fetched, by its URL, the newest first. Of earlier messages as much as there is room for.

    Raises InvalidRequest for what is asked now and may not be fetched.
    """
    wanted: dict[str, _Wanted] = {}
    for place in range(len(messages) - 1, -1, -1):
        message = messages[place]
        for image in message.images if isinstance(message, WithImages) else ():
            if not isinstance(image, SentImage) or image.url in wanted:
                continue
            if place in now:
                _check_asked(image, len(wanted), terms)
            elif not terms.images.allow_url or len(wanted) >= terms.max_url_parts:
                continue
            wanted[image.url] = _Wanted(image.url, image.where, place in now)
    return wanted


def _check_asked(image: SentImage, before: int, terms: Terms) -> None:
    if not terms.images.allow_url:
        raise _refused(
            image.where,
            "image URLs are not fetched: send the image as a data URL (base64), or have the operator set "
            f"{terms.key}.images.allowUrl to true",
        )
    if before >= terms.max_url_parts:
        raise InvalidRequest(
            f"`{image.where}`: at most {terms.max_url_parts} URLs are fetched for a request "
            f"({terms.key}.maxUrlParts). Send the others as data URLs (base64).",
            code="too_many_urls",
            param=image.where,
        )


def _with(message: Message, had: dict[str, Image]) -> Message:
    if not isinstance(message, WithImages) or not any(isinstance(each, SentImage) for each in message.images):
        return message
    return replace(
        message,
        images=tuple(
            had.get(each.url, MISSING) if isinstance(each, SentImage) else each for each in message.images
        ),
    )


def _said_type(page: Page) -> str:
    return page.media_type[:100] or "something else"


def _type_closed(kind: str, rules: ImagesConfig) -> str:
    return f"images of type {kind} are not taken here, only {', '.join(rules.allowed_mimes)}"


def _unfetched(where: str, why: str) -> InvalidRequest:
    return _refused(where, f"the image could not be fetched: {why}. Send it as a data URL (base64)")


def _refused(where: str, why: str) -> InvalidRequest:
    return InvalidRequest(f"`{where}`: {why}.", code="invalid_image", param=where)


def _mb(size: int) -> str:
    return f"{size / (1 << 20):.3g} MB"

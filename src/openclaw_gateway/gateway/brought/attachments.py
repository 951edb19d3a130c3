"""What a request brings besides text, taken in before its run begins: fetched, known by its content, bounded.

What is wrong in the newest message is an error that says what to do. What is wrong in an earlier one costs
itself: clients resend what they once sent, and the conversation goes on without it. Knows no dialect; whether
a model can take what is taken in is decided in `models/replay`.
"""

import asyncio
import base64
import hashlib
import itertools
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from openclaw_gateway.errors import GatewayError, InvalidRequest, Overloaded, ToolError
from openclaw_gateway.gateway.brought.file_text import is_text, kind_of, text_file
from openclaw_gateway.gateway.brought.sent import (
    SentFile,
    SentImage,
    Terms,
    Wanted,
    image_type_closed,
    refused,
    rules_of,
    wanted_of,
    with_had,
)
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.sizes import size_text
from openclaw_gateway.tools.files.jobs.orders import Pages
from openclaw_gateway.tools.files.jobs.perform import Crowded, Performer, TookTooLong
from openclaw_gateway.tools.web.addresses import NotReached
from openclaw_gateway.tools.web.fetched import FetchLimits, Page
from openclaw_gateway.tools.web.fetching import Fetcher
from openclaw_gateway.tools.web.recent import RecentPages
from openclaw_gateway.wire.file_types import PDF
from openclaw_gateway.wire.image_types import image_type
from openclaw_gateway.wire.messages import File, Image, Message
from openclaw_gateway.work.slots import Slots

_AT_ONCE = 16
_AT_ONCE_OF_A_REQUEST = 4
_WAIT_S = 20.0
# What is smaller is worked on in less time than a thread costs.
_LARGE = 256 << 10
# Clients without a session send a PDF again with each question about it.
_READ_AGAIN_S = 900.0
_WANTED = {
    SentImage: "image/png,image/jpeg,image/webp,image/gif;q=0.9,*/*;q=0.1",
    SentFile: "application/pdf,text/*,*/*;q=0.5",
}

T = TypeVar("T")
# Is told how many more bytes a request holds. Raises Overloaded.
Hold = Callable[[int], None]


class Attachments:
    """For all requests: so many fetches at once, and so many of one request."""

    def __init__(self, fetcher: Fetcher, jobs: Performer) -> None:
        self.fetcher = fetcher
        self._jobs = jobs
        self._slots = Slots(_AT_ONCE, _AT_ONCE_OF_A_REQUEST)
        self._numbers = itertools.count(1)
        self._read = RecentPages(ttl_s=_READ_AGAIN_S, now=time.monotonic)

    async def take_in(
        self, messages: Sequence[Message], targets: Sequence[ModelTarget], terms: Terms, hold: Hold
    ) -> tuple[Message, ...]:
        """The messages with all that they bring, for models of which some may be `targets`.

        Raises InvalidRequest naming the part, Overloaded.
        """
        wanted = wanted_of(messages, terms, sees=any(each.family.images for each in targets))
        means = _Means(self.fetcher, self._jobs, self._slots, self._read, f"request {next(self._numbers)}")
        taking = _TakingIn(means, terms, hold, reads_pdfs=not all(each.family.pdf for each in targets))
        had: dict[str, Image | File] = {}
        # What was sent earlier has the room that what is asked now leaves.
        for is_asked in (True, False):
            turn = {key: one for key, one in wanted.items() if one.is_asked is is_asked}
            # Each ends by itself, with what went wrong as its result.
            found = await asyncio.gather(*map(taking.had, turn.values()))
            for key, result in zip(turn, found, strict=True):
                if not isinstance(result, GatewayError):
                    had[key] = result
                elif isinstance(result, Overloaded) or is_asked:
                    try:
                        raise result
                    finally:
                        del found, result  # the error would keep this frame, and so what was sent
        return tuple(with_had(each, had) for each in messages)


class _Means(NamedTuple):
    """What one request is taken in with; `request` is its name in every line. `read` are texts of PDFs."""

    fetcher: Fetcher
    jobs: Performer
    slots: Slots
    read: RecentPages
    request: str


class _TakingIn:
    """`reads_pdfs`: some of the request's models do not take them as they are."""

    def __init__(self, means: _Means, terms: Terms, hold: Hold, *, reads_pdfs: bool) -> None:
        self._means = means
        self._terms = terms
        self._hold = hold
        self._left = terms.most_bytes
        self._reads_pdfs = reads_pdfs

    async def had(self, one: Wanted) -> Image | File | GatewayError:
        try:
            if isinstance(one.sent, SentImage):
                return await self._image(one.sent)
            return await self._file(one.sent)
        except (InvalidRequest, Overloaded) as error:
            return error
        except Crowded:
            return Overloaded(
                "The gateway is reading too many files already. Try again in a moment.", retry_after=2
            )
        except TookTooLong:
            return refused(one.sent, "the file takes too long to read. Send its text, or fewer pages of it")
        except ToolError as error:
            return refused(one.sent, str(error).rstrip("."))

    async def _image(self, sent: SentImage) -> Image:
        page = await self._page(sent)
        kind = image_type(page.body)
        if kind is None:
            raise refused(sent, f"what is there is no image but {page.media_type[:100] or 'something else'}")
        if kind not in self._terms.images.allowed_mimes:
            raise refused(sent, image_type_closed(kind, self._terms.images))
        return Image(kind, await self._base64(page.body))

    async def _file(self, sent: SentFile) -> Image | File:
        rules = self._terms.files
        called = ""
        if sent.url:
            page = await self._page(sent)
            body, called = page.body, page.media_type
            if not sent.name:
                sent = replace(sent, name=_name_in(page.url))
        else:
            if len(sent.data) * 3 // 4 - sent.data[-2:].count("=") > rules.max_bytes:
                key = f"{self._terms.key}.files.maxBytes"
                raise refused(sent, f"the file is larger than {size_text(rules.max_bytes)} ({key})")
            body = await self._off_loop(lambda: base64.b64decode(sent.data), len(sent.data))
        if not body:
            raise refused(sent, "the file is empty")
        kind = kind_of(sent, body, called, rules)
        if is_text(kind):
            return await self._off_loop(lambda: text_file(sent, kind, body, rules.max_chars), len(body))
        data = sent.data or await self._base64(body)
        if kind.startswith("image/"):
            return Image(kind, data)
        text = await self._pdf_text(sent, body) if kind == PDF and self._reads_pdfs else ""
        return File(kind, data, name=sent.name, text=text)

    async def _pdf_text(self, sent: SentFile, body: bytes) -> str:
        rules = self._terms.files
        job = Pages(body, sent.name or "The file", rules.pdf.max_pages, rules.max_chars)
        digest = await self._off_loop(lambda: hashlib.sha256(body).hexdigest(), len(body))
        key = f"{digest} {job.pages} {job.chars}"
        text = self._means.read.get(key)
        if text is None:
            text = await self._means.jobs.perform(job, self._means.request)
            self._means.read.put(key, text)
        return text

    async def _page(self, sent: SentImage | SentFile) -> Page:
        """What is at its URL. Raises InvalidRequest, Overloaded."""
        rules = rules_of(sent, self._terms)
        limits = FetchLimits(
            max_bytes=rules.max_bytes,
            max_redirects=rules.max_redirects,
            timeout_s=rules.timeout_ms / 1000,
            hosts=rules.url_allowlist,
            accept=_WANTED[type(sent)],
        )
        try:
            async with asyncio.timeout(_WAIT_S):
                await self._means.slots.take(self._means.request)
        except TimeoutError:
            raise Overloaded(
                "The gateway is fetching for too many requests already. Try again in a moment.", retry_after=2
            ) from None
        try:
            page = await self._means.fetcher.fetch(sent.url, limits)
        except NotReached:
            # Which of the two it is would tell an outsider what there is inside.
            raise _unfetched(sent, "its host is not on the public internet, or does not answer") from None
        except ToolError as error:
            raise _unfetched(sent, str(error).rstrip(".")) from None
        finally:
            self._means.slots.give(self._means.request)
        if page.cut:
            raise _unfetched(sent, f"it is larger than {size_text(rules.max_bytes)}")
        size = len(page.body) * 4 // 3
        if size > self._left:
            most = size_text(self._terms.most_bytes)
            raise _unfetched(sent, f"all that this request names is more than {most}")
        self._left -= size
        self._hold(size)
        return page

    async def _base64(self, body: bytes) -> str:
        return await self._off_loop(lambda: base64.b64encode(body).decode("ascii"), len(body))

    async def _off_loop(self, work: Callable[[], T], size: int) -> T:
        return work() if size <= _LARGE else await self._means.jobs.on_thread(work, self._means.request)


def _name_in(url: str) -> str:
    """What a file at this URL would be called."""
    return unquote(urlsplit(url).path.rpartition("/")[2])[:200]


def _unfetched(sent: SentImage | SentFile, why: str) -> InvalidRequest:
    what, instead = ("image", "it as a data URL (base64)")
    if isinstance(sent, SentFile):
        what, instead = ("file", "what is in it within the request (base64)")
    return refused(sent, f"the {what} could not be fetched: {why}. Send {instead}")

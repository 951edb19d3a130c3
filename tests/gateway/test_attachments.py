"""What a request brings besides text, before its run: what is fetched, what is refused, what is left."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from openclaw_gateway.config.schema import FilesConfig, ImagesConfig
from openclaw_gateway.errors import InvalidRequest, Overloaded
from openclaw_gateway.gateway.brought.attachments import Attachments
from openclaw_gateway.gateway.brought.sent import MISSING, SentImage, Terms
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.web.fetched import FetchLimits, Page
from openclaw_gateway.tools.web.fetching import Fetcher
from openclaw_gateway.wire.messages import Image, Message, ToolMessage, UserMessage, assistant
from tests.tools.pages import Pages

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE = Image("image/png", base64.b64encode(PNG).decode())
TERMS = Terms(
    "messages",
    "gateway.http.endpoints.chatCompletions",
    ImagesConfig(allow_url=True),
    FilesConfig(),
    8,
    20 << 20,
)
SEES = ModelTarget(Endpoint("acme", "http://acme.example/v1"), "m", family=Family())
BLIND = ModelTarget(Endpoint("acme", "http://acme.example/v1"), "m", family=Family(images=False))


def at(url: str, where: str = "messages[0].content[0]") -> SentImage:
    return SentImage("", url=url, where=where)


def shows(*images: Image, text: str = "") -> UserMessage:
    return UserMessage(text, images=images)


def taking(*messages: Message, fetcher: Fetcher, terms: Terms = TERMS, target: ModelTarget = SEES) -> Any:
    return Attachments(fetcher, Performer({})).take_in(messages, [target], terms, lambda _: None)


async def gif(request: web.Request) -> web.Response:
    return web.Response(body=b"GIF89a" + bytes(20), content_type="image/png")


async def picture(request: web.Request) -> web.Response:
    return web.Response(body=PNG, content_type="text/plain")


class Counted(Fetcher):
    """A fetcher that says how many it is asked for at once; `answer` makes what it finds."""

    def __init__(self, answer: Callable[[str], bytes] = lambda url: PNG) -> None:
        super().__init__()
        self._answer = answer
        self.now = self.most = 0
        self.asked: list[str] = []

    async def fetch(self, text: str, limits: FetchLimits) -> Page:
        self.asked.append(text)
        self.now += 1
        self.most = max(self.most, self.now)
        for _ in range(5):
            await asyncio.sleep(0)
        self.now -= 1
        body = self._answer(text)
        return Page(text, "", None, body[: limits.max_bytes], len(body) > limits.max_bytes)


@pytest.mark.parametrize(("handler", "kind"), [(picture, "image/png"), (gif, "image/gif")])
async def test_an_image_is_known_by_its_content(handler: Any, kind: str) -> None:
    async with Pages(handler) as pages:
        [message] = await taking(shows(at(pages.url("/a.jpg"))), fetcher=pages.fetcher())
    [image] = message.images
    assert (image.media_type, type(image)) == (kind, Image)
    assert pages.asked[0].headers["Accept"].startswith("image/")
    assert base64.b64decode(image.data)[:3] in (PNG[:3], b"GIF")


async def test_several_are_fetched_at_once_and_each_once() -> None:
    fetcher = Counted()
    urls = [f"http://a.example/{n % 7}" for n in range(8)]
    [message] = await taking(shows(*map(at, urls)), fetcher=fetcher)
    assert message.images == (PICTURE,) * 8
    assert (fetcher.most, sorted(fetcher.asked)) == (4, sorted(set(urls)))


async def redirects(request: web.Request) -> web.Response:
    if request.path == "/inside":
        raise web.HTTPFound("http://10.0.0.1/secret.png")
    if request.path == "/loop":
        raise web.HTTPFound("/loop")
    if request.path == "/page":
        return web.Response(text="<html>", content_type="text/html")
    if request.path == "/large":
        return web.Response(body=PNG + bytes(5000))
    raise web.HTTPForbidden


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://127.0.0.1/a.png", "not on the public internet, or does not answer"),
        ("http://[::1]/a.png", "not on the public internet, or does not answer"),
        ("http://169.254.169.254/latest/meta-data", "not on the public internet, or does not answer"),
        ("http://localhost/a.png", "not on the public internet, or does not answer"),
        ("/inside", "not on the public internet, or does not answer"),
        ("/loop", "redirects"),
        ("/page", "no image but text/html"),
        ("/large", "larger than 1,000 bytes"),
        ("/forbidden", "answered 403 Forbidden"),
        ("http://user:pass@a.example/", "user name or password"),
    ],
)
async def test_what_cannot_be_had_is_said_in_the_newest_message_and_left_out_of_earlier_ones(
    url: str, why: str
) -> None:
    terms = replace(TERMS, images=ImagesConfig(allow_url=True, max_bytes=1000))
    async with Pages(redirects) as pages:
        sent = at(pages.url(url) if url.startswith("/") else url, "messages[3].content[1]")
        with pytest.raises(InvalidRequest, match=why) as caught:
            await taking(shows(sent), fetcher=pages.fetcher(), terms=terms)
        assert (caught.value.code, caught.value.param) == ("invalid_image", "messages[3].content[1]")
        assert "10.0.0.1" not in caught.value.message
        earlier = (shows(sent, text="a"), assistant("b"), UserMessage("c"))
        taken = await taking(*earlier, fetcher=pages.fetcher(), terms=terms)
    assert taken == (shows(MISSING, text="a"), *earlier[1:])


async def test_a_name_of_the_inside_and_one_of_nothing_are_told_alike() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        if host == "inside.example":
            return ["10.1.2.3"]
        raise OSError("no such name")

    said = []
    for host in ("inside.example", "nothing.example"):
        with pytest.raises(InvalidRequest) as caught:
            await taking(shows(at(f"http://{host}/a.png")), fetcher=Fetcher(lookup=lookup))
        said.append(caught.value.message)
    assert said[0] == said[1]


async def test_only_listed_hosts_are_asked_also_by_a_redirect() -> None:
    async def away(request: web.Request) -> web.Response:
        if request.path == "/away":
            raise web.HTTPFound(pages.url("/", "other.example"))
        return web.Response(body=PNG)

    images = ImagesConfig(allow_url=True, url_allowlist=("pages.example", "*.cdn.example"))
    terms = replace(TERMS, images=images)
    async with Pages(away) as pages:
        for url in (pages.url(), pages.url("/", "a.b.cdn.example"), pages.url("/", "PAGES.example")):
            [message] = await taking(shows(at(url)), fetcher=pages.fetcher(), terms=terms)
            assert message.images == (PICTURE,)
        before = len(pages.asked)
        for url in (pages.url("/", "cdn.example"), pages.url("/", "evilpages.example"), pages.url("/away")):
            with pytest.raises(InvalidRequest, match="not among the hosts"):
                await taking(shows(at(url)), fetcher=pages.fetcher(), terms=terms)
        assert len(pages.asked) == before + 1


async def test_where_nothing_is_fetched_the_newest_image_is_an_error_that_names_the_key() -> None:
    terms = replace(TERMS, images=ImagesConfig())
    fetcher = Counted()
    with pytest.raises(InvalidRequest, match=r"endpoints\.chatCompletions\.images\.allowUrl") as caught:
        await taking(shows(at("http://a.example/a.png")), fetcher=fetcher, terms=terms)
    assert caught.value.code == "invalid_image"
    earlier = (shows(at("http://a.example/a.png")), assistant("b"), UserMessage("c"))
    assert (await taking(*earlier, fetcher=fetcher, terms=terms))[0] == shows(MISSING)
    assert fetcher.asked == []


async def test_for_a_model_that_cannot_see_nothing_is_fetched() -> None:
    fetcher = Counted()
    [message] = await taking(shows(at("http://a.example/a.png")), fetcher=fetcher, target=BLIND)
    assert (message.images, fetcher.asked) == ((MISSING,), [])


@pytest.mark.promise("error.too_many_urls", "limit.urls")
async def test_the_newest_urls_are_fetched_first_and_too_many_of_them_refused() -> None:
    fetcher = Counted()
    earlier = [shows(*(at(f"http://a.example/{n}/{m}") for m in range(3)), text="x") for n in range(3)]
    taken = await taking(
        *earlier, assistant("b"), shows(*(at(f"http://a.example/new{n}") for n in range(3))), fetcher=fetcher
    )
    assert [[bool(image.data) for image in message.images] for message in (*taken[:3], taken[4])] == [
        [False] * 3,
        [True, True, False],
        [True] * 3,
        [True] * 3,
    ]
    with pytest.raises(InvalidRequest, match="maxUrlParts") as caught:
        await taking(*(shows(*(at(f"http://a.example/{n}") for n in range(9))),), fetcher=fetcher)
    assert caught.value.code == "too_many_urls"


async def test_what_is_fetched_counts_as_if_it_had_been_sent() -> None:
    held: list[int] = []
    small = replace(TERMS, most_bytes=len(PNG) * 3)
    urls = [at(f"http://a.example/{n}") for n in range(3)]
    await Attachments(Counted(), Performer({})).take_in([shows(*urls[:2])], [SEES], small, held.append)
    assert held == [len(PNG) * 4 // 3] * 2
    with pytest.raises(InvalidRequest, match="all that this request names is more than"):
        await taking(shows(*urls), fetcher=Counted(), terms=small)

    def full(more: int) -> None:
        raise Overloaded("full", retry_after=1)

    earlier = (shows(urls[0]), assistant("b"), UserMessage("c"))
    with pytest.raises(Overloaded):
        await Attachments(Counted(), Performer({})).take_in(earlier, [SEES], TERMS, full)


async def test_what_is_asked_now_has_room_before_what_was_sent_earlier() -> None:
    """Whichever comes first."""

    class NewestLast(Counted):
        async def fetch(self, text: str, limits: FetchLimits) -> Page:
            if text.endswith("/newest"):
                for _ in range(20):
                    await asyncio.sleep(0)
            return await super().fetch(text, limits)

    small = replace(TERMS, most_bytes=len(PNG) * 3)
    earlier = shows(at("http://a.example/1"), at("http://a.example/2"))
    newest = shows(at("http://a.example/newest"))
    taken = await taking(earlier, assistant("b"), newest, fetcher=NewestLast(), terms=small)
    assert taken[2].images == (PICTURE,)
    assert sorted(map(bool, (image.data for image in taken[0].images))) == [False, True]


async def test_types_and_sizes_hold_for_images_in_the_request_too() -> None:
    rules = ImagesConfig(allow_url=True, allowed_mimes=("image/jpeg",))
    for image in (PICTURE, at("http://a.example/a")):
        with pytest.raises(InvalidRequest, match="image/png are not taken here, only image/jpeg"):
            await taking(shows(image), fetcher=Counted(), terms=replace(TERMS, images=rules))
    with pytest.raises(InvalidRequest, match="larger than"):
        await taking(
            shows(PICTURE), fetcher=Counted(), terms=replace(TERMS, images=ImagesConfig(max_bytes=9))
        )
    earlier = (shows(PICTURE), assistant("b"), UserMessage("c"))
    assert await taking(*earlier, fetcher=Counted(), terms=replace(TERMS, images=rules)) == earlier


_images = st.lists(
    st.one_of(st.just(PICTURE), st.integers(0, 5).map(lambda n: at(f"http://a.example/{n}"))), max_size=4
).map(tuple)
_messages = st.lists(
    st.one_of(
        st.builds(UserMessage, st.text(max_size=3), images=_images),
        st.just(assistant("b")),
        st.builds(ToolMessage, st.just("c"), st.text(max_size=3), images=_images),
    ),
    max_size=6,
)


@given(_messages, st.booleans(), st.sets(st.integers(0, 5)), st.booleans())
def test_whatever_is_sent_is_taken_in_whole_or_refused(
    messages: list[Message], allowed: bool, dead: set[int], sees: bool
) -> None:
    def answer(url: str) -> bytes:
        return b"" if int(url[-1]) in dead else PNG

    terms = replace(TERMS, images=ImagesConfig(allow_url=allowed))
    target = SEES if sees else BLIND
    try:
        taken = asyncio.run(taking(*messages, fetcher=Counted(answer), terms=terms, target=target))
    except InvalidRequest as error:
        assert sees
        assert error.code in {"invalid_image", "too_many_urls"}
        return
    assert len(taken) == len(messages)
    for before, after in zip(messages, taken, strict=True):
        assert (type(before), before.content) == (type(after), after.content)
        if isinstance(before, UserMessage | ToolMessage):
            assert len(before.images) == len(after.images)
            assert all(type(image) is Image for image in after.images)
            assert all(image in (PICTURE, MISSING) for image in after.images)

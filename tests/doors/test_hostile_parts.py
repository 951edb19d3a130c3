"""What is brought to harm the gateway, through its door: PDFs that never end, URLs that lead inside."""

import base64
import zlib
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import web

from openclaw_gateway.testing.gateway import RunningGateway, model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.web.addresses import Address
from openclaw_gateway.tools.web.fetching import Fetcher
from openclaw_gateway.work.slots import Slots
from tests.doors.chat import Answer, ask, user
from tests.tools.pages import Pages
from tests.tools.test_pdf import made, saying

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BY_URL = {"chatCompletions": {"enabled": True, "images": {"allowUrl": True}}}


async def inside(request: web.Request) -> web.Response:
    """Leads on to what the path names."""
    if request.path == "/picture":
        return web.Response(body=PNG)
    raise web.HTTPFound(f"http://{request.path.removeprefix('/to/')}")


@pytest.fixture
async def pages() -> AsyncIterator[Pages]:
    async with Pages(inside) as served:
        yield served


@pytest.fixture
async def there(models: ModelServer, pages: Pages) -> AsyncIterator[RunningGateway]:
    sees = [{"id": "mock-echo", "name": "echo", "input": ["text", "image"]}]
    config = model_config(
        models.base_url,
        {
            "gateway": {"http": {"endpoints": BY_URL}},
            "models": {"providers": {"mock": {"models": sees}}},
        },
    )
    async with running_gateway(config) as gateway:
        gateway.gateway.attachments.fetcher = pages.fetcher()
        yield gateway


async def shown(gateway: RunningGateway, url: str) -> Answer:
    parts = [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": url}}]
    return await ask(gateway, {"messages": [{"role": "user", "content": parts}]})


async def read(gateway: RunningGateway, pdf: bytes) -> Answer:
    data = f"data:application/pdf;base64,{base64.b64encode(pdf).decode()}"
    parts = [
        {"type": "text", "text": "hi"},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": data}},
    ]
    return await ask(gateway, {"messages": [{"role": "user", "content": parts}]})


@pytest.mark.parametrize(
    "target",
    [
        "169.254.169.254/latest/meta-data/",
        "127.0.0.1:{other}/",
        "127.1:{port}/picture",
        "[::1]:{port}/picture",
        "[::ffff:127.0.0.1]:{port}/picture",
        "2130706433:{port}/picture",
        "localhost:{port}/picture",
        "10.0.0.1/",
        "metadata.google.internal/computeMetadata/v1/",
    ],
)
async def test_a_redirect_leads_nobody_inside(
    there: RunningGateway, models: ModelServer, pages: Pages, target: str
) -> None:
    target = target.format(port=pages.port, other=pages.port + 1)
    answer = await shown(there, pages.url(f"/to/{target}"))
    assert (answer.status, answer.error["code"]) == (400, "invalid_image")
    assert "not on the public internet, or does not answer" in answer.error["message"]
    assert len(pages.asked) == 1
    assert not models.requests
    assert (await shown(there, pages.url("/picture"))).status == 200


async def test_a_name_that_changes_its_address_is_asked_where_it_was_checked(
    there: RunningGateway, models: ModelServer, pages: Pages
) -> None:
    """Public when the first page is asked for, inside when that redirects to the same name again."""
    answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "10.0.0.1"]]

    async def lookup(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    def rule(address: Address, port: int) -> bool:
        return str(address) == "127.0.0.1"

    there.gateway.attachments.fetcher = Fetcher(lookup=lookup, rule=rule)  # type: ignore[arg-type]
    again = pages.url(f"/to/rebind.example:{pages.port}/picture", host="rebind.example")
    for _ in range(2):
        answer = await shown(there, again)
        assert (answer.status, answer.error["code"]) == (400, "invalid_image")
        if not answers:
            break
    assert [each.path for each in pages.asked] == [f"/to/rebind.example:{pages.port}/picture"]
    assert answers == []
    assert not models.requests


def written(*objects: bytes) -> bytes:
    """A PDF of these, whose first is its catalogue and its second the tree of pages."""
    pdf, places = b"%PDF-1.7\n", b"0000000000 65535 f \n"
    for number, one in enumerate(objects, 1):
        places += b"%010d 00000 n \n" % len(pdf)
        pdf += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    count = len(objects) + 1
    index = b"xref\n0 %d\n%btrailer\n<</Size %d/Root 1 0 R>>\n" % (count, places, count)
    return pdf + index + b"startxref\n%d\n%%%%EOF" % len(pdf)


def tree(kids: bytes) -> bytes:
    return written(b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[" + kids + b"]/Count 9>>")


def packed_twice(megabytes: int) -> bytes:
    packing = zlib.compressobj(9)
    once = b"".join(packing.compress(bytes(1 << 20)) for _ in range(megabytes)) + packing.flush()
    return zlib.compress(once, 9)


def inflating(content: bytes) -> bytes:
    """A PDF of two pages, the first of which is this, packed twice."""
    font = b"<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>"
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources" + font + b"/Contents %d 0 R>>"
    said = b"BT /F1 9 Tf (Cod) Tj ET"
    return written(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
        page % 5,
        page % 6,
        b"<</Length %d/Filter[/FlateDecode/FlateDecode]>>\nstream\n%b\nendstream" % (len(content), content),
        b"<</Length %d>>\nstream\n%b\nendstream" % (len(said), said),
    )


async def test_a_pdf_that_inflates_costs_its_page(there: RunningGateway) -> None:
    bomb = inflating(packed_twice(400))
    assert len(bomb) < 4_000
    answer = await read(there, bomb)
    assert answer.status == 200
    assert "Cod" in answer.content


@pytest.mark.parametrize("kids", [b"2 0 R", b"2 0 R " * 100_000])
async def test_a_pdf_that_loops_is_the_client_s_to_hear(there: RunningGateway, kids: bytes) -> None:
    answer = await read(there, tree(kids))
    assert (answer.status, answer.error["code"]) == (400, "invalid_file")
    assert "damaged PDF" in answer.error["message"]
    assert (await ask(there, {"messages": [user("hi")]})).status == 200


async def test_a_pdf_that_takes_too_long_is_told_so(there: RunningGateway) -> None:
    there.gateway.attachments._jobs = Performer({}, deadline_s=0.001)
    answer = await read(there, made([saying("Cod")]))
    assert (answer.status, answer.error["code"]) == (400, "invalid_file")
    assert "takes too long to read" in answer.error["message"]


async def test_who_waits_too_long_behind_others_files_may_come_again(there: RunningGateway) -> None:
    """Nothing is wrong with the file."""
    jobs = Performer({}, deadline_s=0.05)
    jobs._children = Slots(1, 1)
    await jobs._children.take("another")
    there.gateway.attachments._jobs = jobs
    answer = await read(there, made([saying("Cod")]))
    assert (answer.status, answer.error["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "2"

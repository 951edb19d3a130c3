"""Large images reach a provider in their places, whole, whatever dialect writes the request."""

import pytest

from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.large_images import Pieces, leave_out, put_in
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.wire.messages import File, Image, UserMessage, assistant

LARGE = tuple(Image("image/png", f"iVBORw0KGgo{n}" + "A/+" * 50_000) for n in range(3))
PAPER = File("application/pdf", "JVBERi0x" + "B/+" * 50_000, name="a.pdf")
SMALL = Image("image/png", "iVBORw0KGgo=")
SAID = ModelRequest(
    "Be kind.",
    (
        UserMessage("one", images=(LARGE[0], SMALL, LARGE[1])),
        assistant("nice"),
        UserMessage("image-00000000000000000000000000000000", images=(LARGE[2], LARGE[0])),
        UserMessage("and this?", files=(PAPER, File("text/plain", text="hi"))),
    ),
)


async def joined(body: bytes | Pieces) -> bytes:
    assert isinstance(body, Pieces)
    pieces = [piece async for piece in body]
    assert max(map(len, pieces)) <= 128 << 10
    assert sum(map(len, pieces)) == len(body)
    return b"".join(pieces)


@pytest.mark.parametrize("api", list(DIALECTS))
async def test_what_is_sent_is_what_would_have_been_sent(api: str) -> None:
    target = ModelTarget(Endpoint("acme", "http://127.0.0.1", "k"), "m", api=api)
    dialect = DIALECTS[target.api]
    marked, left_out = leave_out(SAID)
    written = dialect.body(target, marked, stream_usage=True)
    assert len(written) < 10_000
    assert await joined(put_in(written, left_out)) == dialect.body(target, SAID, stream_usage=True)


async def test_a_model_that_sees_nothing_is_sent_nothing() -> None:
    target = ModelTarget(Endpoint("acme", "http://127.0.0.1", "k"), "m", family=Family(images=False))
    dialect = DIALECTS[target.api]
    marked, left_out = leave_out(SAID)
    body = put_in(dialect.body(target, marked, stream_usage=True), left_out)
    assert await joined(body) == dialect.body(target, SAID, stream_usage=True)


def test_what_is_small_stays_where_it_is() -> None:
    small = ModelRequest("", (UserMessage("one", images=(SMALL,)),))
    assert leave_out(small) == (small, {})
    assert put_in(b"body", {}) == b"body"

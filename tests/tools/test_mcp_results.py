"""What an MCP server shows reaches the model as what it is: a vendor refuses what is called something else,
and every later request of that conversation with it."""

import base64

import mcp_types as types
import pytest

from openclaw_gateway.tools.mcp.results import result_of
from openclaw_gateway.wire.messages import Image

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(40)).decode()
WEBP = base64.b64encode(b"RIFF\x00\x00\x00\x00WEBP" + bytes(40)).decode()


def shown(data: str, called: str) -> tuple[Image, ...]:
    part = types.ImageContent(type="image", data=data, mime_type=called)
    return result_of(types.CallToolResult(content=[part])).images


@pytest.mark.parametrize(
    ("data", "called", "kind"),
    [
        (PNG, "image/png", "image/png"),
        (JPEG, "image/png", "image/jpeg"),
        (WEBP, "application/octet-stream", "image/webp"),
    ],
)
def test_an_image_is_called_what_it_is(data: str, called: str, kind: str) -> None:
    assert shown(data, called) == (Image(kind, data),)


def test_line_breaks_are_no_part_of_an_image() -> None:
    assert shown(f"{PNG[:20]}\r\n{PNG[20:]}\n", "image/png") == (Image("image/png", PNG),)


@pytest.mark.parametrize("data", ["PHN2Zz48L3N2Zz4=", "", "!!", base64.b64encode(b"BM" + bytes(20)).decode()])
def test_what_is_no_image_a_model_sees_is_named(data: str) -> None:
    part = types.ImageContent(type="image", data=data, mime_type="image/png")
    made = result_of(types.CallToolResult(content=[part]))
    assert made.images == ()
    assert "not shown" in made.text


def test_of_many_images_the_first_are_shown_and_the_others_named() -> None:
    part = types.ImageContent(type="image", data=PNG, mime_type="image/png")
    made = result_of(types.CallToolResult(content=[part.model_copy() for _ in range(10)]))
    assert len(made.images) == 8
    assert made.text.count("not shown") == 2

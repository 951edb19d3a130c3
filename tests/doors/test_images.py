"""Image parts: data URLs as clients really write them, and the sentence when they are wrong."""

import base64

import pytest

from openclaw_gateway.doors.openai.images import MAX_IMAGE_BYTES, image_of
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.sent import SentImage

STARTS = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff\xe0",
    "image/gif": b"GIF89a",
    "image/webp": b"RIFF\0\0\0\0WEBP",
}
PICTURE = STARTS["image/png"] + bytes(range(256)) + b"\xfb\xff\xbe"
DATA = base64.b64encode(PICTURE + b"!").decode()  # ends in ==


@pytest.mark.parametrize(
    ("head", "media_type"),
    [
        ("data:image/png;base64", "image/png"),
        ("data:image/jpg;base64", "image/jpeg"),
        ("data:image/pjpeg;base64", "image/jpeg"),
        ("data:image/x-png;base64", "image/png"),
        ("data:image/png;charset=utf-8;base64", "image/png"),
        ("data:image/webp;name=a b.webp;charset=utf-8;base64", "image/webp"),
        ("data:image/gif;base64;name=x", "image/gif"),
        ("DATA:IMAGE/JPG;BASE64", "image/jpeg"),
        (" data: image/png ; base64 ", "image/png"),
    ],
)
def test_heads(head: str, media_type: str) -> None:
    data = base64.b64encode(STARTS[media_type] + PICTURE).decode()
    image = image_of(f"{head},{data}", "x")
    assert (image.media_type, image.data) == (media_type, data)


@pytest.mark.parametrize(
    "data",
    [
        DATA.rstrip("="),
        base64.urlsafe_b64encode(PICTURE + b"!").decode(),
        base64.encodebytes(PICTURE + b"!").decode(),
        DATA.replace("+", "%2B").replace("/", "%2f").replace("=", "%3D"),
        f" {DATA[:40]}\r\n\t{DATA[40:]}\n",
        f"{DATA[:40]}%0A{DATA[40:]}",
    ],
)
def test_data_is_brought_into_one_form(data: str) -> None:
    assert image_of(f"data:image/png;base64,{data}", "x").data == DATA


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "data URL .base64., or name an http.s. URL"),
        ("ftp://example.org/a.png", "data URL"),
        ("", "data URL"),
        ("image/png;base64,AAAA", "data URL"),
        ("data:image/png,AAAA", "must be data:<type>;base64,<data>"),
        ("data:image/png;base64", "must be data:<type>;base64,<data>"),
        ("data:;base64,AAAA", "image type"),
        ("data:image/svg+xml;base64,AAAA", "image type"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png;base64,====", "empty"),
        ("data:image/png;base64,aGVsbG8=", "no PNG, JPEG, GIF or WebP"),
        ("data:image/png;base64,iVBORw0", "no PNG, JPEG, GIF or WebP"),
        ("data:image/png;base64,A", "not valid base64"),
        ("data:image/png;base64,AA==AA==", "not valid base64"),
        ("data:image/png;base64,%41%42%43%44", "not valid base64"),
        ("data:image/png;base64,\u00e9\u00e9", "not valid base64"),
        ("data:image/png;base64," + "A" * (MAX_IMAGE_BYTES * 4 // 3 + 8), "larger"),
    ],
)
def test_refusals(url: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as caught:
        image_of(url, "messages[0].content[1]")
    assert (caught.value.code, caught.value.param) == ("invalid_image", "messages[0].content[1]")
    assert len(caught.value.message) < 200


@pytest.mark.parametrize(
    "url", ["https://example.org/a.png", " HTTP://example.org/a.png?x=data:,y ", "http:x"]
)
def test_a_url_is_left_to_be_fetched(url: str) -> None:
    assert image_of(url, "messages[0]") == SentImage("", url=url.strip(), where="messages[0]")


def test_an_image_is_called_what_it_is() -> None:
    jpeg = base64.b64encode(b"\xff\xd8\xff\xe0" + bytes(40)).decode()
    assert image_of(f"data:image/png;base64,{jpeg}", "x").media_type == "image/jpeg"

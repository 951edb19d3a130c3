"""What a file is by its content, whatever it is called, and what is read of one that is text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.config.schema import FilesConfig
from openclaw_gateway.errors import InvalidRequest
from openclaw_gateway.gateway.brought.file_text import is_text, kind_of, text_file
from openclaw_gateway.gateway.brought.sent import SentFile
from openclaw_gateway.wire.messages import File

ANY = FilesConfig()


def sent(kind: str = "", name: str = "") -> SentFile:
    return SentFile(kind, name=name, where="input[0].content[1]")


@pytest.mark.parametrize(
    ("file", "body", "called", "kind"),
    [
        (sent(), b"hi", "", "text/plain"),
        (sent("text/csv"), b"a,b", "", "text/csv"),
        (sent("application/octet-stream", "a.json"), b"{}", "", "application/json"),
        (sent("", "notes.md"), b"# hi", "", "text/markdown"),
        (sent("image/png", "a.png"), b"no picture", "", "text/plain"),
        (sent(), b"a,b", "text/csv", "text/csv"),
        (sent("", "README"), "caf\xe9".encode("latin-1"), "", "text/plain"),
        (sent("", "a.txt"), "caf\xe9".encode("utf-16"), "", "text/plain"),
        (sent("text/plain", "a.txt"), b"\xef\xbb\xbf%PDF-1.7 is how a PDF begins", "", "text/plain"),
        (sent("text/plain", "a.txt"), b"\n%PDF-1.7\n", "", "application/pdf"),
        (sent("application/pdf", "a.pdf"), b"\x89PNG\r\n\x1a\n\0\0", "", "image/png"),
        (sent("", "a.bin"), b"RIFF\0\0\0\0WAVEfmt ", "", "audio/wav"),
        (sent("", "a.mp3"), b"ID3\4\0", "", "audio/mpeg"),
        (sent("", "log"), b"\x1b[31mred\x1b[0m\r\n", "", "text/plain"),
    ],
)
def test_kinds(file: SentFile, body: bytes, called: str, kind: str) -> None:
    assert kind_of(file, body, called, ANY) == kind


@pytest.mark.parametrize(
    ("file", "body", "called", "named"),
    [
        (sent("application/msword", "a.doc"), b"\xd0\xcf\x11\xe0\0", "", "application/msword"),
        (sent("", "a.zip"), b"PK\x03\x04\0", "", "application/zip"),
        (sent(), b"PK\x03\x04\0", "", "application/zip"),
        (sent(), b"\0\1", "application/x-tar", "application/x-tar"),
        (sent(), b"\0\1", "application/octet-stream", "binary data"),
        (sent("text/plain", "a.txt"), b"a\0b", "", "binary data"),
        (sent("application/pdf", "a.pdf"), b"a\0b", "", "binary data"),
        (sent("x" * 5000), b"\0", "", "x" * 100),
    ],
)
def test_what_is_not_taken_is_named(file: SentFile, body: bytes, called: str, named: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        kind_of(file, body, called, ANY)
    assert f"files of type {named} are not taken" in caught.value.message
    assert (caught.value.code, caught.value.param) == ("unsupported_file", "input[0].content[1]")


@pytest.mark.parametrize(
    ("allowed", "body", "is_taken"),
    [
        (("application/pdf",), b"%PDF-1.7", True),
        (("application/pdf",), b"hi", False),
        (("text/*",), b"hi", True),
        (("text/*",), b"%PDF-1.7", False),
        (("text/*",), b"\x89PNG\r\n\x1a\n", False),
    ],
)
def test_an_operator_may_take_less(allowed: tuple[str, ...], body: bytes, *, is_taken: bool) -> None:
    rules = FilesConfig(allowed_mimes=allowed)
    if is_taken:
        kind_of(sent(), body, "", rules)
        return
    with pytest.raises(InvalidRequest, match="The operator allows"):
        kind_of(sent(), body, "", rules)


def test_of_a_long_text_the_beginning_is_read() -> None:
    read = text_file(sent(name="a.txt"), "text/plain", b"0123456789", 4)
    assert read == File("text/plain", name="a.txt", text="0123\n[Only the first 4 of 10 characters.]")
    assert text_file(sent(), "text/plain", b" \n", 4).text == "[The file is blank.]"


@given(st.binary(max_size=200), st.sampled_from(["", "text/plain", "application/pdf"]))
def test_whatever_the_bytes_are_they_are_read_or_refused(body: bytes, called: str) -> None:
    try:
        kind = kind_of(sent(called), body, "", ANY)
    except InvalidRequest:
        return
    if is_text(kind):
        text = text_file(sent(called), kind, body, 50).text
        assert text
        assert "\0" not in text
        text.encode()

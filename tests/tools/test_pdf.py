"""`read` on PDFs: pages under their numbers, and a sentence for each that cannot be read."""

import io
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from pypdf import PdfWriter

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.builtin import read
from openclaw_gateway.tools.files.jobs import pdf
from tests.tools.rooms import Room


def made(pages: list[bytes], font: bytes = b"", extra: list[bytes] | None = None) -> bytes:
    """A PDF of these content streams, packed."""
    count = len(pages)
    kids = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(count))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (count, kids),
        font or b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number, content in enumerate(pages):
        packed = zlib.compress(content)
        objects.append(
            b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Resources<</Font<</F 3 0 R>>>>"
            b"/Contents %d 0 R>>" % (5 + 2 * number)
        )
        objects.append(b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed))
    out, places = io.BytesIO(b"%PDF-1.7\n"), []
    out.seek(0, os.SEEK_END)
    for number, each in enumerate([*objects, *(extra or [])], 1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s\nendobj\n" % (number, each))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(places) + 1, start))
    return out.getvalue()


def saying(text: str) -> bytes:
    return b"BT /F 12 Tf 50 700 Td (%s) Tj ET" % text.encode("latin-1")


def shown(data: bytes, offset: int = 1, limit: int = 2000, most: int = 50_000) -> str:
    return pdf.pdf_text(io.BytesIO(data), "a.pdf", offset, limit, most)


def test_pages_stand_under_their_numbers_and_go_on_by_offset() -> None:
    data = made([saying(f"Cod {n}") for n in range(1, 41)])
    assert shown(data, 3, 1) == "[page 3 of 40]\nCod 3\n\n[pages 3-3 of 40; go on with offset=4]"
    assert shown(data, limit=30).endswith(
        "[page 30 of 40]\nCod 30\n\n[pages 1-30 of 40; go on with offset=31]"
    )
    assert shown(data, 40) == "[page 40 of 40]\nCod 40"
    with pytest.raises(ToolError, match="has 40 pages; offset 41"):
        shown(data, 41)


def test_characters_are_bounded_and_a_page_too_long_is_cut() -> None:
    data = made([saying("a" * 60), saying("b" * 60)])
    assert shown(data, most=100).endswith("[pages 1-1 of 2; go on with offset=2]")
    assert f"[page 1 of 2: its first 50 of 60 characters]\n{'a' * 50}\n" in shown(data, most=50)


def test_scanned_pages_say_so() -> None:
    assert shown(made([b"0 0 9 9 re f"])) == (
        "[page 1 of 1: no text]\n\n[No text on these pages: they may be scanned, or pictures.]"
    )


# What runs from right to left stands in the file as it is seen.
@pytest.mark.parametrize(("drawn", "text"), [("鳕鱼和薯条", "鳕鱼和薯条"), ("םולש", "שלום")])
def test_other_scripts(drawn: str, text: str) -> None:
    pairs = b"\n".join(b"<%04x> <%04x>" % (n, ord(char)) for n, char in enumerate(drawn, 1))
    table = (
        b"begincmap 1 begincodespacerange <0000> <ffff> endcodespacerange "
        b"%d beginbfchar\n%s\nendbfchar endcmap" % (len(text), pairs)
    )
    font = (
        b"<</Type/Font/Subtype/Type0/BaseFont/X/Encoding/Identity-H/ToUnicode 6 0 R/DescendantFonts[7 0 R]>>"
    )
    extra = [
        b"<</Length %d>>stream\n%s\nendstream" % (len(table), table),
        b"<</Type/Font/Subtype/CIDFontType2/BaseFont/X"
        b"/CIDSystemInfo<</Registry(A)/Ordering(I)/Supplement 0>>>>",
    ]
    codes = b"".join(b"%04x" % n for n in range(1, len(text) + 1))
    assert text in shown(made([b"BT /F 12 Tf 50 700 Td <%s> Tj ET" % codes], font, extra))


@pytest.mark.parametrize(("password", "opens"), [("", True), ("secret", False)])
def test_a_password_is_needed_or_empty(password: str, *, opens: bool) -> None:
    writer, out = PdfWriter(io.BytesIO(made([saying("Cod")]))), io.BytesIO()
    writer.encrypt(password, "owner", algorithm="RC4-128")
    writer.write(out)
    if opens:
        assert shown(out.getvalue()) == "[page 1 of 1]\nCod"
    else:
        with pytest.raises(ToolError, match="with a password"):
            shown(out.getvalue())


@pytest.mark.parametrize("data", [b"%PDF-", b"%PDF-1.7\n" + b"\0" * 999, made([saying("x")])[:200]])
def test_damaged_files_are_a_sentence(data: bytes) -> None:
    with pytest.raises(ToolError, match=r"damaged PDF|without pages"):
        shown(data)


def test_a_bomb_costs_its_page() -> None:
    text = shown(made([b" " * 90_000_000, saying("Cod")]))
    assert "[page 2 of 2]\nCod" in text


async def test_read_does_it_in_a_child(tmp_path: Path) -> None:
    room = Room(tmp_path, read)
    (room.root / "short.pdf").write_bytes(made([saying("Cod")]))
    (room.root / "long").write_bytes(made([saying(f"Cod {n}") for n in range(1, 99)]))
    assert await room.call("read", path="short.pdf") == "[page 1 of 1]\nCod"
    assert (await room.call("read", path="long")).endswith("[pages 1-20 of 98; go on with offset=21]")
    assert (await room.call("read", path="long", offset=98)) == "[page 98 of 98]\nCod 98"
    assert "behind its end" in await room.refused("read", path="long", offset=99)


def test_it_is_imported_by_nobody_who_meets_none() -> None:
    program = (
        "import sys, openclaw_gateway.tools.builtin.read, openclaw_gateway.tools.files.jobs.__main__;"
        "assert 'pypdf' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)

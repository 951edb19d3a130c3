"""read, write, edit, ls, find, grep: what they do with real files."""

import asyncio
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.tools.base import ToolError
from openclaw_gateway.tools.builtin import edit, find, grep, ls, read, write
from openclaw_gateway.tools.jobs.edit import replaced
from openclaw_gateway.tools.jobs.orders import Search
from openclaw_gateway.tools.jobs.perform import Performer
from openclaw_gateway.tools.jobs.read import Page, plain_text
from openclaw_gateway.tools.workspace_path import Workspace
from tests.leftovers import children
from tests.tools.houses import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, read, write, edit, ls, find, grep)


async def test_read_gives_the_text(room: Room) -> None:
    room.write("a.txt", "one\ntwo\nthree\n")
    assert await room.call("read", path="a.txt") == "one\ntwo\nthree"
    assert await room.call("read", file_path=str(room.root / "a.txt")) == "one\ntwo\nthree"
    assert await room.call("read", path="a.txt", offset=2, limit=1) == (
        "two\n\n[lines 2-2 of 3; go on with offset=3]"
    )


async def test_read_is_bounded(room: Room) -> None:
    room.write("long.txt", "".join(f"line {n}\n" for n in range(5000)))
    text = await room.call("read", path="long.txt")
    assert text.endswith("[lines 1-2000 of 5000; go on with offset=2001]")
    room.write("wide.txt", "x" * 3_000_000)
    text = await room.call("read", path="wide.txt")
    assert len(text) < 60_000
    assert "without their middle" in text


async def test_read_says_what_it_cannot_show(room: Room) -> None:
    room.write("binary", b"\x7fELF\0\0\0")
    room.write("latin", "caf\xe9\n".encode("latin-1"))
    room.write("empty")
    assert "binary file of 7 bytes" in await room.refused("read", path="binary")
    assert "caf\ufffd" in await room.call("read", path="latin")
    assert await room.call("read", path="empty") == "[the file is empty]"
    assert "no such file" in await room.refused("read", path="nothing")
    assert "is a directory" in await room.refused("read", path=".")
    assert "behind its end" in await room.refused("read", path="latin", offset=9)
    assert "`path` is missing" in await room.refused("read")
    assert "must be text" in await room.refused("read", path=7)
    assert "must be a whole number" in await room.refused("read", path="latin", limit="--5")
    assert "caf" in await room.call("read", path="latin", limit=" 5 ")


_PIECES = st.sampled_from(
    [
        b"a",
        b"\n",
        b"\n\n",
        b"\r\n",
        b"\0",
        b"\xef\xbb\xbf",
        b"\xff",
        "ü\ufffd\u2028\x0b".encode(),
        b"x" * 4000,
    ]
)


@given(st.lists(_PIECES, max_size=6).map(b"".join), st.integers(1, 4))
@example(b"one\n\ntwo\n", 2000)
@example(b"\n", 1)
def test_the_short_way_shows_the_same(data: bytes, limit: int) -> None:
    short = plain_text(data, limit)
    if short is not None:
        assert short == Page(1, limit).read(io.BytesIO(data), "p")


def test_the_short_way_is_taken() -> None:
    assert plain_text("größer\n\n".encode(), 2000) == "größer\n"


def test_a_search_starts_without_what_it_does_not_need() -> None:
    modules = "openclaw_gateway.tools.jobs.__main__, openclaw_gateway.tools.jobs.search"
    code = f"import sys, {modules}; print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


async def test_write_makes_directories_and_keeps_the_mode(room: Room) -> None:
    assert await room.call("write", path="a/b/c.sh", content="true\n") == "Created a/b/c.sh (5 bytes)."
    file = room.root / "a/b/c.sh"
    file.chmod(0o750)
    assert (await room.call("write", path="a/b/c.sh", content="")).startswith("Wrote")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("", 0o750)
    assert [one.name for one in file.parent.iterdir()] == ["c.sh"]


async def test_one_write_makes_only_so_many_directories(room: Room) -> None:
    assert "64 new directories" in await room.refused("write", path="a/" * 65 + "f", content="x")
    assert await room.call("write", path="b/" * 64 + "f", content="x")


async def test_write_refuses_what_is_no_text(room: Room) -> None:
    assert "lone surrogate" in await room.refused("write", path="a", content="\ud800")
    assert "directory" in await room.refused("write", path=".", content="x")
    assert not (room.root / "a").exists()


async def test_edit_replaces_one_place(room: Room) -> None:
    file = room.write("a.py", "x = 1\ny = 1\n")
    assert await room.call("edit", path="a.py", oldText="y = 1", newText="y = 2") == "Edited a.py at line 2."
    assert file.read_text() == "x = 1\ny = 2\n"
    assert "2 times" in await room.refused("edit", path="a.py", old_string=" = ", new_string="=")
    await room.call("edit", path="a.py", old_string=" = ", new_string="=", replace_all=True)
    assert file.read_text() == "x=1\ny=2\n"


async def test_edit_keeps_line_ends_and_marks(room: Room) -> None:
    file = room.write("dos.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    await room.call("edit", path="dos.txt", oldText="one\ntwo", newText="1\n2")
    assert file.read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n"


async def test_edit_would_rather_refuse_than_damage(room: Room) -> None:
    file = room.write("latin", "caf\xe9\n".encode("latin-1"))
    assert "not UTF-8" in await room.refused("edit", path="latin", oldText="caf", newText="x")
    assert file.read_bytes() == b"caf\xe9\n"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("", "x", "is empty"),
        ("one", "one", "are the same"),
        ("nothing", "x", "does not contain"),
        ("  one\ntwo", "x", "line 1 differs from it only in white space"),
    ],
)
def test_edit_says_why_not(old: str, new: str, why: str) -> None:
    with pytest.raises(ToolError, match=why):
        replaced("one\ntwo\n", old, new, everywhere=False, path="p")


async def test_ls_shows_what_is_there(room: Room) -> None:
    room.write("b.txt", "12345")
    room.write("a/x")
    (room.root / "link").symlink_to("b.txt")
    assert await room.call("ls") == "a/\nb.txt  5\nlink -> b.txt"
    assert await room.call("ls", path="a") == "x  0"
    assert "not a directory" in await room.refused("ls", path="b.txt")


async def test_find_matches_globs(room: Room) -> None:
    for path in ("a.py", "src/b.py", "src/deep/c.ts", "src/d.tsx", "node_modules/m/e.py"):
        room.write(path)
    assert await room.call("find", pattern="*.py") == "a.py\nsrc/b.py"
    assert await room.call("find", pattern="src/**/*.{ts,tsx}") == "src/d.tsx\nsrc/deep/c.ts"
    assert await room.call("find", pattern="src/*") == "src/b.py\nsrc/d.tsx\nsrc/deep/"
    assert await room.call("find", pattern="*.py", path="src") == "b.py"
    assert await room.call("find", pattern="*.go") == "[nothing matches *.go]"
    assert (await room.call("find", pattern="*.py", limit=1)).endswith("make the pattern narrower]")


async def test_a_glob_cannot_be_made_slow(room: Room) -> None:
    room.write("a" * 200)
    async with asyncio.timeout(60):  # what is slow here takes years
        await room.call("find", pattern="**/" * 50 + "*a" * 100 + "b")


async def test_grep_finds_lines(room: Room) -> None:
    room.write("a.py", "import os\n\ndef run():\n    return os.name\n")
    room.write("b.txt", "os\n")
    room.write("bin", b"os\0")
    assert await room.call("grep", pattern=r"\bos\b", glob="*.py") == (
        "a.py:1:import os\na.py:4:    return os.name"
    )
    assert await room.call("grep", pattern="RUN", ignoreCase=True, context=1) == (
        "a.py-2-\na.py:3:def run():\na.py-4-    return os.name"
    )
    assert await room.call("grep", pattern="os.n", literal=True, path="a.py") == "a.py:4:    return os.name"
    assert await room.call("grep", pattern="nowhere") == "[no match]"
    assert "valid regular expression" in await room.refused("grep", pattern="(")
    assert "only the first 1 matches" in await room.call("grep", pattern="os", limit=1)


async def test_a_name_that_is_no_text_is_shown_as_far_as_it_is(room: Room) -> None:
    room.write("a.txt", "os\n")
    (room.root / os.fsdecode(b"caf\xe9.txt")).write_text("os\n")
    assert await room.call("ls") == "a.txt  3\ncaf\ufffd.txt  3"
    assert await room.call("find", pattern="*.txt") == "a.txt\ncaf\ufffd.txt"
    assert await room.call("grep", pattern="os") == "a.txt:1:os\ncaf\ufffd.txt:1:os"


async def test_long_names_do_not_make_an_endless_list(room: Room) -> None:
    for number in range(300):
        room.write(f"{'n' * 200}{number:03}")
    for text in (await room.call("ls", limit=5000), await room.call("find", pattern="*")):
        assert 30_000 < len(text) < 41_000
        *names, last = text.split("\n")
        assert str(len(names)) in last
    assert (await room.call("ls")).endswith("of 300 entries; more is too long to be shown; use find]")


async def test_a_slow_expression_is_given_up_and_blocks_nobody(room: Room) -> None:
    room.write("a", "a" * 60 + "!")
    orders = Search(Workspace(room.root, room.root), "a", "(a+)+$", None, False, False, 0, 10)  # noqa: FBT003
    search = asyncio.create_task(Performer(os.environ, deadline_s=2.0).perform(orders, "main"))
    ticks = 0
    while not search.done():
        await asyncio.sleep(0.01)
        ticks += 1
    with pytest.raises(ToolError, match="longer than 2 s"):
        search.result()
    assert ticks > 10


async def test_a_cancelled_search_ends_its_process(room: Room) -> None:
    room.write("a", "a" * 60 + "!")
    before = children()
    search = asyncio.create_task(room.call("grep", pattern="(a+)+$"))
    async with asyncio.timeout(20):
        while not (made := children() - before):  # noqa: ASYNC110  no event tells of it
            await asyncio.sleep(0.01)
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
    async with asyncio.timeout(20):
        while not made.isdisjoint(children()):  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)

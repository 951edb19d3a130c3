"""read, write, edit, ls, find, grep: what they do with real files."""

import asyncio
import base64
import io
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.tools.builtin import edit, find, grep, ls, manage, read, write
from openclaw_gateway.tools.files.jobs.edit import replaced
from openclaw_gateway.tools.files.jobs.orders import Search
from openclaw_gateway.tools.files.jobs.perform import Performer
from openclaw_gateway.tools.files.jobs.read import Page, plain_text
from openclaw_gateway.wire.run import Origin
from tests.leftovers import children
from tests.tools.rooms import Room


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, read, write, edit, manage, ls, find, grep)


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
    assert "caf\u00e9" in await room.call("read", path="latin")
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
    modules = "openclaw_gateway.tools.files.jobs.__main__, openclaw_gateway.tools.files.jobs.search"
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
    said = await room.call("edit", path="a.py", oldText="y = 1", newText="y = 2")
    assert said == "Edited a.py at line 2.\n@@ line 1 @@\n x = 1\n-y = 1\n+y = 2"
    assert file.read_text() == "x = 1\ny = 2\n"
    assert "2 times" in await room.refused("edit", path="a.py", old_string=" = ", new_string="=")
    await room.call("edit", path="a.py", old_string=" = ", new_string="=", replace_all=True)
    assert file.read_text() == "x=1\ny=2\n"


async def test_edit_keeps_line_ends_and_marks(room: Room) -> None:
    file = room.write("dos.txt", b"\xef\xbb\xbfone\r\ntwo\r\n")
    await room.call("edit", path="dos.txt", oldText="one\ntwo", newText="1\n2")
    assert file.read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n"
    await room.call("edit", path="dos.txt", oldText="2", newText="2\n3")
    assert file.read_bytes() == b"\xef\xbb\xbf1\r\n2\r\n3\r\n"
    file = room.write("mixed", b"a\r\nb\nc\r\nd")
    await room.call("edit", path="mixed", oldText="a\nb\nc", newText="A\nB\nc")
    assert file.read_bytes() == b"A\r\nB\nc\r\nd"
    file = room.write("unix", b"a\nb\n")
    await room.call("edit", path="unix", oldText="a\r\nb", newText="1\r\n2")
    assert file.read_bytes() == b"1\n2\n"
    file = room.write("dos", b"a\r\nb\r\n")
    await room.call("write", path="dos", content="1\n2\n")
    assert file.read_bytes() == b"1\r\n2\r\n"
    await room.call("write", path="unix", content="1\r\n2\n")
    assert (room.root / "unix").read_bytes() == b"1\r\n2\n"


async def test_several_edits_are_all_made_or_none(room: Room) -> None:
    file = room.write("a", "one\ntwo\nthree\n")
    edits = [{"oldText": "one", "newText": "1"}, {"old_string": "three", "new_string": "3"}]
    said = await room.call("edit", path="a", edits=edits)
    assert said.count("Edited a at line") == 2
    assert file.read_text() == "1\ntwo\n3\n"
    edits = [{"oldText": "1", "newText": "one"}, {"oldText": "none", "newText": "x"}]
    assert "a: edit 2: does not contain" in await room.refused("edit", path="a", edits=edits)
    assert "must be a list" in await room.refused("edit", path="a", edits=["x"])
    assert "at most 50" in await room.refused("edit", path="a", edits=[edits[0]] * 51)
    assert file.read_text() == "1\ntwo\n3\n"


async def test_an_edit_that_misses_is_shown_the_nearest_place(room: Room) -> None:
    room.write("a.py", "import os\n\ndef run(first, second):\n    return first\n\ndef end():\n    pass\n")
    old = "def run(first, third):\n    return one"
    said = await room.refused("edit", path="a.py", oldText=old, newText="x")
    assert "most like it is line 3:\n3: def run(first, second):\n4:     return first" in said


async def test_manage_deletes_moves_and_makes(room: Room) -> None:
    room.write("a", "a")
    room.write("d/x", "x")
    assert await room.call("manage", action="mkdir", path="new/deep") == "Made new/deep."
    assert await room.call("manage", action="mkdir", path="new") == "new is there already."
    assert await room.call("manage", action="rename", path="a", to="b") == "Moved a to b."
    assert await room.call("manage", action="move", path="b", to="new") == "Moved b to new/b."
    assert "exists already" in await room.refused("manage", action="move", path="new/b", to="d/x")
    assert await room.call("manage", action="move", path="d", to="new/deep/e") == "Moved d to new/deep/e."
    assert "inside of what" in await room.refused("manage", action="move", path="new", to="new/deep/n")
    assert "with 4 entries; set recursive" in await room.refused("manage", action="delete", path="new")
    said = await room.call("manage", action="delete", path="new", recursive=True)
    assert said == "Deleted new with 4 entries."
    assert list(room.root.iterdir()) == []
    assert "no such file" in await room.refused("manage", action="delete", path="new")
    assert "folder itself" in await room.refused("manage", action="delete", path=".", recursive=True)
    assert "`to` is missing" in await room.refused("manage", action="move", path="a")


async def test_manage_takes_a_link_for_a_link(room: Room, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "file").write_text("stays")
    (room.root / "out").symlink_to(tmp_path / "beside")
    assert "outside the workspace" in await room.refused("manage", action="delete", path="out/file")
    assert await room.call("manage", action="move", path="out", to="moved") == "Moved out to moved."
    room.write("d/x")
    (room.root / "d" / "link").symlink_to(tmp_path / "beside")
    await room.call("manage", action="delete", path="d", recursive=True)
    await room.call("manage", action="delete", path="moved")
    assert (tmp_path / "beside" / "file").read_text() == "stays"


async def test_manage_touches_no_repository_and_nothing_that_steers(room: Room) -> None:
    room.write("repo/.git/config", "x")
    room.write("repo/a", "x")
    for path in ("repo/.git", "repo/.git/config"):
        assert ".git" in await room.refused("manage", action="delete", path=path, recursive=True)
    assert "holds a repository" in await room.refused("manage", action="delete", path="repo", recursive=True)
    assert ".git" in await room.refused("manage", action="move", path="repo/a", to="repo/.git/hooks")
    room.write("docs/AGENTS.md", "x")
    (room.root / "AGENTS.md").symlink_to("docs/AGENTS.md")
    room.write("memory/a", "x")
    room.origin = Origin("owner", "http", "user", user="ann")
    for path in ("AGENTS.md", "docs", "memory"):
        with pytest.raises(ToolError):
            await room.result("manage", action="delete", path=path, recursive=True)
        with pytest.raises(ToolError):
            await room.result("manage", action="move", path=path, to="away")
    with pytest.raises(ToolError):
        await room.result("manage", action="move", path="repo/a", to="SOUL.md")
    assert (room.root / "docs" / "AGENTS.md").exists()


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


async def test_read_shows_other_encodings(room: Room) -> None:
    room.write("latin", "caf\u00e9\nna\u00efve\n".encode("latin-1"))
    assert await room.call("read", path="latin") == (
        "caf\u00e9\nna\u00efve\n\n[the file is not UTF-8; it is shown as Latin-1]"
    )
    for name in ("utf-16", "utf-16-be"):
        data = "gr\u00fc\u00df\nzwei\n".encode(name)
        room.write("wide", data if name == "utf-16" else b"\xfe\xff" + data)
        shown = await room.call("read", path="wide")
        assert shown == "gr\u00fc\u00df\nzwei\n\n[the file is not UTF-8; it is shown as UTF-16]"
        assert await room.call("grep", pattern="zwei", path="wide") == "wide:2:zwei"
    assert "latin:1:caf\u00e9" in await room.call("grep", pattern="caf.$")


async def test_read_shows_images(room: Room) -> None:
    data = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
    room.write("a.PNG", data)
    result = await room.result("read", path="a.PNG")
    (image,) = result.images
    assert (result.text, image.media_type) == ("[a.PNG: image/png]", "image/png")
    assert base64.b64decode(image.data) == data
    room.write("text.png", "no image\n")
    assert await room.call("read", path="text.png") == "no image"
    room.write("large.jpg", b"\xff\xd8\xff" + b"\0" * 4_000_000)
    assert "too large" in await room.refused("read", path="large.jpg")
    assert "no such file" in await room.refused("read", path="none.gif")


async def test_grep_counts_lines_as_read_does(room: Room) -> None:
    room.write("odd", "one\x0c\ntwo\u2028 still two\r\nthree\x85\n")
    assert await room.call("grep", pattern="three") == "odd:3:three\x85"
    assert (await room.call("read", path="odd", offset=3)).startswith("three")
    assert await room.call("grep", pattern="two$") == "odd:2:two\u2028 still two"


async def test_grep_shows_a_match_where_it_is(room: Room) -> None:
    room.write("long", "x" * 5000 + "needle" + "y" * 5000)
    shown = await room.call("grep", pattern="needle")
    assert "needle" in shown
    assert len(shown) < 600


async def test_grep_leaves_out_what_gitignore_names(room: Room) -> None:
    room.write(".gitignore", "/build/\n*.log\n!keep.log\n")
    room.write("sub/.gitignore", "local\n!*.log\n")
    for path in ("a", "build/b", "c.log", "keep.log", "sub/local", "sub/d.log", "sub/build/e"):
        room.write(path, "needle\n")
    found = (await room.call("grep", pattern="needle")).splitlines()
    assert [line.partition(":")[0] for line in found] == ["a", "keep.log", "sub/build/e", "sub/d.log"]
    assert await room.call("grep", pattern="needle", path="build") == "b:1:needle"
    # The folders above the search have their say too, each from where it stands.
    for path in (
        "sub/in/f",
        "sub/in/local",
        "sub/in/g.log",
        "other/h.log",
        "other/in/i",
        "other/in/keep.log",
    ):
        room.write(path, "needle\n")
    found = (await room.call("grep", pattern="needle", path="sub/in")).splitlines()
    assert [line.partition(":")[0] for line in found] == ["f", "g.log"]
    found = (await room.call("grep", pattern="needle", path="other")).splitlines()
    assert [line.partition(":")[0] for line in found] == ["in/i", "in/keep.log"]
    room.write("build/in/k.log", "needle\n")
    assert await room.call("grep", pattern="needle", path="build/in") == "k.log:1:needle"
    room.write("build/only", "thing\n")
    assert "what .gitignore names was left out" in await room.call("grep", pattern="thing")


@pytest.mark.parametrize(
    ("pattern", "note"),
    [("one\\|two", "is a plain |"), ("one\ntwo", "line by line"), ("/one/", "slashes around"), ("zzz", "")],
)
async def test_grep_says_when_a_pattern_may_not_mean_what_was_meant(
    room: Room, pattern: str, note: str
) -> None:
    room.write("a", "one\ntwo\n")
    said = await room.call("grep", pattern=pattern)
    assert said.startswith("[no match]")
    assert note in said


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

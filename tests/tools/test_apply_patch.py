"""apply_patch: the format, what a hunk does to a text, and all or nothing."""

import os
import resource
from contextlib import ExitStack
from pathlib import Path

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.tools.builtin import apply_patch
from openclaw_gateway.tools.files.jobs.patch import Allowance, commit, prepare
from openclaw_gateway.tools.files.line_search import Budget
from openclaw_gateway.tools.files.patch import Update, apply_hunks, parse_patch
from tests.tools.rooms import Room


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, apply_patch)


async def test_adds_updates_moves_and_deletes(room: Room) -> None:
    room.write("a.txt", "one\ntwo\nthree\n")
    room.write("b.txt", "old\n").chmod(0o700)
    room.write("c.txt", "bye\n")
    done = await room.call(
        "apply_patch",
        input=patch(
            "*** Add File: new/d.txt",
            "+hello",
            "*** Update File: a.txt",
            "@@",
            " one",
            "-two",
            "+2",
            "*** Update File: b.txt",
            "*** Move to: e/b.txt",
            "@@",
            "-old",
            "+new",
            "*** Delete File: c.txt",
        ),
    )
    assert done == (
        "Done:\nA new/d.txt\nM a.txt\nR b.txt -> e/b.txt\nD c.txt\n\na.txt\n@@ line 1 @@\n"
        " one\n-two\n+2\n three\n\nb.txt -> e/b.txt\n@@ line 1 @@\n-old\n+new"
    )
    assert (room.root / "a.txt").read_text() == "one\n2\nthree\n"
    assert (room.root / "new/d.txt").read_text() == "hello\n"
    assert (room.root / "e/b.txt").read_text() == "new\n"
    assert (room.root / "e/b.txt").stat().st_mode & 0o777 == 0o700
    assert not (room.root / "b.txt").exists()
    assert not (room.root / "c.txt").exists()


async def test_one_that_does_not_fit_leaves_everything_as_it_was(room: Room) -> None:
    room.write("a.txt", "one\n")
    text = await room.refused(
        "apply_patch",
        input=patch(
            "*** Update File: a.txt", "@@", "-one", "+1", "*** Add File: b.txt", "+b", "*** Delete File: none"
        ),
    )
    assert "none: there is no such file" in text
    assert (room.root / "a.txt").read_text() == "one\n"
    assert [one.name for one in room.root.iterdir()] == ["a.txt"]


async def test_a_failure_while_names_change_is_undone(room: Room) -> None:
    room.write("a.txt", "one\n")
    room.write("z.txt", "zed\n")
    change = parse_patch(
        patch("*** Update File: a.txt", "@@", "-one", "+1", "*** Update File: z.txt", "@@", "-zed", "+Z")
    )
    workspace = Workspace(room.root, room.root)
    with ExitStack() as held:
        steps = [step for one in change for step in prepare(workspace, one, held, Allowance())[0]]
        (room.root / "z.txt").write_text("somebody else was here\n")
        with pytest.raises(ToolError, match="changed by somebody else"):
            commit(steps)
    assert (room.root / "a.txt").read_text() == "one\n"
    assert (room.root / "z.txt").read_text() == "somebody else was here\n"
    assert len(list(room.root.iterdir())) == 2


@pytest.mark.parametrize(
    ("last", "theirs"),
    [
        (["*** Delete File: z.txt"], "z.txt"),
        (["*** Update File: z.txt", "*** Move to: y.txt", "@@", "-zed", "+Z"], "z.txt"),
        (["*** Update File: z.txt", "*** Move to: y.txt", "@@", "-zed", "+Z"], "y.txt"),
        (["*** Add File: y.txt", "+why"], "y.txt"),
    ],
)
async def test_what_somebody_else_does_meanwhile_is_kept(room: Room, last: list[str], theirs: str) -> None:
    room.write("a.txt", "one\n")
    room.write("z.txt", "zed\n")
    workspace = Workspace(room.root, room.root)
    with ExitStack() as held:
        changes = parse_patch(patch("*** Update File: a.txt", "@@", "-one", "+1", *last))
        steps = [step for one in changes for step in prepare(workspace, one, held, Allowance())[0]]
        (room.root / theirs).write_text("somebody else was here\n")
        with pytest.raises(ToolError, match="somebody else"):
            commit(steps)
    found = {one.name: one.read_text() for one in room.root.iterdir()}
    assert found == {"a.txt": "one\n", "z.txt": "zed\n", theirs: "somebody else was here\n"}


async def test_two_names_of_one_new_file_are_no_way_to_lose_one(room: Room) -> None:
    both = patch("*** Add File: a", "+1", "*** Add File: ./a", "+2")
    assert "somebody else" in await room.refused("apply_patch", input=both)
    assert list(room.root.iterdir()) == []


async def test_many_changes_hold_few_descriptors(room: Room) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    soft = len(os.listdir("/proc/self/fd")) + 150  # noqa: PTH208  a line
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    lines = [line for n in range(100) for line in (f"*** Add File: a/b/c/d/{n}", "+x")]
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        done = await room.call("apply_patch", input=patch(*lines))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert done.count("\n") == 100
    lines += ["*** Add File: one-more", "+x"]
    assert "at most 100" in await room.refused("apply_patch", input=patch(*lines))


async def test_one_call_makes_only_so_many_directories(room: Room) -> None:
    adds = [line for n in range(65) for line in (f"*** Add File: d{n}/f", "+x")]
    assert "64 new directories" in await room.refused("apply_patch", input=patch(*adds))
    assert not [one for one in room.root.rglob("*") if one.is_file()]
    assert (await room.call("apply_patch", input=patch(*adds[:128]))).count("A d") == 64


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("a\nb\n", ["@@", "-a", "+A"], "A\nb\n"),
        ("a  \nb\n", ["@@", "-a", "+A"], "A\nb\n"),
        ("  a\nb\n", ["@@", "-a", "+A"], "A\nb\n"),
        ("x\na\nx\na\n", ["@@ x", "@@ x", "-a", "+A"], "x\na\nx\nA\n"),
        ("a\nb\na\n", ["@@", "-a", "+A", "*** End of File"], "a\nb\nA\n"),
        ("a\n", ["@@", "+b"], "a\nb\n"),
        ("a\r\nb\r\n", ["@@", " a", "-b", "+c"], "a\r\nc\r\n"),
        ("a", ["@@", "-a", "+b"], "b"),
        ("a\nb\nc\n", ["@@ -1,2 +1,2 @@", " a", "-b", "+B"], "a\nB\nc\n"),
        ("a\n\nb\n", [" a", "", "-b", "+c"], "a\n\nc\n"),
        # Both kinds of line ends, and what a hunk only names, stay.
        ("a\r\nb\nc\r\n", ["@@", " a", "-b", "+B", "+D", " c"], "a\r\nB\nD\nc\r\n"),
        ("a\nb\r\nc\n", ["@@", " a", "-b", "+B", " c"], "a\nB\r\nc\n"),
        ("\tif a:\n\t\tb\n", ["@@", " if a:", "-b", "+\t\tc"], "\tif a:\n\t\tc\n"),
        ("a\r\nb", ["@@", "-b", "+c"], "a\r\nc"),
        ("a\r\nb", ["@@", "+c"], "a\r\nb\nc"),
        ("say \u201chi\u201d \u2013 now\n", ["@@", '-say "hi" - now', "+gone"], "gone\n"),
        ("say 'hi'\nx\n", ["@@", " say \u2018hi\u2019", "-x", "+y"], "say 'hi'\ny\n"),
        ("a\nb\n", ["@@", "-b", "+c", "*** Update File: p", "@@", "-a", "+d"], "d\nc\n"),
    ],
)
def test_hunks(before: str, lines: list[str], after: str) -> None:
    (change,) = parse_patch(patch("*** Update File: p", *lines))
    assert isinstance(change, Update)
    assert apply_hunks(before, change.hunks, "p", Budget()) == after


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must begin with"),
        ("*** Begin Patch\n*** Add File: a\n+x", "must end with"),
        (patch(), "holds no change"),
        (patch("*** Add File: a", "x"), "must begin with \\+"),
        (patch("*** Update File: a"), "no hunk"),
        (patch("*** Update File: a", "@@", "?x"), "must begin with a space"),
        (patch("nonsense"), "is none of"),
        (patch("*** Add File: ", "+x"), "names no file"),
        (patch("*** Delete File: a", "*** Add File: a", "+x"), "names a twice"),
    ],
)
def test_what_is_no_patch_is_refused(text: str, why: str) -> None:
    with pytest.raises(ToolError, match=why):
        parse_patch(text)


@pytest.mark.parametrize(
    ("text", "files"),
    [
        (patch("*** Add File: a", "+1") + "\n\n" + patch("*** Add File: b", "+2"), {"a": "1\n", "b": "2\n"}),
        (patch("*** Add File: a", "+*** End Patch", "+x"), {"a": "*** End Patch\nx\n"}),
        ("apply_patch <<'EOF'\n" + patch("*** Add File: a", "+1") + "\nEOF", {"a": "1\n"}),
        ("```\n" + patch("*** Add File: a", "+1") + "\n```", {"a": "1\n"}),
        ("--- /dev/null\n+++ b/a\n@@ -0,0 +1,2 @@\n+1\n+2", {"a": "1\n2\n"}),
        (
            "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@ def\n one\n-two\n+2\n"
            "--- a/y\t2026-01-01\n+++ /dev/null\n@@ -1 +0,0 @@\n-gone",
            {"x": "one\n2\n", "y": None},
        ),
        ("--- a/x\n+++ b/z\n@@\n-two\n+2\n\\ No newline at end of file", {"x": None, "z": "one\n2\n"}),
    ],
)
async def test_patches_as_models_write_them(room: Room, text: str, files: dict[str, str | None]) -> None:
    room.write("x", "one\ntwo\n")
    room.write("y", "gone\n")
    await room.call("apply_patch", input=text)
    for name, held in files.items():
        file = room.root / name
        assert (file.read_text() if file.exists() else None) == held


async def test_each_file_that_does_not_fit_is_named_with_the_nearest_place(room: Room) -> None:
    room.write("a", "one\ntwo\nthree\n")
    room.write("b", "one\n")
    said = await room.refused(
        "apply_patch",
        input=patch(
            *("*** Update File: a", "@@", " two", "-tree", "+3", "*** Update File: b", "@@", "-one", "+1"),
            "*** Delete File: none",
        ),
    )
    assert "a: hunk 1 does not fit; its old lines begin with 'two'; most like it is line 2:\n2: two\n" in said
    assert "none: there is no such file" in said
    assert "Nothing was changed. What fits by itself: M b." in said
    assert (room.root / "b").read_text() == "one\n"


async def test_a_link_is_deleted_itself(room: Room) -> None:
    room.write("a", "one\n")
    (room.root / "link").symlink_to("a")
    await room.call("apply_patch", input=patch("*** Delete File: link"))
    assert [one.name for one in room.root.iterdir()] == ["a"]
    (room.root / "link").symlink_to("a")
    room.write("z", "zed\n")
    workspace = Workspace(room.root, room.root)
    with ExitStack() as held:
        changes = parse_patch(patch("*** Delete File: link", "*** Update File: z", "@@", "-zed", "+Z"))
        steps = [step for one in changes for step in prepare(workspace, one, held, Allowance())[0]]
        (room.root / "z").write_text("somebody else was here\n")
        with pytest.raises(ToolError, match="somebody else"):
            commit(steps)
    assert os.readlink(room.root / "link") == "a"  # noqa: PTH115  a line

"""Jobs that take long: done in a child, which can be ended; and what is done in one place gives the same."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.tools.builtin import apply_patch, edit, find, ls, read, write
from openclaw_gateway.tools.files.jobs.doing import do
from openclaw_gateway.tools.files.jobs.orders import (
    SMALL_BYTES,
    SMALL_ENTRIES,
    Edit,
    Extract,
    Find,
    Job,
    List,
    Manage,
    Outcome,
    Patch,
    Read,
    Recall,
    Replacing,
    Search,
    TooLarge,
    Write,
    decode_job,
    decode_outcome,
    encode,
)
from openclaw_gateway.tools.files.jobs.perform import Performer
from tests.leftovers import children
from tests.tools.rooms import Room
from tests.tools.test_orphans import read as read_proc

LARGE = SMALL_BYTES * 2
WORKSPACE = Workspace(Path("/w"), Path("/w/sub"), (Path("/w/closed"),), writable=False)
EVERY: tuple[Job, ...] = (
    Search(WORKSPACE, "p", "x", "*.py", ignore_case=True, literal=False, context=2, limit=9),
    Read(WORKSPACE, "p", 3, 4),
    List(WORKSPACE, "p", 5),
    Find(WORKSPACE, "p", "*", 5),
    Write(WORKSPACE, "p", "größer"),
    Edit(WORKSPACE, "p", (Replacing("a", "b", everywhere=True),)),
    Manage(WORKSPACE, "move", "p", "q"),
    Patch(WORKSPACE, "*** Begin Patch"),
    Recall(WORKSPACE, "q", 3),
    Extract("http://a.example/", "text/html", None, b"\xff<p>", "text"),
)


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path, apply_patch, edit, find, ls, read, write)


@pytest.mark.parametrize("job", EVERY, ids=lambda job: type(job).__name__)
def test_a_job_reaches_the_child_as_it_is(job: Job) -> None:
    assert decode_job(encode(job)) == job
    assert decode_outcome(encode(Outcome("text", "error"))) == Outcome("text", "error")


async def test_large_files_are_edited_in_a_child(room: Room) -> None:
    room.write("big.txt", "first\n" + "x" * 99 + "\n" * LARGE + "last\n")
    place = Workspace(room.root, room.root)
    with pytest.raises(TooLarge):
        do(Edit(place, "big.txt", (Replacing("first", "1"),)), small=True)
    said = await room.call("edit", path="big.txt", oldText="first\n", newText="1\n")
    assert said.startswith("Edited big.txt at line 1.\n@@ line 1 @@\n-first\n+1\n")
    patch = "*** Begin Patch\n*** Update File: big.txt\n@@\n-last\n+end\n*** End Patch"
    with pytest.raises(TooLarge):
        do(Patch(place, patch), small=True)
    assert (await room.call("apply_patch", input=patch)).startswith("Done:\nM big.txt\n\nbig.txt\n@@")
    assert "there is no such file" in await room.refused("edit", path="none", oldText="a", newText="b")
    assert "does not contain" in await room.refused("edit", path="big.txt", oldText="zzz", newText="b")
    text = (room.root / "big.txt").read_text()
    assert text.startswith("1\n")
    assert text.endswith("\nend\n")
    assert [one.name for one in room.root.iterdir()] == ["big.txt"]


async def test_large_folders_and_files_are_looked_at_in_a_child(room: Room) -> None:
    (room.root / "many").mkdir()
    for number in range(SMALL_ENTRIES + 10):
        (room.root / "many" / f"f{number:05}").touch()
    place = Workspace(room.root, room.root)
    with pytest.raises(TooLarge):
        do(List(place, "many", 5), small=True)
    assert f"[5 of {SMALL_ENTRIES + 10} entries" in await room.call("ls", path="many", limit=5)
    with pytest.raises(TooLarge):
        do(Find(place, ".", "f02009", 5), small=True)
    assert await room.call("find", pattern="f02009") == "many/f02009"
    room.write("long.log", "line\n" * 1_000_000)
    with pytest.raises(TooLarge):
        do(Read(place, "long.log", 1, 5), small=True)
    assert "lines 900000-900001 of 1000000" in await room.call(
        "read", path="long.log", offset=900_000, limit=2
    )


async def test_a_patch_made_to_take_for_ever_is_refused_in_time(room: Room) -> None:
    """Eight like it on a file of 6.5 MB once took all agents' tools away for more than a minute."""
    room.write("same.txt", "a\n" * 500_000)
    hunk = "@@\n" + " a\n" * 2_000 + "-b\n"
    patch = f"*** Begin Patch\n*** Update File: same.txt\n{hunk * 50}*** End Patch"
    calls = [room.refused("apply_patch", input=patch) for _ in range(4)]
    calls += [
        room.refused("edit", path="same.txt", oldText="a \n" * 5_000 + "b", newText="c") for _ in range(2)
    ]
    told = await asyncio.gather(*calls)
    assert all("does not fit" in one or "takes too long" in one for one in told[:4]), told[0]
    assert all("does not contain" in one for one in told[4:]), told[4]


async def test_a_job_that_is_given_up_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    root = tmp_path / "w"
    root.mkdir()
    (root / "a").write_text("a" * 60 + "!")
    jobs = Performer(os.environ)
    before = children()
    job = Search(
        Workspace(root, root), ".", "(a+)+$", None, ignore_case=False, literal=False, context=0, limit=1
    )
    searches = [asyncio.create_task(jobs.perform(job, "main")) for _ in range(80)]

    def bounded() -> int:
        return sum(str(1 << 30) in read_proc(Path(f"/proc/{pid}/limits")) for pid in children() - before)

    async with asyncio.timeout(20):
        while bounded() < 2:  # noqa: ASYNC110  no event tells of it
            await asyncio.sleep(0.01)
    made = children() - before
    # (With the guard, which outlives the gateway by a moment.)
    assert len(made) <= 3
    for search in searches:
        search.cancel()
    await asyncio.gather(*searches, return_exceptions=True)
    async with asyncio.timeout(20):
        while len(made & children()) > 1:  # noqa: ASYNC110  as above
            await asyncio.sleep(0.01)
    jobs.close()


async def test_waiting_for_a_child_has_an_end(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a" * 60 + "!")
    jobs = Performer(os.environ, deadline_s=0.5)
    place = Workspace(tmp_path, tmp_path)
    job = Search(place, ".", "(a+)+$", None, ignore_case=False, literal=False, context=0, limit=1)
    told = await asyncio.gather(*(jobs.perform(job, "main") for _ in range(9)), return_exceptions=True)
    assert all(isinstance(one, ToolError) for one in told)
    assert "Too many calls like this one" in str(told[-1])
    jobs.close()


async def test_a_patch_that_is_ended_in_the_middle_is_all_or_nothing(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(60)]
    for name in names:
        (tmp_path / name).write_text("old\n")
    changes = "".join(f"*** Update File: {name}\n@@\n-old\n+new\n" for name in names)
    job = Patch(Workspace(tmp_path, tmp_path), f"*** Begin Patch\n{changes}*** End Patch")
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _ENDED_AT_THE_TENTH),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    await child.communicate(encode(job))
    assert child.returncode != 0
    assert len({(tmp_path / name).read_text() for name in names}) == 1
    assert not [one for one in os.listdir(tmp_path) if one not in names]  # noqa: PTH208


_ENDED_AT_THE_TENTH = """
import os, signal
from openclaw_gateway.tools.files.jobs.__main__ import main

rename, left = os.rename, [10]

def counted(*names, **places):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGTERM)
    rename(*names, **places)

os.rename = counted
main()
"""

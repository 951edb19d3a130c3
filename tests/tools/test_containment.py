"""Ways out of the workspace that must not exist, for every file tool."""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.fs.cached_file import read_cached
from openclaw_gateway.fs.containment import Workspace
from openclaw_gateway.fs.regular_file import replace
from openclaw_gateway.tools.builtin import apply_patch, edit, find, grep, ls, read, write
from openclaw_gateway.tools.files.jobs.orders import Read
from openclaw_gateway.tools.files.jobs.read import read as read_job
from tests.tools.rooms import Room

SECRET = "the secret outside"

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("read", {}),
    ("write", {"content": "x"}),
    ("edit", {"oldText": "secret", "newText": "x"}),
    ("ls", {}),
    ("find", {"pattern": "*"}),
    ("grep", {"pattern": "secret"}),
]


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room(tmp_path, read, write, edit, ls, find, grep, apply_patch)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text(SECRET)
    (room.root / "out").symlink_to(tmp_path / "outside")
    (room.root / "file").symlink_to(tmp_path / "outside" / "secret.txt")
    (room.root / "up").symlink_to("../../outside")
    (room.root / "self").symlink_to("/proc/self")
    (room.root / "loop").symlink_to("loop")
    return room


@pytest.mark.promise("nothing-outside", "CVE-2026-100536")
@pytest.mark.parametrize(("tool", "arguments"), CALLS)
@pytest.mark.parametrize(
    "path",
    [
        "../../outside/secret.txt",
        "sub/../../../outside/secret.txt",
        "out/secret.txt",
        "file",
        "up/secret.txt",
        "up/../state/openclaw.json",
        "/etc/passwd",
        "/proc/self/environ",
        "self/environ",
        "loop",
        "~/.ssh/id_rsa",
        "..",
        "/",
        "a\0b",
        "\ud800",
    ],
)
async def test_no_path_leads_out(
    room: Room, tmp_path: Path, tool: str, arguments: dict[str, Any], path: str
) -> None:
    (room.root / "sub").mkdir()
    text = await room.refused(tool, path=path, **arguments)
    assert SECRET not in text
    assert str(tmp_path) not in text
    assert (tmp_path / "outside" / "secret.txt").read_text() == SECRET
    assert [one.name for one in (tmp_path / "outside").iterdir()] == ["secret.txt"]


@pytest.mark.promise("CVE-2026-100536")
async def test_a_patch_leads_nowhere_else(room: Room, tmp_path: Path) -> None:
    for change in (
        "*** Add File: out/new\n+x",
        "*** Delete File: out/secret.txt",
        "*** Update File: file\n@@\n-the secret outside\n+x",
        "*** Add File: /tmp/x\n+x",
    ):
        await room.refused("apply_patch", input=f"*** Begin Patch\n{change}\n*** End Patch")
    await room.call("apply_patch", input="*** Begin Patch\n*** Delete File: file\n*** End Patch")
    assert not (room.root / "file").is_symlink()
    assert (tmp_path / "outside" / "secret.txt").read_text() == SECRET


async def test_links_that_stay_inside_work(room: Room) -> None:
    room.write("real/a.txt", "inside")
    (room.root / "here").symlink_to("real")
    (room.root / "absolute").symlink_to(room.root / "real" / "a.txt")
    (room.root / "real" / "back").symlink_to("../real/a.txt")
    for path in ("here/a.txt", "absolute", "real/back", "here/../real/a.txt", "./real//a.txt"):
        assert await room.call("read", path=path) == "inside"
    await room.call("write", path="absolute", content="new")
    assert (room.root / "real" / "a.txt").read_text() == "new"
    assert (room.root / "absolute").is_symlink()


async def test_walks_do_not_follow_links(room: Room) -> None:
    assert SECRET not in await room.call("grep", pattern="secret")
    assert "secret.txt" not in await room.call("find", pattern="**/*")


async def test_what_is_no_file_is_not_opened(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(room.root / "pipe")
    monkeypatch.chdir(room.root)  # the whole path may be longer than a socket's address can be
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        for name in ("pipe", "socket"):
            assert "not a regular file" in await room.refused("read", path=name)
            assert "not a regular file" in await room.refused("write", path=name, content="x")
            assert "not a regular file" in await room.refused("edit", path=name, oldText="a", newText="b")
        assert await room.call("grep", pattern="x") == "[no match]"


async def test_without_containment_other_files_open_but_not_these(tmp_path: Path) -> None:
    room = Room(tmp_path, read, write, ls, grep, find, settings={"fs": {"workspaceOnly": False}})
    outside = tmp_path / "elsewhere.txt"
    outside.write_text("fine")
    assert await room.call("read", path=str(outside)) == "fine"
    assert await room.call("read", path="../../elsewhere.txt") == "fine"
    (room.state / "gateway.db").write_text("private")
    (room.state.parent / "openclaw.json").write_text("private")
    (room.root / "link").symlink_to(room.state)
    for path in (
        "/proc/self/environ",
        f"/proc/{os.getpid()}/environ",
        "/sys/kernel/uevent_helper",
        "/dev/zero",
        "../gateway/gateway.db",
        "../openclaw.json",
        "link/gateway.db",
    ):
        assert "private" not in await room.refused("read", path=path)
    await room.refused("write", path="../exec-approvals.json", content="{}")
    await room.refused("write", path="../gateway/exec-approvals.json", content="{}")
    assert "gateway" not in await room.call("grep", pattern="private", path="..")


async def test_a_repositorys_own_files_are_not_written(room: Room) -> None:
    room.write(".git/config", "[core]\n")
    for path in (".git/config", "sub/.git/hooks/pre-commit", ".GIT/config", ".git"):
        assert "do not write inside .git" in await room.refused("write", path=path, content="x")
    assert await room.call("read", path=".git/config") == "[core]"


@pytest.mark.promise("CVE-2026-100536")
def test_swapping_a_directory_for_a_link_gains_nothing(tmp_path: Path) -> None:
    """Best effort: somebody flips `d` between a directory and a link out while it is used."""
    root, outside = tmp_path / "w", tmp_path / "o"
    for directory in (root / "d", outside):
        directory.mkdir(parents=True)
        (directory / "f").write_text("inside" if directory != outside else SECRET)
    (root / "link").symlink_to(outside)
    done = threading.Event()

    def flip() -> None:
        while not done.is_set():
            (root / "d").rename(root / "kept")
            (root / "link").rename(root / "d")
            (root / "d").rename(root / "link")
            (root / "kept").rename(root / "d")

    flipper = threading.Thread(target=flip)
    flipper.start()
    workspace = Workspace(root, root)
    reads = 0
    try:
        for turn in range(40_000):
            if turn >= 400 and reads:
                break
            with suppress(ToolError):
                assert SECRET not in read_job(Read(workspace, "d/f", 1, 10), small=True)
                reads += 1
            with suppress(ToolError):
                assert read_cached(workspace, "d/f", 100) in (b"inside", None)
            with suppress(ToolError), workspace.place("d/f", write=True) as place:
                replace(place, b"inside")
    finally:
        done.set()
        flipper.join()
    assert (outside / "f").read_text() == SECRET
    assert reads


def test_the_quick_read_of_small_files_is_contained_too(room: Room, tmp_path: Path) -> None:
    workspace = Workspace(room.root, room.root, (room.root / "private",))
    room.write("sub/a.txt", "inside")
    room.write("private/key", "not for tools")
    room.write("large", b"x" * 101)
    (room.root / "here").symlink_to("sub/a.txt")
    (room.root / "by").symlink_to("private")
    os.mkfifo(room.root / "pipe")

    def quick(path: str) -> bytes | None:
        with suppress(ToolError):
            return read_cached(workspace, path, 100)
        return None

    # Older kernels, and some containers, cannot read without waiting: there it is always None.
    works = quick("sub/a.txt") is not None
    for path in ("./sub//a.txt", str(room.root / "sub/a.txt")):
        assert quick(path) == (b"inside" if works else None)
    # Links and `..` are for the careful walk, also where they stay inside.
    for path in (
        "here",
        "sub/../sub/a.txt",
        "private/key",
        "private//key",
        "by/key",
        "file",
        "out/secret.txt",
    ):
        assert quick(path) is None, path
    for path in ("large", "pipe", "sub", ".", "", "nothing"):
        assert quick(path) is None, path
    for path in ("../../outside/secret.txt", "/etc/hostname", "self/environ", "loop", "~", "a\0", "\ud800"):
        assert quick(path) is None, path
    assert read_cached(Workspace(Path("/"), tmp_path / "gone"), "a", 100) is None


async def test_a_shelf_is_read_by_its_whole_path_and_no_other_way(tmp_path: Path) -> None:
    """Skills lie beside the workspace; what is in their folder may be read, and nothing else is opened."""
    shelf = tmp_path / "skills"
    (shelf / "cook").mkdir(parents=True)
    (shelf / "cook" / "SKILL.md").write_text("boil it")
    (tmp_path / "secret").write_text(SECRET)
    (shelf / "out").symlink_to(tmp_path / "secret")
    room = Room(tmp_path, read, write, edit, ls, find, grep, skills=(shelf,))
    assert await room.call("read", path=f"{shelf}/cook/SKILL.md") == "boil it"
    assert await room.call("ls", path=f"{shelf}/cook") == "SKILL.md  7"
    assert "boil it" in await room.call("grep", pattern="boil", path=str(shelf))
    for path in (
        f"{shelf}/../secret",
        f"{shelf}/out",
        f"{shelf}x",
        str(tmp_path),
        "../../skills/cook/SKILL.md",
    ):
        assert SECRET not in await room.refused("read", path=path)
    assert "outside the workspace" in await room.refused("write", path=f"{shelf}/cook/SKILL.md", content="x")
    assert "outside" in await room.refused("edit", path=f"{shelf}/cook/SKILL.md", oldText="boil", newText="x")
    assert (shelf / "cook" / "SKILL.md").read_text() == "boil it"


def test_a_way_from_outside_tells_of_no_link_there(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "deep" / "deeper").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "link").symlink_to(root / "deep" / "deeper")
    workspace = Workspace(root, root)

    def opens(path: str) -> bool:
        try:
            with workspace.place(path):
                return True
        except ToolError:
            return False

    assert opens(f"{root}/deep/../deep")
    assert opens(f"{outside}/link")
    # As if neither were there, whatever the link leads to and whoever runs in which folder.
    assert not opens(f"{outside}/link/..")
    assert not opens(f"{outside}/absent/../../root")
    assert not opens(f"/proc/self/root{root}")
    assert not opens(f"//./proc/self/root{root}")

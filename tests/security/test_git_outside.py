"""A git that may only look reads nothing outside the workspace, wherever a repository says that it lies.

Nor does an odd repository hold it up.
"""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from tests.security.planted import LOOKS, SECRET, PlantedRoom, configure, git

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="there is no git here")


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[PlantedRoom]:
    commands = CommandSessions()
    yield PlantedRoom(tmp_path, commands)
    await commands.close()


def _outside_repository(room: PlantedRoom) -> Path:
    """The operator's own, beside the workspace; its file name is its secret."""
    place = room.outside / "private"
    place.mkdir()
    git(place, "init", "-q", "-b", "main")
    (place / "secret-name").write_text(SECRET)
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", SECRET)
    return place / ".git"


def _file_to_outside(repo: Path, private: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").write_text(f"gitdir: {private}\n")


def _link_to_outside(repo: Path, private: Path) -> None:
    shutil.rmtree(repo / ".git")
    (repo / ".git").symlink_to(private)


def _common_outside(repo: Path, private: Path) -> None:
    (repo / ".git" / "commondir").write_text(f"{private}\n")


def _borrowed(repo: Path, private: Path) -> None:
    (repo / ".git/objects/info/alternates").write_text(f"{private}/objects\n")
    (repo / ".git/refs/heads/main").write_text((private / "refs/heads/main").read_text())


def _linked(part: str) -> Callable[[Path, Path], None]:
    def plant(repo: Path, private: Path) -> None:
        target = repo / ".git" / part
        if target.is_dir():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        target.symlink_to(private / part)
        (repo / ".git/refs/heads").mkdir(parents=True, exist_ok=True)

    plant.__name__ = f"linked {part}"
    return plant


def _linked_object(repo: Path, private: Path) -> None:
    for folder in (private / "objects").iterdir():
        (repo / ".git/objects" / folder.name).mkdir(exist_ok=True)
        for one in folder.iterdir():
            link = repo / ".git/objects" / folder.name / one.name
            link.unlink(missing_ok=True)
            link.symlink_to(one)
    (repo / ".git/refs/heads/main").write_text((private / "refs/heads/main").read_text())


@pytest.mark.parametrize(
    "place",
    [
        *(_file_to_outside, _link_to_outside, _common_outside, _borrowed, _linked_object),
        *map(_linked, ("HEAD", "index", "objects", "refs", "refs/heads", "logs", "config")),
    ],
)
async def test_nothing_outside_is_read(room: PlantedRoom, place: Callable[[Path, Path], None]) -> None:
    private = _outside_repository(room)
    repo = room.repository()
    place(repo, private)
    for command in LOOKS:
        text = await room.refused("exec", command=command, workdir="repo")
        assert "secret-name" not in text
        assert SECRET not in text


async def test_a_split_index_is_not_another_repositorys(room: PlantedRoom) -> None:
    private = _outside_repository(room)
    git(private.parent, "update-index", "--split-index")
    (shared,) = private.glob("sharedindex.*")
    repo = room.repository()
    (repo / ".git" / shared.name).symlink_to(shared)
    (repo / ".git/index").write_bytes((private / "index").read_bytes())
    assert "secret-name" not in await room.refused("exec", command="git ls-files", workdir="repo")


@pytest.mark.parametrize("name", ["HEAD", "config", "index", "packed-refs", "refs/heads/pipe", "commondir"])
async def test_a_pipe_in_a_repository_holds_nobody_up(room: PlantedRoom, name: str) -> None:
    repo = room.repository()
    (repo / ".git" / name).unlink(missing_ok=True)
    os.mkfifo(repo / ".git" / name)
    assert "Not run" in await room.refused("exec", command="git status", workdir="repo")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((".git", b""), (".git", b"gitdir: \0\n"), (".git", b"gitdir: nowhere\n"), (".git", b"x" * 100_000)),
        *((".git", b"gitdir: .\n"), (".git", b"gitdir: ../../../../../../etc\n"), (".git", b"gitdir:\n")),
        *((".git/HEAD", b""), (".git/HEAD", b"ref: refs/../../x\n"), (".git/HEAD", b"ref: ../HEAD\n")),
        *((".git/HEAD", b"ref: refs/heads/a\nref: refs/heads/b\n"), (".git/HEAD", b"x" * 100_000)),
        *((".git/config", b"[core\n"), (".git/config", b"\0"), (".git/config", b"[a]\n" * 100_000)),
        *((".git/commondir", b"\0"), (".git/commondir", b"/etc\n"), (".git/commondir", b"nowhere\n")),
    ],
)
async def test_an_odd_repository_is_refused(room: PlantedRoom, name: str, content: bytes) -> None:
    repo = room.repository()
    if name == ".git":
        shutil.rmtree(repo / ".git")
    (repo / name).write_bytes(content)
    text = await room.refused("exec", command="git status", workdir="repo")
    assert text.startswith("Not run: the repository ")


async def test_what_a_setting_is_called_is_shown_on_one_line(room: PlantedRoom) -> None:
    """It is somebody's text, and a model reads it."""
    repo = room.repository()
    configure(repo, '[evil "a\x1b\u2028b\r' + "c" * 500 + '"]\n\tk = v\n')
    configure(repo, "".join(f"[evil]\n\tk{number} = v\n" for number in range(500)))
    text = await room.refused("exec", command="git status", workdir="repo")
    assert text.isprintable()
    assert "and 493 more" in text
    assert len(text) < 1000

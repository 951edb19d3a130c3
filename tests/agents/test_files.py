"""Reading in a folder an agent may write to: nothing outside of it, nothing endless, nothing that blocks."""

import os
from pathlib import Path

import pytest

from openclaw_gateway.config.watch import mark
from openclaw_gateway.fs.prompt_file import READ_BYTES, FileText, Unusable, read_inside


def test_a_file_is_read_and_a_missing_one_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "SOUL.md").write_text("\n  kind\n", "utf-8")
    assert read_inside(tmp_path, "SOUL.md") == FileText("SOUL.md", "kind")
    assert read_inside(tmp_path, "USER.md") is None
    assert read_inside(tmp_path / "nowhere", "USER.md") is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfwith a mark", "with a mark"),
        (b"caf\xe9 \xff!", "caf\ufffd \ufffd!"),
        (b"a\x00b", "ab"),
        ("žluť 🦞".encode(), "žluť 🦞"),
    ],
)
def test_any_bytes_are_text(tmp_path: Path, data: bytes, text: str) -> None:
    (tmp_path / "A.md").write_bytes(data)
    assert read_inside(tmp_path, "A.md") == FileText("A.md", text)


def test_of_a_huge_file_both_ends_are_read(tmp_path: Path) -> None:
    with (tmp_path / "MEMORY.md").open("wb") as file:
        file.write(b"begin")
        file.truncate(10**12)
        file.seek(0, os.SEEK_END)
        file.write(b"the end")
    content = read_inside(tmp_path, "MEMORY.md")
    assert content is not None
    assert content.text == "beginthe end"
    assert content.whole == "1,000,000,000,007 bytes"
    (tmp_path / "full").write_bytes(b"x" * (READ_BYTES + 1))
    content = read_inside(tmp_path, "full")
    assert content is not None
    assert len(content.text) == READ_BYTES


def test_a_link_inside_is_followed_and_one_that_leaves_is_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    (home / "docs" / "soul.md").write_text("mine")
    (tmp_path / "secret").write_text("theirs")
    (home / "SOUL.md").symlink_to("docs/soul.md")
    (home / "USER.md").symlink_to("../secret")
    (home / "TOOLS.md").symlink_to("/etc/hostname")
    (home / "out").symlink_to(tmp_path)
    (home / "A").symlink_to("B")
    (home / "B").symlink_to("A")
    (home / "gone").symlink_to("nowhere")
    assert read_inside(home, "SOUL.md") == FileText("SOUL.md", "mine")
    for name in ("USER.md", "TOOLS.md", "out/secret"):
        with pytest.raises(Unusable, match="outside"):
            read_inside(home, name)
    with pytest.raises(Unusable):
        read_inside(home, "A")
    assert read_inside(home, "gone") is None


def test_a_workspace_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "SOUL.md").write_text("here")
    (tmp_path / "link").symlink_to("real")
    assert read_inside(tmp_path / "link", "SOUL.md") == FileText("SOUL.md", "here")


def test_a_link_inside_may_spell_the_folder_in_another_way(tmp_path: Path) -> None:
    home = tmp_path / "real" / "home"
    home.mkdir(parents=True)
    (tmp_path / "alias").symlink_to("real")
    (home / "mine.md").write_text("here")
    (home / "SOUL.md").symlink_to(tmp_path / "alias" / "home" / "mine.md")
    (home / "USER.md").symlink_to(tmp_path / "alias" / "home" / ".." / "theirs.md")
    (tmp_path / "real" / "theirs.md").write_text("not here")
    assert read_inside(home, "SOUL.md") == FileText("SOUL.md", "here")
    with pytest.raises(Unusable, match="outside"):
        read_inside(home, "USER.md")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "SOUL.md")
    (tmp_path / "USER.md").mkdir()
    for name in ("SOUL.md", "USER.md"):
        with pytest.raises(Unusable, match="not a regular file"):
            read_inside(tmp_path, name)
    assert mark(tmp_path / "SOUL.md") is not None


def test_a_mark_changes_with_the_file(tmp_path: Path) -> None:
    file = tmp_path / "SOUL.md"
    assert mark(file) is None
    file.write_text("one")
    first = mark(file)
    assert first == mark(file)
    os.utime(file, ns=(1, 1))
    assert mark(file) != first
    assert mark(Path("a\x00b")) is None

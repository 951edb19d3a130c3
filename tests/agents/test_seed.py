"""The first files of a workspace: created once, never changed."""

import stat
from pathlib import Path

import pytest

from openclaw_gateway.agents.seed import FIRST_MEETING, SEEDED, seed
from openclaw_gateway.agents.snapshot import PROMPT_FILES


def test_a_new_workspace_gets_everything_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "workspace"
    assert seed(folder) == SEEDED
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {*SEEDED, "MEMORY.md"} == set(PROMPT_FILES)
    assert sum(len((folder / name).read_text("utf-8")) for name in SEEDED) < 4_000
    assert seed(folder) == ()


@pytest.mark.parametrize("name", SEEDED)
def test_a_workspace_with_any_of_them_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    """Whichever program has made it, and whatever it left out."""
    (tmp_path / name).write_text("mine")
    assert seed(tmp_path) == ()
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_a_name_that_is_taken_counts_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "USER.md").symlink_to("nowhere")
    (tmp_path / "notes.txt").write_text("x")
    assert seed(tmp_path) == ()
    assert not (tmp_path / "nowhere").exists()


def test_the_first_meeting_does_not_come_back(tmp_path: Path) -> None:
    seed(tmp_path)
    (tmp_path / FIRST_MEETING).unlink()
    assert seed(tmp_path) == ()


def test_a_folder_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        seed(tmp_path / "file" / "workspace")

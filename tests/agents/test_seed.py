"""The first files of a workspace: created once, never changed."""

import stat
from pathlib import Path

import pytest

from openclaw_gateway.agents.seed import FIRST_MEETING, SEEDED, seed
from openclaw_gateway.agents.snapshot import PROMPT_FILES


def test_a_new_workspace_gets_everything_once(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "workspace"
    assert seed(folder) == (*SEEDED, FIRST_MEETING)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert set(SEEDED) | {FIRST_MEETING, "MEMORY.md"} == set(PROMPT_FILES)
    assert sum(len((folder / name).read_text("utf-8")) for name in SEEDED) < 3_000
    assert seed(folder) == ()


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "SOUL.md").write_text("mine")
    (tmp_path / "USER.md").symlink_to("nowhere")
    (tmp_path / "TOOLS.md").mkdir()
    assert seed(tmp_path) == ("AGENTS.md", "IDENTITY.md")
    assert (tmp_path / "SOUL.md").read_text() == "mine"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", SEEDED)
def test_the_first_meeting_is_only_for_a_workspace_without_any_other(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    assert FIRST_MEETING not in seed(tmp_path)


def test_the_first_meeting_does_not_come_back(tmp_path: Path) -> None:
    seed(tmp_path)
    (tmp_path / FIRST_MEETING).unlink()
    assert seed(tmp_path) == ()


def test_a_folder_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        seed(tmp_path / "file" / "workspace")

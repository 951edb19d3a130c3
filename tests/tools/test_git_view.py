"""The views of repositories that git is shown: which go when there are too many."""

import os
import time
from pathlib import Path

import pytest

from openclaw_gateway.tools.exec.listed import git_view
from openclaw_gateway.tools.exec.listed.git_repository import Repository
from openclaw_gateway.tools.exec.listed.git_view import FOLDER, bring_up_to_date

DAY_S = 24 * 3600.0


def repository(root: Path, name: str) -> Repository:
    git_dir = root / name / ".git"
    (git_dir / "refs").mkdir(parents=True, exist_ok=True)
    return Repository(root / name, git_dir, git_dir, b"ref: refs/heads/main\n", ())


def used(view: Path, days_ago: float) -> None:
    then = time.time() - days_ago * DAY_S
    os.utime(view, (then, then))


def test_of_too_many_views_those_go_that_nobody_used_for_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_view, "_MOST", 3)
    made = {name: repository(tmp_path, name) for name in "abcde"}
    views = {name: bring_up_to_date(made[name], tmp_path) for name in "abc"}
    for name, days in (("a", 4), ("b", 3), ("c", 2)):
        used(views[name], days)
    assert bring_up_to_date(made["a"], tmp_path) == views["a"], "the oldest is used again, nothing changed"
    views["d"] = bring_up_to_date(made["d"], tmp_path)
    assert [name for name in "abcd" if views[name].exists()] == ["a", "c", "d"]
    used(views["c"], 0.5)
    views["e"] = bring_up_to_date(made["e"], tmp_path)
    assert [name for name in "acde" if views[name].exists()] == ["a", "c", "d", "e"], "all may be in use"


def test_views_of_repositories_that_are_gone_go(tmp_path: Path) -> None:
    gone = bring_up_to_date(repository(tmp_path, "a"), tmp_path)
    (tmp_path / "a" / ".git" / "refs").rmdir()
    there = bring_up_to_date(repository(tmp_path, "b"), tmp_path)
    assert list((tmp_path / FOLDER).iterdir()) == [there]
    assert not gone.exists()

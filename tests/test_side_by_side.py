"""The suite in parts is the whole suite, and what its processes said of themselves is read in full: no
failure counts as passed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.covered import environment, is_measured
from tests.side_by_side import failures, parts, run

TESTS = """
import logging, pytest

@pytest.fixture
def leaves():
    yield
    raise RuntimeError("left - behind")

def test_passes_and_leaves(leaves): logging.error("ERROR of another kind")
def test_fails(): logging.error("ERROR of another kind"); assert False
def test_fails_and_leaves(leaves): assert False
def test_passes(): pass
"""


def test_what_failed_behind_a_test_is_a_failure_too(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", "tests"]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert sorted(failures(said)) == [
        f"tests/test_one.py::test_{name}" for name in ("fails", "fails_and_leaves", "passes_and_leaves")
    ], said


def test_one_that_hangs_is_ended_and_names_its_test(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(
        "import threading\ndef test_passes(): pass\ndef test_hangs(): threading.Event().wait()\n"
    )
    environ = {**environment(tmp_path), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    status, said = run(["--rootdir", ".", "tests"], environ, 5.0, tmp_path)
    assert status != 0
    assert "tests/test_one.py::test_hangs" in said
    assert "Said nothing for 5 s" in said
    assert "threading.py" in said, "where it waited"
    assert "test_passes" not in said, "what went well is not told again"


@pytest.mark.parametrize("processes", [2, 3, 12])
@pytest.mark.parametrize("measured", [True, False])
def test_each_file_is_in_one_part_and_the_last_parts_are_small(processes: int, *, measured: bool) -> None:
    files = [f"tests/{folder}/test_{n}.py" for folder in ("cli", "models", "runs") for n in range(90)]
    dealt = parts(files, processes, is_measured=measured)
    assert sorted(file for part in dealt for file in part) == sorted(files)
    assert len(dealt[0]) < len(files) / processes, "whoever has the first is not the last to end"
    assert dealt == sorted(dealt, key=len, reverse=True)
    assert len(dealt[-1]) <= 10
    if measured:
        assert all(len({is_measured(file) for file in part}) == 1 for part in dealt)


@pytest.mark.parametrize("count", [0, 1, 11])
def test_few_files_are_all_there_too(count: int) -> None:
    files = [f"tests/test_{n}.py" for n in range(count)]
    assert sorted(file for part in parts(files, 3, is_measured=False) for file in part) == sorted(files)

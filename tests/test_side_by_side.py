"""What the processes of the suite said of themselves is read in full: no failure counts as passed."""

import subprocess
import sys
from pathlib import Path

from tests.side_by_side import failures

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

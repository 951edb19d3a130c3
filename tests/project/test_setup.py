"""`make setup` knows when it has something to do, and says what is wrong before it does anything."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """requirements/install.py, with its stamp in a folder of the test's."""
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    monkeypatch.syspath_prepend(str(ROOT / "requirements"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "STAMP", tmp_path / "setup.json")
    return module


def make_setup(python: str | Path) -> tuple[int, str]:
    done = subprocess.run(
        ["make", "-C", ROOT, "setup", f"PYTHON={python}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_python_that_is_too_old_is_refused_with_a_remedy(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n", "utf-8")  # as a Python that finds itself too old
    old.chmod(0o755)
    status, told = make_setup(old)
    assert status != 0
    assert "older than Python 3.11" in told
    assert "make setup PYTHON=" in told


def test_a_python_that_does_not_exist_is_named() -> None:
    status, told = make_setup("python-that-is-not-here")
    assert status != 0
    assert "python-that-is-not-here was not found" in told


def test_only_what_an_installation_depends_on_makes_it_due(setup: ModuleType, tmp_path: Path) -> None:
    lock, project = tmp_path / "base.txt", tmp_path / "pyproject.toml"
    lock.write_text("aiohttp==1", "utf-8")
    project.write_text('[project]\nname = "a"\n[tool.ruff]\nline-length = 1\n', "utf-8")
    before = setup.fingerprint("cpython-3.11", lock, project)

    project.write_text('[project]\nname = "a"\n[tool.ruff]\nline-length = 2\n', "utf-8")
    assert setup.fingerprint("cpython-3.11", lock, project) == before
    assert setup.fingerprint("cpython-3.12", lock, project) != before

    lock.write_text("aiohttp==2", "utf-8")
    assert setup.fingerprint("cpython-3.11", lock, project) != before
    lock.write_text("aiohttp==1", "utf-8")
    project.write_text('[project]\nname = "b"\n', "utf-8")
    assert setup.fingerprint("cpython-3.11", lock, project) != before


def test_an_interrupted_set_up_is_not_built_upon(setup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin" / "python"
    python.write_text("#!/bin/sh\necho cpython-3.11\n", "utf-8")
    python.chmod(0o755)

    setup.write_stamp({"python": "cpython-3.11", "place": str(ROOT)})
    assert setup.usable(setup.read_stamp(), None)
    assert setup.usable(setup.read_stamp(), "cpython-3.11")
    assert not setup.usable(setup.read_stamp(), "cpython-3.12"), "somebody asked for another Python"

    setup.write_stamp({"python": "cpython-3.11", "place": "/where/it/was/before"})
    assert not setup.usable(setup.read_stamp(), None)

    setup.write_stamp(setup.UNFINISHED)
    assert not setup.usable(setup.read_stamp(), None)


def test_every_lock_file_that_is_installed_makes_a_set_up_due(setup: ModuleType) -> None:
    """`uv.txt` is for `make lock` alone, which installs it somewhere else."""
    assert {*setup.RUN_LOCKS, "test", "uv"} == {path.stem for path in (ROOT / "requirements").glob("*.txt")}

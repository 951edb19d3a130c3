"""What we ship: the wheel, built from this tree and installed in an environment of its own."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
import tomllib
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "openclaw_gateway"
DOCS = ROOT / "docs"
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input")


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{command}:\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    alone = ("--no-index", "--no-build-isolation", "--no-deps")
    run(*PIP, "wheel", *alone, "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def commands(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a fresh environment that has the wheel, and our dependencies from this one.

    A path file lends the dependencies: no network is needed. The editable installation here is not lent with
    them, because path files in a folder that was added by a path file are not read.
    """
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    lent, own = run(sys.executable, "-c", ask).strip(), run(python, "-c", ask).strip()
    (Path(own) / "lent.pth").write_text(f"{lent}\n", "utf-8")
    run(*PIP, "--python", python, "install", "--no-index", "--no-deps", "--ignore-installed", wheel)
    where = run(python, "-I", "-c", "import openclaw_gateway as g; print(g.__file__)").strip()
    assert Path(where).is_relative_to(own), "the wheel is not what is imported"
    return folder / "bin"


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    wanted = {
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    wanted |= {f"openclaw_gateway/docs/{path.relative_to(DOCS).as_posix()}" for path in DOCS.rglob("*.md")}
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        held = {name for name in names if name.startswith("openclaw_gateway/")}
        (record,) = (name for name in names if name.endswith(".dist-info/RECORD"))
        recorded = [row[0] for row in csv.reader(archive.read(record).decode().splitlines())]
    assert held == wanted
    assert sorted(recorded) == sorted(names)
    assert "openclaw_gateway/py.typed" in held
    assert any(name.startswith("openclaw_gateway/doors/ui/") and not name.endswith(".py") for name in held)


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    assert metadata["Name"] == "openclaw-gateway"
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Requires-Python"] == ">=3.11"


@pytest.mark.promise("wheel")
@pytest.mark.parametrize("command", ["openclaw", "clawdbot"])
def test_the_wheel_brings_both_commands(commands: Path, command: str) -> None:
    assert VERSION in run(commands / command, "--version")


def test_the_documentation_is_installed_with_it(commands: Path) -> None:
    """As it stands in this tree, though no such folder is near."""
    ask = (
        "import hashlib; from openclaw_gateway.doors.ui.documents import documents\n"
        "for page in documents().values(): print(page.name, hashlib.sha256(page.text.encode()).hexdigest())"
    )
    told = dict(line.rsplit(" ", 1) for line in run(commands / "python", "-I", "-c", ask).splitlines())
    assert told == {
        page.relative_to(DOCS).as_posix(): hashlib.sha256(page.read_bytes()).hexdigest()
        for page in DOCS.rglob("*.md")
    }

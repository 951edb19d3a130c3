"""What the tests need of the system: installed where that can be done, else said with a remedy."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def setup(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    # Where it is run as a script, what lies beside it is found.
    monkeypatch.syspath_prepend(ROOT / "requirements")
    spec = importlib.util.spec_from_file_location("install", ROOT / "requirements" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class System:
    """A machine with some programs and, maybe, an apt-get whose packages bring theirs."""

    def __init__(self, *programs: str, has: dict[str, str] | None = None, hangs: bool = False) -> None:
        self.programs = set(programs)
        self.has = has or {}
        self.hangs = hangs
        self.asked: list[tuple[str, ...]] = []

    def which(self, program: str) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def run(self, *command: str, **options: object) -> subprocess.CompletedProcess[str]:
        assert options["deadline_s"]
        self.asked.append(command)
        if self.hangs:
            raise subprocess.TimeoutExpired(command, 1)
        if "install" in command and command[-1] in self.has:
            self.programs.add(self.has[command[-1]])
        return subprocess.CompletedProcess(command, 0, "", "")


Install = Callable[..., str]


@pytest.fixture
def install(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Install:
    """Run the step on a system, as root or not; what it says."""

    def on(system: System, *, root: bool) -> str:
        monkeypatch.setattr(setup.shutil, "which", system.which)
        monkeypatch.setattr(setup, "run", system.run)
        monkeypatch.setattr(setup.os, "geteuid", lambda: 0 if root else 1000)
        setup.install_programs()
        return capsys.readouterr().out

    return on


ALL = ("bwrap", "node", "npm", "curl", "rg", "chromium")


def test_where_all_is_there_nothing_is_done(install: Install) -> None:
    system = System("apt-get", *ALL)
    assert install(system, root=True) == ""
    assert system.asked == []


def test_root_installs_what_is_missing_and_only_that(install: Install) -> None:
    system = System(
        "apt-get", "rg", "curl", "chromium", has={"bubblewrap": "bwrap", "nodejs": "node", "npm": "npm"}
    )
    said = install(system, root=True)
    assert "bubblewrap, nodejs, npm" in said
    assert "Not installed" not in said
    assert [words[-1] for words in system.asked] == ["update", "bubblewrap", "nodejs", "npm"]


def test_one_that_cannot_be_had_does_not_cost_the_others(install: Install) -> None:
    system = System("apt-get", "rg", "curl", "node", "npm", "chromium", has={})
    said = install(system, root=True)
    assert "Not installed here: bubblewrap." in said
    system = System("apt-get", "rg", "curl", "chromium", has={"npm": "npm"})
    assert "Not installed here: bubblewrap, nodejs." in install(system, root=True)


@pytest.mark.parametrize(
    ("system", "root", "remedy"),
    [
        (System("apt-get", "rg", "curl", "node", "npm", "chromium"), False, True),
        (System("rg", "curl", "node", "npm", "chromium"), True, False),
        (System("apt-get", "rg", "curl", "node", "npm", "chromium", hangs=True), True, True),
    ],
    ids=["no root", "no apt-get", "no network"],
)
def test_elsewhere_it_says_what_is_skipped_and_what_helps(
    install: Install, system: System, *, root: bool, remedy: bool
) -> None:
    said = install(system, root=root)
    assert "Not installed here: bubblewrap. The tests that need them are skipped." in said
    assert ("apt-get install bubblewrap" in said) is remedy

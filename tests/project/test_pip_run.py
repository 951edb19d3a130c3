"""`make setup` is never silent for long, and sums up in one sentence why it failed."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]

NO_NETWORK = """\
WARNING: Retrying (Retry(total=0)) after connection broken by 'NewConnectionError: no new connection:
 [Errno -3] Temporary failure in name resolution': /simple/flit-core/
ERROR: Could not find a version that satisfies the requirement flit-core==4.0.0 (from versions: none)
ERROR: No matching distribution found for flit-core==4.0.0
"""


@pytest.fixture
def pip_run(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "requirements"))
    return importlib.import_module("pip_run")


@pytest.mark.parametrize(
    ("output", "begins"),
    [
        (NO_NETWORK, "The package index cannot be reached: there is no network"),
        ("ERROR: No matching distribution found for uvloop==0.23", "uvloop==0.23 is not ready-made"),
        ("error: command 'gcc' failed: No such file or directory", "A package has to be compiled"),
        ("/usr/bin/python3: No module named ensurepip", "This Python cannot make virtual environments"),
        ("SSLError(SSLCertVerificationError('CERTIFICATE_VERIFY_FAILED'))", "The certificate"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE",
            "What the package index",
        ),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "The folder cannot be written"),
        ("something\nnew\n\n", "pip failed: new"),
        ("", "pip failed: it said nothing"),
    ],
)
def test_a_failure_is_one_sentence(pip_run: ModuleType, output: str, begins: str) -> None:
    told = pip_run.why(output)
    assert told.startswith(begins)
    assert "\n" not in told


def test_who_works_long_says_where_it_is(pip_run: ModuleType, tmp_path: Path) -> None:
    """What pip has printed last is told until it goes on, which it does once it was told twice."""
    goes_on = tmp_path / "go"
    script = f"""if True:
        print("Ignoring pywin32: markers 'sys_platform == \\"win32\\"' don't match your environment")
        print("Processing /files/aiosignal-1.4.0-py3-none-any.whl (from -r base.txt (line 2))")
        print("Collecting html-to-markdown==3.20 (from -r base.txt (line 3))", flush=True)
        print("  Downloading html_to_markdown-3.20-cp311-abi3-manylinux.whl (12.3 MB)", flush=True)
        open({str(goes_on)!r}).close()
    """
    os.mkfifo(goes_on)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:
            goes_on.write_bytes(b"")  # waits until it is opened there, too

    code, output = pip_run.watched((sys.executable, "-c", script), 38, say, 0.05)
    assert code == 0
    assert "html_to_markdown" in output
    assert said[-1] == "  2 of 37 packages: html-to-markdown (12.3 MB)"


def test_what_fails_is_given_back_whole(pip_run: ModuleType) -> None:
    code, output = pip_run.watched((sys.executable, "-c", "print('a'); raise SystemExit(3)"), 0, print)
    assert (code, output) == (3, "a\n")


def test_the_packages_of_a_lock_are_counted(pip_run: ModuleType, tmp_path: Path) -> None:
    lock = tmp_path / "base.txt"
    lock.write_text("# by make lock\naiohttp==3.14.5 \\\n    --hash=sha256:0\n    # via x\nclick==8.4\n")
    assert pip_run.packages_in(lock) == 2

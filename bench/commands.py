"""What a command costs before it says a word: processor time of the whole process, beside `python -c pass`.

    make startup

The processes take turns, so that what else the machine does falls on all alike; shown are medians. `agent` is
the whole of it: found its gateway, asked, and printed the answer of a model that needs no time.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.gateway_process import gateway, helper

TIMES = 15
_MODEL = "mock-20-0"
# (what is shown, what is typed, how many times `python -c pass` it may cost)
COMMANDS: tuple[tuple[str, tuple[str, ...], float | None], ...] = (
    ("python -c pass", ("-c", "pass"), None),
    ("openclaw --version", ("-m", "openclaw_gateway", "--version"), 10.0),
    ("openclaw agent hi", ("-m", "openclaw_gateway", "agent", "hi"), 30.0),
)


def cpu_ms(words: Sequence[str], environment: dict[str, str], folder: Path) -> float:
    """User and system time of one process, in milliseconds. Raises RuntimeError when it fails."""
    child = subprocess.Popen(
        (sys.executable, *words),
        env=environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert child.stdout is not None
    with child.stdout:
        said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(words)} failed: {said.decode(errors='replace')}")
    return (used.ru_utime + used.ru_stime) * 1000


def measured(times: int) -> dict[str, float]:
    """The median of each command, in milliseconds."""
    taken: dict[str, list[float]] = {shown: [] for shown, _, _ in COMMANDS}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openclaw-bench-")))
        model = stack.enter_context(helper("bench.mock_model"))
        stack.enter_context(gateway(folder, model.port, [_MODEL]))
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(folder),
            "OPENCLAW_STATE_DIR": str(folder / "state"),
        }
        for number in range(times + 1):
            for shown, words, _ in COMMANDS:
                used = cpu_ms(words, environment, folder)
                if number:  # the first writes what Python keeps of the modules
                    taken[shown].append(used)
    return {shown: statistics.median(each) for shown, each in taken.items()}


def main() -> int:
    found = measured(TIMES)
    floor = found[COMMANDS[0][0]]
    print("| command | ms of processor time | times python -c pass | may cost |")
    print("|---|---|---|---|")
    for shown, _, budget in COMMANDS:
        may = "" if budget is None else f"{budget:g}"
        print(f"| `{shown}` | {found[shown]:.0f} | {found[shown] / floor:.1f} | {may} |")
    over = any(budget is not None and found[shown] > budget * floor for shown, _, budget in COMMANDS)
    return int(over)


if __name__ == "__main__":
    sys.exit(main())

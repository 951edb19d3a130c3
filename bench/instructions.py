"""What a request costs in instructions: the same on every machine, whatever else it does.

The target runs under valgrind's callgrind, which counts. The figure is the slope between two loads: what a
start, a warm-up or a new connection costs is in both, and falls out.
"""

from __future__ import annotations

import contextlib
import shutil
import statistics
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench.gateway_process import Process, StartError, gateway, helper
from bench.measure import Target, job_for, run_load
from bench.rows import COST, Row

# Deltas must still come one by one to a process that is fifty times slower.
_SLOWER = 5
_CLIENTS = 16
_WARM_UP, _FEW, _MANY = 48, 32, 96


@dataclass(frozen=True)
class Counted:
    """Thousands of instructions per request, or per delta of a paced row."""

    row: Row
    thousands: dict[str, float]
    wrong: list[str] = field(default_factory=list)


def counted_rows(keys: set[str]) -> list[Row]:
    """Rows that have a ratio to the relay; all of them unless some are named."""
    return [row for row in COST if row.relay_ratio is not None and (not keys or row.key in keys)]


def count(
    rows: list[Row], folder: Path, model: Process, address: str, gateways: dict[str, Path], *, rounds: int
) -> list[Counted]:
    """`gateways` are to be counted beside the relay, by name, with the Python of each; the median of so many
    rounds. Raises StartError."""
    if shutil.which("valgrind") is None:
        raise StartError("--instructions needs valgrind: apt-get install valgrind")
    slowed = [_slowed(row) for row in rows]
    with contextlib.ExitStack() as stack:
        relay = stack.enter_context(helper("bench.relay", address, counter=_callgrind(folder / "relay")))
        targets = [(Target("relay", relay, is_gateway=False), folder / "relay")]
        models = sorted({row.model for row in slowed})
        for name, python in gateways.items():
            counts = folder / name
            counter = _callgrind(counts)
            process = stack.enter_context(
                gateway(folder / f"{name}-home", model.port, models, counter, python)
            )
            targets.append((Target(name, process, is_gateway=True), counts))
        return [_counted(row, was, targets, rounds) for row, was in zip(slowed, rows, strict=True)]


def _slowed(row: Row) -> Row:
    return replace(row, gap_us=row.gap_us * _SLOWER, clients=_CLIENTS)


def _counted(row: Row, was: Row, targets: list[tuple[Target, Path]], rounds: int) -> Counted:
    slopes: dict[str, list[float]] = {target.name: [] for target, _ in targets}
    wrong = []
    for number in range(rounds):
        for target, counts in targets:
            spent = []
            for requests in (*(() if number else (_WARM_UP,)), _FEW, _MANY):
                result = run_load(job_for(target, replace(row, requests=requests)))
                wrong += [f"{target.name}: {result.wrong} wrong answers: {text}" for text in result.errors]
                spent.append(_spent(target.process, counts))
            slopes[target.name].append((spent[-1] - spent[-2]) / (_MANY - _FEW))
    unit = 1000 * (row.deltas if row.kind == "delta" else 1)
    return Counted(was, {name: statistics.median(found) / unit for name, found in slopes.items()}, wrong)


def _callgrind(counts: Path) -> list[str]:
    counts.mkdir()
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={counts}/count"]


def _spent(process: Process, counts: Path) -> int:
    """Instructions since the last time this was asked."""
    for old in counts.iterdir():
        old.unlink()
    dump = ["callgrind_control", "--dump", str(process.pid)]
    subprocess.run(dump, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=120)
    totals = 0
    for file in counts.iterdir():
        for line in file.read_text("utf-8", "replace").splitlines():
            if line.startswith("totals:"):
                totals += int(line.split()[1])
    if not totals:
        raise StartError("callgrind wrote no count")
    return totals

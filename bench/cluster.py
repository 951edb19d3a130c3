"""`make bench BENCH=--cluster`: what PostgreSQL, Valkey and more processes cost and give, in one run.

All gateways run at once, each kind with a database of its own, and are loaded in turn, round by round. On a
machine of two processors the load and the model server take their part of them: what a gateway could do on
processors of its own is told by its processor time, which is measured beside the rate.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import statistics
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.cross_replica import Later, later
from bench.engines import Engines, engines
from bench.gateway_process import TOKEN, Process, gateway, helper
from bench.load import Job, Result
from bench.measure import run_load
from bench.mock_model import pieces
from bench.rows import QUESTION

# Of each process: with half as many for each of two, neither would have what one can bear.
CLIENTS = 32
_MODEL = "mock-20-0"
_PACED, _PACED_DELTAS, _PACED_GAP_S = "mock-50-20000", 50, 0.02


@dataclass(frozen=True)
class Kind:
    """So many processes. `shared` ones have PostgreSQL and Valkey, the other a file and its own memory."""

    key: str
    title: str
    processes: int
    shared: bool


@dataclass(frozen=True)
class Work:
    """What is asked. With `session` each request makes a session and commits a turn."""

    key: str
    title: str
    stream: bool
    session: bool


@dataclass(frozen=True)
class Figures:
    """`cpu_ms` is what all processes of the kind together spent on one request."""

    rate: float
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    wrong: list[str] = field(default_factory=list)


ALONE = Kind("sqlite", "one process, SQLite", 1, shared=False)
ONE, TWO, FOUR = (
    Kind(f"shared-{count}", f"{word}, PostgreSQL and Valkey", count, shared=True)
    for count, word in ((1, "one process"), (2, "two processes"), (4, "four processes"))
)
KINDS = (ALONE, ONE, TWO, FOUR)
STREAM = Work("stream", "stateless, stream of 20 deltas", stream=True, session=False)
TURN = Work("turn", "a session's turn, one answer", stream=False, session=True)
WORKS = (STREAM, TURN)


@dataclass(frozen=True)
class Report:
    """`taken` by work and kind, one for each round; `figures` are their medians."""

    taken: dict[str, dict[str, list[Figures]]]
    across: Later
    rounds: int

    @property
    def figures(self) -> dict[str, dict[str, Figures]]:
        return {work: {kind: _median(each) for kind, each in row.items()} for work, row in self.taken.items()}

    def ratio(self, work: Work, name: str, one: Kind, other: Kind) -> float:
        """Of the figure `name`, `one` to `other`: the median of what it is in each round, in which both have
        the same hour of the machine."""
        row = self.taken[work.key]
        pairs = zip(row[one.key], row[other.key], strict=True)
        ratios: list[float] = [getattr(a, name) / getattr(b, name) for a, b in pairs]
        return statistics.median(ratios)

    @property
    def wrong(self) -> list[str]:
        found = [text for row in self.figures.values() for one in row.values() for text in one.wrong]
        return [*found, *self.across.wrong]

    def as_json(self) -> dict[str, Any]:
        return {
            "machine": machine(),
            "rounds": self.rounds,
            "figures": {key: {k: asdict(one) for k, one in row.items()} for key, row in self.figures.items()},
            "across": asdict(self.across),
        }


def machine() -> str:
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} processors ({model}), Linux, Python {platform.python_version()}"


def run(folder: Path, *, quick: bool, rounds: int) -> Report:
    """Raises StartError, and NotInstalled where there are no engines."""
    requests = 400 if quick else 3000
    taken: dict[str, dict[str, list[Figures]]] = {}
    with contextlib.ExitStack() as stack:
        model = stack.enter_context(helper("bench.mock_model"))
        shared = stack.enter_context(engines(folder))
        running = {kind.key: _started(stack, folder, model, kind, shared) for kind in KINDS}
        for work in WORKS:
            for number in range(-1, rounds):
                for kind in KINDS if number % 2 else reversed(KINDS):
                    count = min(requests, 400) if number < 0 else requests
                    one = measured(running[kind.key], work, count)
                    if number >= 0:
                        taken.setdefault(work.key, {}).setdefault(kind.key, []).append(one)
        here, there = running[TWO.key]
        runs, times = (4, 1) if quick else (20, 5)
        across = asyncio.run(
            later(
                here.port,
                there.port,
                _PACED,
                deltas=_PACED_DELTAS,
                gap_s=_PACED_GAP_S,
                runs=runs,
                rounds=times,
            )
        )
    return Report(taken, across, rounds)


def _started(
    stack: contextlib.ExitStack, folder: Path, model: Process, kind: Kind, shared: Engines
) -> list[Process]:
    more = shared.sections(kind.key) if kind.shared else {}
    return [
        stack.enter_context(gateway(folder / f"{kind.key}-{number}", model.port, [_MODEL, _PACED], more=more))
        for number in range(kind.processes)
    ]


def measured(processes: Sequence[Process], work: Work, requests: int) -> Figures:
    """The load comes from two processes at least, so that none of them is what is measured."""
    loads = max(2, len(processes))
    jobs = [
        Job(
            port=processes[number % len(processes)].port,
            token=TOKEN,
            model=f"openclaw/{_MODEL}",
            stream=work.stream,
            requests=requests // loads,
            clients=CLIENTS * len(processes) // loads,
            messages=[QUESTION],
            expected=pieces(20),
            user=f"bench-{os.urandom(6).hex()}" if work.session else "",
        )
        for number in range(loads)
    ]
    before = sum(process.cpu_seconds() for process in processes)
    with ThreadPoolExecutor(loads) as pool:
        results: list[Result] = list(pool.map(run_load, jobs))
    spent = sum(process.cpu_seconds() for process in processes) - before
    done = sum(job.requests for job in jobs)
    return Figures(
        rate=sum(job.requests / result.seconds for job, result in zip(jobs, results, strict=True)),
        cpu_ms=spent / done * 1000,
        p50_ms=statistics.fmean(result.took_p50 for result in results),
        p99_ms=max(result.took_p99 for result in results),
        wrong=[text for result in results for text in result.errors],
    )


def _median(rounds: Sequence[Figures]) -> Figures:
    middle = {
        name: statistics.median(getattr(one, name) for one in rounds)
        for name in ("rate", "cpu_ms", "p50_ms", "p99_ms")
    }
    wrong = list(dict.fromkeys(text for one in rounds for text in one.wrong))
    return replace(Figures(**middle), wrong=wrong)

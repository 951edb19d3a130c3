"""What a bench of the cluster found, for a person: the table, and with `--write` what docs/performance.md
shows of it."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.cluster import ALONE, KINDS, ONE, STREAM, TURN, TWO, WORKS, Report, Work, machine, run
from bench.plot import Panel, Series, svg

_DOCS = Path(__file__).resolve().parents[1] / "docs"
_PLOT = _DOCS / "performance.svg"
_PAGE = _DOCS / "performance.md"
# Between these headings of the page stands what is written here.
_BEGIN, _END = "## Figures", "## What they mean"
_SHARED = [kind for kind in KINDS if kind.shared]


def judged(report: Report) -> list[tuple[str, str, str]]:
    """(what, the figure, what it should be), each a ratio of one run, or milliseconds."""
    across = report.across
    return [
        (
            "two processes on processors of their own against one, streams",
            f"{_apart(report, STREAM):.2f} times",
            "1.8 times or more",
        ),
        ("the same, turns", f"{_apart(report, TURN):.2f} times", "1.8 times or more"),
        (
            "here, where load and engines take their part of the processors, streams",
            f"{report.ratio(STREAM, 'rate', TWO, ONE):.2f} times",
            "",
        ),
        ("a delta at another replica, median", f"{across.p50:.2f} ms later", "1 ms or less"),
        ("a delta at another replica, 99th percentile", f"{across.p99:.2f} ms later", ""),
        (
            "processor time of a turn, PostgreSQL against SQLite",
            f"{report.ratio(TURN, 'cpu_ms', ONE, ALONE):.2f} times",
            "1.5 times or less",
        ),
        (
            "turns per second, PostgreSQL against SQLite",
            f"{report.ratio(TURN, 'rate', ONE, ALONE):.2f} times",
            "",
        ),
    ]


def _apart(report: Report, work: Work) -> float:
    """How many times as much two processes would do as one, each with a processor to itself: what a request
    costs in processor time is all that would hinder them."""
    return 2 * report.ratio(work, "cpu_ms", ONE, TWO)


def as_table(report: Report) -> str:
    lines = [
        "| | requests/s | ms of processor time each | median ms | 99th percentile ms |",
        "|---|---|---|---|---|",
    ]
    for work in WORKS:
        for kind in KINDS:
            one = report.figures[work.key][kind.key]
            cells = f"{one.rate:,.0f} | {one.cpu_ms:.2f} | {one.p50_ms:.0f} | {one.p99_ms:.0f}"
            lines.append(f"| {work.title}; {kind.title} | {cells} |")
    lines += ["", "| | here | goal |", "|---|---|---|"]
    lines += [f"| {what} | {figure} | {goal} |" for what, figure, goal in judged(report)]
    return "\n".join(lines)


def plot(report: Report) -> str:
    places = [str(kind.processes) for kind in _SHARED]
    panels = [
        Panel(
            title,
            "processes of the gateway",
            places,
            [
                Series(name, [float(getattr(report.figures[work.key][kind.key], field)) for kind in _SHARED])
                for work, name in ((STREAM, "streams"), (TURN, "turns"))
            ],
        )
        for title, field in (
            ("requests per second", "rate"),
            ("ms to the end of an answer, median", "p50_ms"),
            ("ms, 99th percentile", "p99_ms"),
        )
    ]
    return svg(panels, "Throughput and latency over one, two and four processes")


def written(page: str, report: Report, day: str) -> str:
    """The page with the newest figures between its marks."""
    head, _, rest = page.partition(_BEGIN)
    _, mark, tail = rest.partition(_END)
    if not mark:
        raise ValueError(f"the page lacks {_BEGIN} and {_END}")
    where = f"{machine()}, {day}; medians of {report.rounds} rounds, of ratios too."
    return f"{head}{_BEGIN}\n\n{where}\n\n{as_table(report)}\n\n{_END}{tail}"


def main(options: argparse.Namespace) -> int:
    """Raises StartError, and NotInstalled where there are no engines."""
    with tempfile.TemporaryDirectory(prefix="openclaw-bench-") as folder:
        rounds = 1 if options.quick else options.rounds or 9
        report = run(Path(folder), quick=options.quick, rounds=rounds)
    if options.json:
        print(json.dumps(report.as_json(), indent=1))
    else:
        print(f"{machine()}\n\n{as_table(report)}")
    for text in report.wrong:
        print(f"\nWRONG: {text}", file=sys.stderr)
    if options.write:
        _PLOT.write_text(plot(report), "utf-8")
        page = written(_PAGE.read_text("utf-8"), report, time.strftime("%-d %B %Y"))
        _PAGE.write_text(page, "utf-8")
    return 1 if report.wrong else 0

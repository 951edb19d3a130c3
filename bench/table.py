"""The table, for a person: budget, measured, verdict, and the bare relay beside it."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass

from bench.instructions import Counted
from bench.measure import Measured
from bench.rows import IDLE, UNITS, Row

READY_BUDGET_S = 0.5
IDLE_BUDGET_MB = 70.0
SOCKET_BUDGET_KB = 30.0


# Beside the figure that has a budget, one that helps to understand it: the rate, the time to the first delta
# at the median, or how much of one processor the gateway used.
LAST_COLUMN = {"cpu": "req/s", "delta": "1st ms", "span": "1st ms", "gap": "busy"}


@dataclass(frozen=True)
class Line:
    row: Row
    measured: dict[str, Measured]


@dataclass(frozen=True)
class Start:
    ready_s: float
    idle_mb: float
    socket_kb: float


def verdict(value: float, budget: float) -> str:
    return "within" if value <= budget else f"OVER by {100 * (value / budget - 1):.0f} %"


def change(before: float | None, value: float) -> str:
    """How much more or less than the version of `--against`, in two cells; nothing without one."""
    return f"{number(before):>9}{100 * (value / before - 1):>+7.0f} %" if before else ""


BEFORE_HEAD = f"{'before':>9}{'change':>9}"


def number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def print_table(
    lines: list[Line], start: Start | None, *, loaded_mb: float, load_before: float, rounds: int
) -> None:
    print(f"Medians of {rounds} interleaved round{'s'[: rounds > 1]}, whole process with all its threads.")
    processors = f"{os.cpu_count()} processors, Python {platform.python_version()}"
    print(f"{processors}, load average {load_before:.2f} before the first.")
    for kind, unit in UNITS.items():
        of_kind = [line for line in lines if line.row.kind == kind]
        if of_kind:
            last = LAST_COLUMN[kind]
            compared = BEFORE_HEAD if any("before" in line.measured for line in of_kind) else ""
            columns = f"{'budget':>8}{'gateway':>9}{'relay':>8}{'ratio':>7}{last:>8}{compared}"
            print(f"\n{unit:42}{columns}   verdict")
            for line in of_kind:
                print_line(line, next((each for each in lines if each.row.key == line.row.times_of), None))
    if start is not None:
        print(f"\n{'Start':42}{'budget':>8}{'gateway':>9}")
        print_start("  seconds until /ready is 200", start.ready_s, READY_BUDGET_S)
        print_start("  MB of memory, idle", start.idle_mb, IDLE_BUDGET_MB)
        print_start(f"  KB of memory, each of {IDLE:,} WebSockets", start.socket_kb, SOCKET_BUDGET_KB)
        print(f"  {'MB of memory after the load':40}{'':8}{number(loaded_mb):>9}")
    for line in lines:
        for name, one in line.measured.items():
            for text in one.wrong:
                print(f"\nWRONG: {line.row.key}, {name}: {text}")


def print_counted(counted: list[Counted]) -> None:
    """What a request costs in instructions, judged by the relay's."""
    print("Instructions, the slope between two loads; the same on every machine.")
    compared = BEFORE_HEAD if any("before" in one.thousands for one in counted) else ""
    head = f"{'budget':>8}{'gateway':>9}{'relay':>8}{'ratio':>7}{compared}   verdict"
    print(f"\n{'thousands per request, or per delta':42}{head}")
    for one in counted:
        relay, measured = one.thousands["relay"], one.thousands.get("gateway")
        budget = one.row.relay_ratio or 0.0
        cells = [f"{budget:.1f}x", f"{measured:,.0f}" if measured else "-", f"{relay:,.0f}"]
        ratio = f"{measured / relay:.2f}x" if measured else "-"
        told = "WRONG ANSWERS" if one.wrong else verdict(measured / relay, budget) if measured else "-"
        compared = change(one.thousands.get("before"), measured) if measured else ""
        print(f"  {one.row.title:40}{cells[0]:>8}{cells[1]:>9}{cells[2]:>8}{ratio:>7}{compared}   {told}")
    for one in counted:
        for text in one.wrong:
            print(f"\nWRONG: {one.row.key}, {text}")


def print_line(line: Line, base: Line | None) -> None:
    """`base` is the line of the row that this one's budget is a multiple of."""
    relay, gateway = line.measured["relay"], line.measured.get("gateway")
    shown = gateway or relay
    budget = number(line.row.budget) + (" x" if line.row.times_of else "")
    cells = [budget, number(gateway.value) if gateway else "-", number(relay.value)]
    ratio = f"{gateway.value / relay.value:.2f}x" if gateway and relay.value else "-"
    told = "WRONG ANSWERS" if shown.wrong else judged(line, base) if gateway else "-"
    last = {
        "cpu": f"{shown.requests_per_s:,.0f}",
        "delta": number(shown.first_delta_p50_ms),
        "span": number(shown.first_delta_p50_ms),
        "gap": f"{shown.busy:.0%}",
    }[line.row.kind]
    before = line.measured.get("before")
    compared = change(before.value, gateway.value) if before and gateway else ""
    print(
        f"  {line.row.title:40}{cells[0]:>8}{cells[1]:>9}{cells[2]:>8}{ratio:>7}{last:>8}{compared}   {told}"
    )


def judged(line: Line, base: Line | None) -> str:
    value = line.measured["gateway"].value
    if base is None:
        return verdict(value, line.row.budget)
    times = value / base.measured["gateway"].value
    return f"{times:.2f} x {base.row.key}: {verdict(times, line.row.budget)}"


def print_start(title: str, value: float, budget: float) -> None:
    print(f"{title:42}{number(budget):>8}{number(value):>9}{'':23}   {verdict(value, budget)}")

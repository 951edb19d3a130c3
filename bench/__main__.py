"""`make bench`: the gateway against its budget, next to a bare relay in the same run, as a table."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import platform
import resource
import statistics
import sys
import tempfile
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.gateway_process import Process, StartError, gateway, helper, python_of
from bench.instructions import count, counted_rows
from bench.measure import Measured, Target, measure, median, warm_up
from bench.rows import COST, IDLE, Row, sustained
from bench.sockets import listening
from bench.table import Line, Start, print_counted, print_table


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one short round: a look, not a figure")
    parser.add_argument("--long", action="store_true", help="sustained streams for 60 s, and 1,000 of them")
    parser.add_argument(
        "--rounds",
        type=int,
        help="interleaved rounds, of which medians are shown (5; of --cluster 9, of instructions 1)",
    )
    parser.add_argument("--rows", default="", help="only these, by key: plain,stream,paced,...")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument(
        "--instructions", action="store_true", help="count instructions instead of seconds (needs valgrind)"
    )
    parser.add_argument(
        "--against", type=Path, metavar="CHECKOUT", help="another version in the same run, with its own .venv"
    )
    parser.add_argument("--relay-only", action="store_true", help="the floor alone, without a gateway")
    parser.add_argument(
        "--cluster", action="store_true", help="one, two and four processes on PostgreSQL and Valkey"
    )
    parser.add_argument("--write", action="store_true", help="with --cluster: also into docs/performance.md")
    return parser.parse_args()


def chosen_rows(options: argparse.Namespace) -> list[Row]:
    rows = [*COST, *sustained(60 if options.long else 3 if options.quick else 10)]
    if options.rows:
        wanted = set(options.rows.split(","))
        if unknown := wanted - {row.key for row in rows}:
            sys.exit(
                f"No such row: {', '.join(sorted(unknown))}. There are: {', '.join(r.key for r in rows)}"
            )
        wanted |= {row.times_of for row in rows if row.key in wanted and row.times_of}
        rows = [row for row in rows if row.key in wanted]
    if options.quick:
        rows = [replace(row, requests=max(row.clients, row.requests // 5)) for row in rows]
    return rows


def measure_start(folder: Path, model: Process, models: list[str], times: int) -> Start:
    """How long until a gateway can be used, and how much memory it holds before anybody has used it."""
    seconds, memory, each = [], [], 0.0
    for number in range(times):
        with gateway(folder / f"start-{number}", model.port, models) as process:
            seconds.append(process.ready_s)
            memory.append(process.resident_mb())
            if number == 0:
                before = process.own_kb()
                with listening(process.port, IDLE, subscribed=False):
                    each = (process.own_kb() - before) / IDLE
    return Start(statistics.median(seconds), statistics.median(memory), each)


def measure_rows(rows: list[Row], targets: list[Target], model: Process, rounds: int) -> list[Line]:
    """Round by round and target by target in turn, so that what else the machine does falls on all alike."""
    taken: dict[tuple[str, str], list[Measured]] = {}
    for row in rows:
        # Sustained rows are long enough to be one round each.
        for number in range(-1, 1 if row.kind == "gap" else rounds):
            if row.kind == "gap" and number < 0:
                continue
            for target in targets if number % 2 else reversed(targets):
                note(f"{row.key}: {target.name}, {'warming up' if number < 0 else f'round {number + 1}'}")
                one = (warm_up if number < 0 else measure)(target, row, model)
                if number >= 0:
                    taken.setdefault((row.key, target.name), []).append(one)
    return [Line(row, {t.name: median(taken[row.key, t.name]) for t in targets}) for row in rows]


def measured_gateways(options: argparse.Namespace) -> dict[str, Path]:
    """By name, the Python of each; the last is this version. Raises StartError."""
    if options.relay_only:
        return {}
    before = {"before": python_of(options.against)} if options.against else {}
    return before | {"gateway": Path(sys.executable)}


def note(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def run(options: argparse.Namespace) -> int:
    rows = chosen_rows(options)
    models = sorted({row.model for row in rows})
    rounds = 1 if options.quick else options.rounds or 5
    gateways = measured_gateways(options)
    load_before = os.getloadavg()[0]  # on a machine that does other work too, figures are too high
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="openclaw-bench-")))
        model = stack.enter_context(helper("bench.mock_model"))
        address = f"http://127.0.0.1:{model.port}/v1/chat/completions"
        if options.instructions:
            return count_instructions(options, folder, model, address, gateways)
        relay = stack.enter_context(helper("bench.relay", address))
        targets = [Target("relay", relay, is_gateway=False)]
        start = measure_start(folder, model, models, 1 if options.quick else 5) if gateways else None
        for name, python in gateways.items():
            process = stack.enter_context(gateway(folder / name, model.port, models, python=python))
            targets.append(Target(name, process, is_gateway=True))
        lines = measure_rows(rows, targets, model, rounds)
        note("")
        loaded_mb = targets[-1].process.resident_mb()
    if options.json:
        print(json.dumps(as_json(lines, start, loaded_mb, load_before), indent=1))
    else:
        print_table(lines, start, loaded_mb=loaded_mb, load_before=load_before, rounds=rounds)
    return 1 if any(one.wrong for line in lines for one in line.measured.values()) else 0


def count_instructions(
    options: argparse.Namespace, folder: Path, model: Process, address: str, gateways: dict[str, Path]
) -> int:
    rows = counted_rows(set(options.rows.split(",")) - {""})
    counted = count(rows, folder, model, address, gateways, rounds=options.rounds or 1)
    if options.json:
        print(
            json.dumps(
                [{"key": one.row.key, "thousands": one.thousands, "wrong": one.wrong} for one in counted]
            )
        )
    else:
        print_counted(counted)
    return 1 if any(one.wrong for one in counted) else 0


def as_json(lines: list[Line], start: Start | None, loaded_mb: float, load_before: float) -> dict[str, Any]:
    return {
        "machine": {
            "cpus": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.platform(),
        },
        "start": start and asdict(start),
        "memory_after_load_mb": loaded_mb,
        "rows": [
            {
                "key": line.row.key,
                "kind": line.row.kind,
                "budget": line.row.budget,
                "times_of": line.row.times_of,
            }
            | {name: asdict(one) for name, one in line.measured.items()}
            for line in lines
        ],
    }


def main() -> int:
    # A thousand streams are two thousand sockets for whoever stands in the middle.
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        options = read_options()
        if options.cluster:
            # It needs what `make setup` does not install: the engines of the tests.
            return int(importlib.import_module("bench.cluster_report").main(options))
        return run(options)
    except StartError as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

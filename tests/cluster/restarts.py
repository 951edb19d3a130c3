"""`make rolling`: replicas behind a balancer are ended in order and started again, RESTARTS times, while
clients ask, and how it went into docs/trials.md. Ends with 1 when one had no answer at its first attempt.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import textwrap
import time
from collections import Counter
from pathlib import Path

import click

from openclaw_gateway.logs import configure_logging
from openclaw_gateway.testing.model_server import ModelServer
from tests.cluster.report import machine
from tests.cluster.rolling import CLIENTS, Rolled, rolled
from tests.cluster.shared import NAMES, cluster, engines
from tests.docs.sections import TRIALS, with_section

TITLE = "## `make rolling`: "
_LEASE_S = 15.0


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make rolling", description=__doc__)
    parser.add_argument("--restarts", type=int, default=20)
    return parser.parse_args()


async def main(options: argparse.Namespace) -> int:
    configure_logging(level="silent")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="rolling-") as name:
        folder = Path(name)
        async with (
            ModelServer(keeps=1) as models,
            engines(folder / "engines") as shared,
            cluster(folder, models, shared, lease_s=_LEASE_S) as found,
        ):
            outcome = await rolled(found, options.restarts, random.SystemRandom())
    for one in outcome.wrong:
        click.echo(one)
    section = told(outcome, time.monotonic() - began, time.strftime("%-d %B %Y"))
    click.echo(section)
    TRIALS.write_text(with_section(TRIALS.read_text("utf-8"), TITLE, section), "utf-8")
    return 1 if outcome.wrong or {*outcome.statuses} != {0} else 0


def told(outcome: Rolled, seconds: float, day: str) -> str:
    codes = Counter(one.code for one in outcome.wrong)
    errors = "; ".join(f"{code} {count} times" for code, count in sorted(codes.items())) or "none"
    statuses = ", ".join(map(str, sorted({*outcome.statuses})))
    how = (
        f"{machine()}, {day}. {len(NAMES)} processes, {CLIENTS} clients, {len(outcome.statuses)} restarts in "
        f"{seconds:.0f} s: {outcome.answers:,} answers, half of them streams; errors at the first attempt: "
        f"{errors}. Exit status of those that were ended: {statuses}. Load of the "
        f"machine, other work included: {os.getloadavg()[1]:.0f}."
    )
    title = f"{TITLE}processes that are ended in order and started again, behind a balancer"
    return "\n".join([title, "", textwrap.fill(how, 120), ""])


if __name__ == "__main__":
    sys.exit(asyncio.run(main(read_options())))

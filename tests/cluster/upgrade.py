"""`make upgrade-trial`: this release takes the place of an older one, process by process, and how it went
into docs/trials.md. FROM is the commit of the older one; without it, the last before the newest part of the
schema. MINUTES of it, drawn from SEED. Ends with 1 when a promise was broken.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from openclaw_gateway.logs import configure_logging
from tests.cluster.checker import violations
from tests.cluster.claim_rules import takeovers
from tests.cluster.releases import NoRelease, Release, before_the_newest_schema, this, unpacked
from tests.cluster.report import machine, table
from tests.cluster.upgrading import ROLES, STEPS, Upgraded, upgraded
from tests.cluster.violation import Violation
from tests.docs.sections import TRIALS, with_section

TITLE = "## `make upgrade-trial`: "


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make upgrade-trial", description=__doc__)
    parser.add_argument("--from", dest="older", default="", help="the commit of the older release")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    return parser.parse_args()


async def main(options: argparse.Namespace) -> int:
    configure_logging(level="silent")
    click.echo(f"SEED={options.seed}")
    with tempfile.TemporaryDirectory(prefix="upgrade-") as name:
        folder = Path(name)
        newer = this()
        older = await unpacked(options.older or before_the_newest_schema(), folder / "older")
        outcome = await upgraded(
            folder / "trial", older, newer, seconds=60 * options.minutes, seed=options.seed
        )
    broken = violations(outcome.history, late_s=float("inf"))
    for each in broken:
        click.echo(f"{each.kind}: {each.what}")
    for one in outcome.wrong:
        click.echo(one)
    section = told(outcome, broken, (older, newer), seed=options.seed, day=time.strftime("%-d %B %Y"))
    click.echo(section)
    TRIALS.write_text(with_section(TRIALS.read_text("utf-8"), TITLE, section), "utf-8")
    failed = broken or outcome.wrong or {*outcome.statuses} != {0}
    return 1 if failed else 0


def told(
    outcome: Upgraded, broken: Sequence[Violation], releases: tuple[Release, Release], *, seed: int, day: str
) -> str:
    older, newer = releases
    ended = sum(not step.is_killed for step in STEPS)
    answers = len({asked.key for asked in outcome.history.asked if asked.answer is not None})
    taken_over = len(tuple(takeovers(outcome.history)))
    rows = {
        "runs": f"{len(outcome.history.runs):,}",
        "questions answered": f"{answers:,}",
        "runs stopped": f"{outcome.done['stopped']:,}",
        "streams cut and read on": f"{outcome.done['came back']:,}",
        "sessions whose holder's lease ended": f"{taken_over:,}",
        "turns lost, doubled, half there, out of order; writes by who lost its claim; runs left open": (
            f"{len(broken):,}"
        ),
        "stops that stopped nothing; streams told otherwise the second time": f"{len(outcome.wrong):,}",
        f"instead of an answer, before there was one, while {ended} processes were ended in order": _counted(
            outcome.orderly
        ),
        f"the same, while {len(STEPS) - ended} processes were killed": _counted(outcome.killed),
    }
    how = (
        f"{machine()}, {day}. From {older.commit} (schema {outcome.schemas[0]}) to {newer.commit} (schema "
        f"{outcome.schemas[1]}) in {outcome.seconds / 60:.0f} minutes, seed {seed}: {', '.join(ROLES)}, "
        "which are replaced one after the other, some by the older release again for a while, under a "
        "load of questions, streams, stops and returns that come through a balancer."
    )
    title = f"{TITLE}one release after the other, on the same PostgreSQL and Valkey"
    return "\n".join([title, "", textwrap.fill(how, 120), "", table("what", "found", rows)])


def _counted(refused: Counter[str]) -> str:
    return "; ".join(f"{what} {count:,} times" for what, count in sorted(refused.items())) or "nothing"


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(read_options())))
    except NoRelease as reason:
        click.echo(str(reason), err=True)
        sys.exit(2)

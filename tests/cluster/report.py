"""How trials of a cluster went, as the page docs/cluster-chaos.md. Pure but for the machine that it names."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from tests.cluster.aborting import Aborted
from tests.cluster.resuming import Resumed
from tests.cluster.rolling import Rolled
from tests.cluster.trial import CLIENTS_EACH, SESSIONS, Outcome
from tests.cluster.violation import Violation

# What a takeover may take, once the lease has ended.
SOON_S = 0.5
_BROKEN = "turns lost, doubled, half there, out of order; gaps; writes by who lost its claim; runs left open"
_HEAD = """# How a cluster came through troubles

`make cluster-chaos` writes this page (`MINUTES=30`; `SEED` for the same troubles again): replicas of the
gateway as processes that share a PostgreSQL and a Valkey, each over a network that fails when it is told to.
Clients ask at any replica and ask again, under the same `Idempotency-Key`, where they had no answer. Triggers
in the database note who held a session when and who wrote what; then a checker reads all of it. Time in which
the database was away counts as no time without a holder. `make test` does one minute of it.
"""


class Moves(Struct, frozen=True):
    """`misnamed` of twice `names`, half of them with a replica that is killed, had more than one answer."""

    cut: Resumed
    stopped: Aborted
    bus_away: Aborted
    rolling: Rolled
    names: int
    misnamed: int


def told(
    outcome: Outcome, found: Sequence[Violation], moves: Moves, *, seed: int, lease_s: float, day: str
) -> str:
    slow = late(outcome)
    waits_s = [one.waited_s for one in outcome.takeovers]
    runs = outcome.history.runs
    rows = {
        "runs": f"{len(runs):,}",
        "questions answered": f"{outcome.answers:,}",
        "attempts": f"{len(outcome.history.asked):,}",
        "calls of the model": f"{outcome.calls:,}",
        _BROKEN: f"{len(found):,}",
        "sessions whose holder's lease ended": f"{len(waits_s):,}",
        "without a holder after that, median": _seconds(waits_s, 0.5),
        "99th percentile": _seconds(waits_s, 0.99),
        f"longer than {SOON_S} s": f"{len(slow):,}",
    }
    cut, stopped, away, rolling = moves.cut, moves.stopped, moves.bus_away, moves.rolling
    moved = {
        f"{cut.cuts:,} streams cut and gone on at another replica": f"{len(cut.wrong)} not the same bytes",
        f"{len(stopped.took_ms):,} runs stopped from another replica": _closed(stopped),
        f"{len(away.took_ms):,} the same, while Valkey is away": _closed(away),
        f"{len(rolling.statuses)} rolling restarts": (
            f"{len(rolling.wrong)} errors in {rolling.answers:,} answers"
        ),
        f"{2 * moves.names} names, each asked 50 times at once at all, {moves.names} times with kill -9": (
            f"{moves.misnamed} with more than one run or answer"
        ),
    }
    trial = f"{outcome.seconds / 60:.0f} minutes, seed {seed}, 3 replicas"
    load = f"{SESSIONS} sessions with {CLIENTS_EACH} clients each, leases of {lease_s:g} s"
    parts = [
        _HEAD,
        f"{machine()}, {day}. {trial}, {load}.\n",
        table("what", "count", rows),
        *(
            [table(f"longer than {SOON_S} s", "what befell, seconds after the lease's end", slow)]
            if slow
            else ()
        ),
        table("trouble", "times", dict(sorted(outcome.troubles.items()))),
        table("instead of an answer, before there was one", "times", dict(sorted(outcome.refused.items()))),
        "Then, with leases of 15 s:\n",
        table("what", "found", moved),
    ]
    if found:
        parts.append(table("broken", "how", {f"{n} {v.kind}": v.what for n, v in enumerate(found[:50], 1)}))
    return "\n".join(parts)


def late(outcome: Outcome) -> dict[str, str]:
    """Takeovers that took long, and what befell whom meanwhile; seconds after the lease's end."""
    return {
        f"{one.session}, {one.waited_s:.2f} s, until {one.by} had it": ", ".join(
            f"{each.what} ({each.whom}, {each.from_s - one.from_s:+.1f} to {each.until_s - one.from_s:+.1f})"
            for each in outcome.during(one)
        )
        for one in outcome.takeovers
        if one.waited_s > SOON_S
    }


def machine() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    processors = f"{os.cpu_count()} processors ({model or platform.machine()})"
    return f"{processors}, Linux, Python {platform.python_version()}"


def _seconds(ordered: Sequence[float], share: float) -> str:
    return f"{ordered[min(len(ordered) - 1, int(share * len(ordered)))]:.2f} s" if ordered else "-"


def _closed(one: Aborted) -> str:
    return f"the model's connection closed after {one.at(0.5):.0f} ms, 99th percentile {one.at(0.99):.0f} ms"


def table(what: str, of: str, rows: Mapping[str, object]) -> str:
    lines: Iterable[str] = (f"| {name} | {value} |" for name, value in rows.items())
    return "\n".join((f"| {what} | {of} |", "|---|---|", *lines, ""))

"""What claims, leases and logs must not show, one rule a function. Pure: seconds are numbers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from msgspec import Struct

from tests.cluster.history import Event, History, Hold, Outage
from tests.cluster.violation import Violation

# What is told of a session where two held it: enough to see who did what.
_AROUND_S = 5.0
_WHOLE_S = 0.001


def zombie(history: History) -> Iterator[Violation]:
    """Each entry was written by whoever held the session under the token of that moment."""
    holders = {(hold.session, hold.token): hold for hold in history.holds if hold.until_s is not None}
    for one in history.written:
        hold = holders.get((one.session, one.token))
        if hold is None or (hold.replica, hold.run_id) != (one.replica, one.run_id):
            held = f"{hold.replica} held it for {hold.run_id}" if hold else "nobody held it"
            wrote = f"{one.replica} wrote entry {one.seq} of {one.session} for {one.run_id}"
            yield Violation("zombie", f"{wrote} while {held}")


def two_holders(history: History) -> Iterator[Violation]:
    """Tokens only grow, a token is one replica's, and nobody takes what another's lease still covers."""
    for session, holds in _by_session(history.holds):
        for before, after in pairwise(holds):
            if after.token < before.token:
                was = f"the token of {session} went from {before.token} to {after.token}"
                yield Violation("two holders", was)
            elif after.until_s is None:
                # Whoever finds that it may not be executed again closes it, under the token it had.
                continue
            elif after.token == before.token and after.replica != before.replica:
                both = f"{before.replica} and {after.replica}"
                yield Violation("two holders", f"{both} hold {session} under the token {after.token}")
        for before, _, after in _taken_over(holds):
            # The same run is taken up once its process has gone, too; the next one of the session has it as
            # soon as the claim is over.
            until_s = before.until_s or 0.0
            if after.run_id == before.run_id:
                until_s = max(until_s, before.unbroken_until_s)
            # The database counts whole milliseconds, which no holder relies on.
            if after.at_s < until_s - _WHOLE_S:
                early = f"{until_s - after.at_s:.2f} s before {before.replica} would have had to stop"
                around = [each for each in holds if abs(each.at_s - after.at_s) < _AROUND_S]
                yield Violation("two holders", f"{after.replica} took {session} {early}: {around}")


def late(history: History, late_s: float) -> Iterator[Violation]:
    """A session whose holder's lease has ended has another one soon; an outage does not count."""
    for one in takeovers(history):
        if one.waited_s > late_s:
            yield Violation("late", f"{one.session} was without a holder for {one.waited_s:.2f} s")


def left_held(history: History) -> Iterator[Violation]:
    for session, holds in _by_session(history.holds):
        if holds[-1].until_s is not None:
            yield Violation("open", f"{session} is still held by {holds[-1].replica}")


def away_s(outages: Iterable[Outage], from_s: float, until_s: float) -> float:
    """How much of that time nobody could do anything; outages do not overlap."""
    return sum(max(0.0, min(until_s, each.until_s) - max(from_s, each.from_s)) for each in outages)


def heard_gap(history: History) -> Iterator[Violation]:
    """What a client heard of a stream, over all connections it took, has no hole and no repeat."""
    for asked in history.asked:
        for before, after in pairwise(asked.events):
            if after != before + 1:
                yield Violation("event gap", f"{asked.key} heard event {after} after {before}")


def log_gap(history: History) -> Iterator[Violation]:
    """The log of a run's last holder has no hole. Its end may be missing, where it was killed then."""
    for run_id, token, log in _last_logs(history):
        numbers = [event.seq for event in log]
        if numbers != list(range(len(numbers))):
            yield Violation("event gap", f"the log of {run_id} under {token} is {numbers}")


def log_differs(history: History) -> Iterator[Violation]:
    """What the log of a completed run's last holder tells to its end is what is recorded."""
    recorded = {
        entry.run_id: entry.text
        for entries in history.transcripts.values()
        for entry in entries
        if entry.role == "assistant"
    }
    completed = {run.run_id for run in history.runs if run.status == "completed"}
    for run_id, token, log in _last_logs(history):
        text = "".join(event.text for event in log)
        if run_id in completed and log[-1].ends and text != recorded.get(run_id):
            yield Violation("differs", f"the log of {run_id} under {token} tells {text!r}")


def _last_logs(history: History) -> Iterator[tuple[str, int, list[Event]]]:
    """(run, token of its last holder, what that one has told)."""
    logs: dict[str, list[Event]] = defaultdict(list)
    for event in history.events:
        logs[event.run_id].append(event)
    for run_id, events in logs.items():
        token = max(event.token for event in events)
        yield run_id, token, [event for event in events if event.token == token]


class Takeover(Struct, frozen=True):
    """A session was without a holder from when a lease ended until `by` took it, for a run of its own or of
    another; `waited_s` of that nobody was away who is needed."""

    session: str
    by: str
    from_s: float
    until_s: float
    waited_s: float


def takeovers(history: History) -> Iterator[Takeover]:
    for session, holds in _by_session(history.holds):
        for _, until_s, after in _taken_over(holds):
            waited_s = after.at_s - until_s - away_s(history.outages, until_s, after.at_s)
            yield Takeover(session, after.replica, until_s, after.at_s, waited_s)


def _taken_over(holds: Iterable[Hold]) -> Iterator[tuple[Hold, float, Hold]]:
    """(the last word of a holder that did not let go, its leases' end, the first of the next)."""
    for before, after in pairwise(holds):
        if after.token != before.token and before.until_s is not None:
            yield before, max(before.until_s, before.alive_until_s), after


def _by_session(holds: Iterable[Hold]) -> Iterator[tuple[str, list[Hold]]]:
    found: dict[str, list[Hold]] = defaultdict(list)
    for hold in holds:
        found[hold.session].append(hold)
    yield from found.items()

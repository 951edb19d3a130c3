"""Each kind of violation is found in a history that has it and in no good one: the checker is not blind."""

import pytest
from msgspec.structs import replace

from tests.cluster.audit import Beats
from tests.cluster.checker import RULES, violations
from tests.cluster.claim_rules import away_s, takeovers
from tests.cluster.history import (
    Asked,
    Befallen,
    Billed,
    Entry,
    Event,
    History,
    Hold,
    Outage,
    Recorded,
    Written,
)
from tests.cluster.report import late
from tests.cluster.trial import Outcome
from tests.cluster.violation import Kind

A, B = "replica-a", "replica-b"


def asked(number: int, at_s: float, heard_s: float, **more: object) -> Asked:
    one = Asked(f"k{number}", "s", A, f"q{number}", at_s, heard_s, 200, f"r{number}", f"a{number}")
    return replace(one, **more)


def turn(number: int, seq: int) -> tuple[Entry, Entry]:
    run_id = f"r{number}"
    return Entry(seq, run_id, "user", f"q{number}"), Entry(seq + 1, run_id, "assistant", f"a{number}")


def log(run_id: str, token: int, *texts: str) -> tuple[Event, ...]:
    said = [Event(run_id, token, seq, text) for seq, text in enumerate(texts)]
    return (*said, Event(run_id, token, len(texts), ends=True))


# r1 is A's; r2 was A's as well until A was killed, and has been taken up by B; r3 failed.
GOOD = History(
    asked=(
        asked(1, 0.0, 1.0, events=(1, 2, 3)),
        asked(2, 2.0, 2.5, status=None, answer=None),
        asked(2, 3.0, 9.0, replica=B),
        asked(3, 9.5, 9.6, status=503, answer=None, replica=B),
        asked(1, 4.0, 4.1, replica=B),
    ),
    transcripts={"s": (*turn(1, 1), *turn(2, 3))},
    runs=(
        Recorded("r1", "s", "k1", "completed"),
        Recorded("r2", "s", "k2", "completed"),
        Recorded("r3", "s", "k3", "failed"),
    ),
    ledger=(
        Billed("r1", "completed"),
        Billed("r2", "failed"),
        Billed("r2", "completed"),
        Billed("r3", "failed"),
    ),
    holds=(
        Hold("s", 1, A, "r1", 100.0, 102.0),
        Hold("s", 1, A, "r1", 101.0, None),
        Hold("s", 2, A, "r2", 103.0, 105.0),
        Hold("s", 2, A, "r2", 104.0, 106.0),
        Hold("s", 3, B, "r2", 106.3, 108.3),
        Hold("s", 3, B, "r2", 107.0, None),
    ),
    written=(
        Written("s", 1, "r1", A, 1),
        Written("s", 2, "r1", A, 1),
        Written("s", 3, "r2", B, 3),
        Written("s", 4, "r2", B, 3),
    ),
    events=(*log("r1", 1, "a", "1"), Event("r2", 2, 0, "a"), *log("r2", 3, "a", "2")),
)
FIRST, SECOND = turn(1, 1), turn(2, 3)


def with_turns(*entries: Entry) -> History:
    return replace(GOOD, transcripts={"s": entries})


def with_holds(*holds: Hold) -> History:
    return replace(GOOD, holds=holds)


def renumbered(*entries: Entry) -> tuple[Entry, ...]:
    return tuple(replace(entry, seq=number) for number, entry in enumerate(entries, 1))


BAD: dict[str, tuple[Kind, History]] = {
    "an answered turn is not in the transcript": ("lost", with_turns(*FIRST)),
    "a run that was named is not in the store": ("lost", replace(GOOD, runs=(GOOD.runs[0], GOOD.runs[2]))),
    "a completed run has no turn": (
        "lost",
        replace(GOOD, runs=(*GOOD.runs, Recorded("r4", "s", "k4", "completed"))),
    ),
    "a turn is there twice": ("doubled", with_turns(*renumbered(*FIRST, *SECOND, *FIRST))),
    "a message is there twice, in two runs": (
        "doubled",
        replace(
            with_turns(*FIRST, *SECOND, *(replace(one, run_id="r9", seq=one.seq + 4) for one in FIRST)),
            runs=(*GOOD.runs, Recorded("r9", "s", "k9", "completed")),
        ),
    ),
    "two runs of one key are completed": (
        "doubled",
        replace(
            with_turns(*FIRST, *SECOND, Entry(5, "r9", "user", "other"), Entry(6, "r9", "assistant", "a2")),
            runs=(*GOOD.runs, Recorded("r9", "s", "k2", "completed")),
        ),
    ),
    "the ledger has a run twice": (
        "doubled",
        replace(GOOD, ledger=(*GOOD.ledger, Billed("r2", "completed"))),
    ),
    "turns stand in another order than runs arrived": (
        "order",
        with_turns(*renumbered(*SECOND, *FIRST)),
    ),
    "the store's own order is not that of who waited for an answer": (
        "order",
        replace(with_turns(*renumbered(*SECOND, *FIRST)), runs=(GOOD.runs[1], GOOD.runs[0], GOOD.runs[2])),
    ),
    "a number is missing": ("gap", with_turns(*FIRST, *(replace(one, seq=one.seq + 1) for one in SECOND))),
    "a number is there twice": ("gap", with_turns(*FIRST, SECOND[0], replace(SECOND[1], seq=3))),
    "a turn has no answer": ("half", with_turns(*FIRST, SECOND[0])),
    "a turn has no question": ("half", with_turns(*FIRST, *renumbered(SECOND[1]))),
    "a run that failed has a turn": (
        "half",
        with_turns(*FIRST, *SECOND, Entry(5, "r3", "user", "q3"), Entry(6, "r3", "assistant", "a3")),
    ),
    "a turn is that of no run": (
        "half",
        with_turns(*FIRST, *SECOND, Entry(5, "r8", "user", "q8"), Entry(6, "r8", "assistant", "a8")),
    ),
    "who was taken over has written": (
        "zombie",
        replace(GOOD, written=(*GOOD.written[:2], Written("s", 3, "r2", A, 3))),
    ),
    "who holds the session has written for another run": (
        "zombie",
        replace(GOOD, written=(Written("s", 1, "r2", A, 1),)),
    ),
    "somebody has written under a token that nobody had": (
        "zombie",
        replace(GOOD, written=(Written("s", 1, "r1", A, 7),)),
    ),
    "a token goes back": (
        "two holders",
        with_holds(*GOOD.holds[2:4], Hold("s", 1, B, "r2", 106.3, 108.0), *GOOD.holds[4:]),
    ),
    "two have one token": (
        "two holders",
        with_holds(GOOD.holds[0], replace(GOOD.holds[0], at_s=101.0, replica=B), GOOD.holds[1]),
    ),
    "a session is taken before its lease has ended": (
        "two holders",
        with_holds(*GOOD.holds[:4], replace(GOOD.holds[4], at_s=105.9), GOOD.holds[5]),
    ),
    "a session is taken while its holder's process counts as alive": (
        "two holders",
        with_holds(*GOOD.holds[:3], replace(GOOD.holds[3], unbroken_until_s=106.5), *GOOD.holds[4:]),
    ),
    "a takeover is late": (
        "late",
        with_holds(*GOOD.holds[:4], replace(GOOD.holds[4], at_s=106.6), GOOD.holds[5]),
    ),
    "a client has missed an event": (
        "event gap",
        replace(GOOD, asked=(asked(1, 0.0, 1.0, events=(1, 3)), *GOOD.asked[1:])),
    ),
    "a client has heard an event twice": (
        "event gap",
        replace(GOOD, asked=(asked(1, 0.0, 1.0, events=(1, 2, 2)), *GOOD.asked[1:])),
    ),
    "the last holder's log has a hole": (
        "event gap",
        replace(GOOD, events=tuple(one for one in GOOD.events if (one.token, one.seq) != (3, 1))),
    ),
    "the last holder's log tells another answer than the recorded one": (
        "differs",
        replace(
            GOOD,
            events=tuple(
                replace(one, text="b") if (one.token, one.seq) == (3, 1) else one for one in GOOD.events
            ),
        ),
    ),
    "a run is left open": (
        "open",
        replace(GOOD, runs=(*GOOD.runs, Recorded("r4", "s", "k4", "running"))),
    ),
    "a session is left held": ("open", with_holds(*GOOD.holds[:5])),
    "a client has heard another answer than the recorded one": (
        "differs",
        replace(GOOD, asked=(*GOOD.asked, asked(2, 10.0, 11.0, answer="a2, or so"))),
    ),
    "two clients have heard different answers of a run without a transcript": (
        "differs",
        replace(
            GOOD,
            asked=(
                *GOOD.asked,
                asked(5, 10.0, 11.0, run_id="", said="q1"),
                asked(5, 10.0, 11.0, run_id="", said="q1", answer="b"),
            ),
        ),
    ),
}


def test_a_good_history_has_none() -> None:
    assert violations(GOOD) == ()
    assert violations(History()) == ()


@pytest.mark.parametrize("name", BAD)
def test_each_violation_is_found_and_called_by_its_name(name: str) -> None:
    kind, history = BAD[name]
    assert kind in {found.kind for found in violations(history)}


def test_no_rule_is_there_that_finds_nothing() -> None:
    found = {rule for rule in RULES for _, history in BAD.values() if any(rule(history))}
    assert found == set(RULES)


def test_no_history_is_bad_for_a_second_reason_alone() -> None:
    """Without the kind that it stands for, most have nothing: each is found by its own rule."""
    only = [name for name, (kind, history) in BAD.items() if {kind} == {v.kind for v in violations(history)}]
    assert len(only) > len(BAD) / 2


def test_the_time_in_which_nobody_could_take_over_does_not_count() -> None:
    late = BAD["a takeover is late"][1]
    assert violations(late, late_s=0.7) == ()
    assert violations(replace(late, outages=(Outage(105.0, 106.2),))) == ()
    assert violations(replace(late, outages=(Outage(104.0, 106.05),)))
    assert [one.waited_s for one in takeovers(late)] == pytest.approx([0.6])
    assert away_s((Outage(0, 1), Outage(2, 9)), 0.5, 3) == pytest.approx(1.5)


def test_of_a_takeover_that_took_long_it_is_told_what_befell_meanwhile() -> None:
    history = BAD["a takeover is late"][1]
    (one,) = takeovers(history)
    during = Befallen("kill -9", "a", one.from_s - 0.2, one.until_s + 3)
    before = Befallen("SIGSTOP", "b", one.from_s - 9, one.from_s - 5)
    outcome = Outcome(history, (before, during), {}, 0, 60.0)
    assert list(late(outcome).values()) == ["kill -9 (a, -0.2 to +3.6)"]
    assert late(Outcome(replace(history, holds=()), (during,), {}, 0, 60.0)) == {}


def test_a_log_without_an_end_is_that_of_a_holder_that_was_killed() -> None:
    events = tuple(one for one in GOOD.events if not (one.token == 3 and one.ends))
    assert violations(replace(GOOD, events=events)) == ()


def test_a_beat_that_comes_after_the_lease_has_ended_holds_nothing_of_before() -> None:
    beats = Beats([("a", "p", 1.0, 3.0), ("a", "p", 2.5, 4.5), ("a", "p", 5.0, 7.0), ("a", "q", 8.0, 10.0)])
    assert beats.until_s("a", 1.5, 2.0) == (3.0, 3.0)
    assert beats.until_s("a", 1.5, 4.9) == (4.5, 4.5)
    assert beats.until_s("a", 1.5, 9.0) == (7.0, 4.5)
    assert beats.until_s("a", 0.5, 9.0) == (0.0, 0.0)

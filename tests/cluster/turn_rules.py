"""What transcripts and answers must not show, one rule a function. Pure. Knows nothing of claims and logs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise

from tests.cluster.history import Asked, Entry, History
from tests.cluster.violation import Violation

_OPEN = ("queued", "running")


def turns(entries: Iterable[Entry]) -> list[tuple[str, list[Entry]]]:
    """The runs of a transcript in its order, each with those of its entries that are adjacent."""
    return [(run_id, list(turn)) for run_id, turn in groupby(entries, lambda entry: entry.run_id)]


def answered(history: History) -> Iterator[tuple[Asked, str]]:
    for asked in history.asked:
        if asked.status == 200 and asked.answer is not None:
            yield asked, asked.answer


def lost(history: History) -> Iterator[Violation]:
    """What was answered, or is recorded as completed, is in the transcript; a run that was named is known."""
    said = {(session, entry.text) for session, entries in history.transcripts.items() for entry in entries}
    there = {entry.run_id for entries in history.transcripts.values() for entry in entries}
    known = {run.run_id for run in history.runs}
    for asked, _ in answered(history):
        if (asked.session, asked.said) not in said:
            yield Violation("lost", f"{asked.key} was answered by {asked.replica} and is not in its session")
    for asked in history.asked:
        if asked.run_id and asked.run_id not in known:
            yield Violation("lost", f"{asked.run_id}, which {asked.key} was told of, is not known")
    for run in history.runs:
        if run.status == "completed" and run.run_id not in there:
            yield Violation("lost", f"{run.run_id} is completed and has no turn")


def doubled(history: History) -> Iterator[Violation]:
    for session, entries in history.transcripts.items():
        for run_id, count in _more_than_once(run_id for run_id, _ in turns(entries)):
            yield Violation("doubled", f"{run_id} has {count} turns in {session}")
        for text, count in _more_than_once(entry.text for entry in entries if entry.role == "user"):
            yield Violation("doubled", f"{text!r} stands {count} times in {session}")
    for key, count in _more_than_once(
        run.key for run in history.runs if run.key and run.status == "completed"
    ):
        yield Violation("doubled", f"{count} runs of {key} are completed")
    # Who has lost a run writes down what it cost all the same, and that it was not recorded.
    for run_id, count in _more_than_once(row.run_id for row in history.ledger if row.status == "completed"):
        yield Violation("doubled", f"{run_id} has {count} rows in the ledger that say it is completed")


def _more_than_once(names: Iterable[str]) -> Iterator[tuple[str, int]]:
    for name, count in Counter(names).items():
        if count > 1:
            yield name, count


def order(history: History) -> Iterator[Violation]:
    """A session's turns stand in the order in which its runs were accepted."""
    arrived: dict[str, dict[str, int]] = defaultdict(dict)
    for number, run in enumerate(history.runs):
        arrived[run.session][run.run_id] = number
    for session, entries in history.transcripts.items():
        place = arrived[session]
        stand = [run_id for run_id, _ in turns(entries) if run_id in place]
        for before, after in pairwise(stand):
            if place[before] > place[after]:
                yield Violation("order", f"{after} came before {before} and stands behind it in {session}")


def asked_in_order(history: History) -> Iterator[Violation]:
    """Who first asked when another had been answered stands behind that one in their session."""
    places = {
        (session, entry.text): entry.seq
        for session, entries in history.transcripts.items()
        for entry in entries
        if entry.role == "user"
    }
    # (session, when, 1 = answered and 0 = asked, place, key): of one moment nothing is concluded.
    asked: dict[str, tuple[str, float, int, int, str]] = {}
    heard = dict(asked)
    for one in history.asked:
        place = places.get((one.session, one.said), 0)
        was = asked.get(one.key)
        if was is None or one.asked_s < was[1]:
            asked[one.key] = (one.session, one.asked_s, 0, place, one.key)
    for one, _ in answered(history):
        place = places.get((one.session, one.said), 0)
        was = heard.get(one.key)
        if was is None or one.heard_s < was[1]:
            heard[one.key] = (one.session, one.heard_s, 1, place, one.key)
    newest: dict[str, tuple[int, str]] = {}
    for session, _, is_answer, place, key in sorted((*asked.values(), *heard.values())):
        last, before = newest.get(session, (0, ""))
        if is_answer:
            newest[session] = max((last, before), (place, key))
        elif 0 < place < last:
            yield Violation("order", f"{key} was asked after {before} was answered and stands before it")


def gap(history: History) -> Iterator[Violation]:
    for session, entries in history.transcripts.items():
        for number, entry in enumerate(entries, 1):
            if entry.seq != number:
                yield Violation("gap", f"entry {number} of {session} has the number {entry.seq}")
                break


def half(history: History) -> Iterator[Violation]:
    """A turn begins with what the user said and ends with what was answered; who failed has none."""
    statuses = {run.run_id: run.status for run in history.runs}
    for session, entries in history.transcripts.items():
        for run_id, turn in turns(entries):
            status = statuses.get(run_id)
            roles = [entry.role for entry in turn]
            if status not in ("completed", "aborted"):
                yield Violation("half", f"{run_id} is {status} and has a turn in {session}")
            elif roles[0] != "user" or (status == "completed" and roles[-1] != "assistant"):
                yield Violation("half", f"the turn of {run_id} in {session} is {', '.join(roles)}")


def open_runs(history: History) -> Iterator[Violation]:
    for run in history.runs:
        if run.status in _OPEN:
            yield Violation("open", f"{run.run_id} is still {run.status}")


def differs(history: History) -> Iterator[Violation]:
    """One key, one answer: what is recorded, else what was heard first."""
    keys = {run.run_id: run.key for run in history.runs}
    answers: dict[str, str] = {}
    for entries in history.transcripts.values():
        for run_id, turn in turns(entries):
            if turn[-1].role == "assistant" and run_id in keys:
                answers[keys[run_id]] = turn[-1].text
    for asked, heard in answered(history):
        first = answers.setdefault(asked.key, heard)
        if first != heard:
            yield Violation("differs", f"{asked.key} heard {heard!r} from {asked.replica}, not {first!r}")

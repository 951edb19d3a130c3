"""The bench runs, and does not take a wrong answer for a fast one. Figures are not judged here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cluster import ONE, TURN, TWO, Figures, Report
from bench.commands import COMMANDS
from bench.cross_replica import Later
from bench.http_client import WrongAnswerError
from bench.load import Job, check
from bench.measure import Measured
from bench.mock_model import ROLE, delta, pieces, tail
from bench.rows import COST
from bench.table import Line, judged, print_line

ROOT = Path(__file__).resolve().parents[2]


def job(*, stream: bool) -> Job:
    return Job(0, "token", "mock-2-0", stream, 1, 1, [], pieces(2))


def benched(command: list[str], timeout_s: float) -> subprocess.CompletedProcess[str]:
    """Without coverage.py, which would be counted with what it watches."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    return subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=timeout_s, check=False
    )


def test_it_measures_the_floor() -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--relay-only", "--rows", "plain,stream", "--json"]
    done = benched(command, timeout_s=120)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["key"] for row in rows] == ["plain", "stream"]
    assert [row["relay"]["wrong"] for row in rows] == [[], []]


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_it_counts_the_instructions_of_the_floor() -> None:
    command = [sys.executable, "-m", "bench", "--instructions", "--relay-only", "--rows", "plain", "--json"]
    done = benched(command, timeout_s=300)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["key"], row["wrong"]) == ("plain", [])
    # A request through a bare relay is some hundred thousand instructions, whatever machine this is.
    assert 100 < row["thousands"]["relay"] < 5_000


def test_what_commands_cost_is_measured() -> None:
    """Each has answered; how much it may cost is judged on a quiet machine."""
    command = [
        sys.executable,
        "-c",
        "import json; from bench.commands import measured; print(json.dumps(measured(1)))",
    ]
    done = benched(command, timeout_s=120)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == {shown for shown, _, _ in COMMANDS}
    assert all(milliseconds > 0 for milliseconds in found.values())


def test_the_right_stream_passes() -> None:
    role, first, second, end = ROLE, delta("tok0 "), delta("tok1 "), tail(usage=True)
    check(role + first + b": keepalive\n\n" + second + end, job(stream=True))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        ROLE + delta("tok0 ") + tail(usage=False),
        ROLE + delta("tok0 ") + delta("tok1 "),
        ROLE + delta("tok0 ") + delta("tok0 ") + tail(usage=False),
        ROLE + delta("tok0 tok1 ") + tail(usage=False),
        ROLE + delta("tok0 ") + b'data: {"error":{"message":"no"}}\n\n' + delta("tok1 ") + tail(usage=False),
    ],
    ids=["nothing", "a delta is lost", "no end", "another text", "deltas are merged", "an error inside"],
)
def test_a_wrong_stream_is_an_error(body: bytes) -> None:
    with pytest.raises(WrongAnswerError):
        check(body, job(stream=True))


def response_job(*, stream: bool) -> Job:
    return Job(0, "token", "mock-2-0", stream, 1, 1, [], pieces(2), endpoint="/v1/responses")


def responded(text: str, status: str = "completed") -> str:
    said = {"type": "message", "content": [{"type": "output_text", "text": text}]}
    return json.dumps({"status": status, "output": [{"type": "reasoning"}, said]})


def response_events(*deltas: str, end: str = "response.completed", first: int = 0) -> bytes:
    bodies = [("response.output_text.delta", "delta", json.dumps(text)) for text in deltas]
    bodies.append((end, "response", responded("".join(deltas))))
    return b"".join(
        f'event: {kind}\ndata: {{"type":"{kind}","sequence_number":{number},"{name}":{value}}}\n\n'.encode()
        for number, (kind, name, value) in enumerate(bodies, first)
    )


def test_the_right_response_passes() -> None:
    check(responded("tok0 tok1 ").encode(), response_job(stream=False))
    check(response_events("tok0 ", "tok1 "), response_job(stream=True))


@pytest.mark.parametrize(
    ("stream", "body"),
    [
        (False, responded("tok0 ").encode()),
        (False, responded("tok0 tok1 ", "incomplete").encode()),
        (True, b""),
        (True, response_events("tok0 tok1 ")),
        (True, response_events("tok0 ", "tok1 ", first=1)),
        (True, response_events("tok0 ", "tok1 ", end="response.failed")),
    ],
    ids=["another text", "incomplete", "nothing", "deltas are merged", "an event is lost", "failed"],
)
def test_a_wrong_response_is_an_error(body: bytes, *, stream: bool) -> None:
    with pytest.raises(WrongAnswerError):
        check(body, response_job(stream=stream))


def test_another_version_stands_beside_this_one(capsys: pytest.CaptureFixture[str]) -> None:
    """What it cost before, and the change."""
    costs = {"relay": 0.2, "before": 0.5, "gateway": 0.45}
    print_line(Line(COST[0], {name: Measured(cost, 1, 1, 1, 1, 1) for name, cost in costs.items()}), None)
    assert "0.50    -10 %" in capsys.readouterr().out


def test_another_version_needs_its_own_setup(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--quick", "--rows", "plain", "--against", str(tmp_path)]
    done = benched(command, timeout_s=60)
    assert done.returncode == 1
    assert "make setup" in done.stderr


def test_a_wrong_answer_is_an_error() -> None:
    check(b'{"choices":[{"message":{"content":"tok0 tok1 "}}]}', job(stream=False))
    for body in (b'{"choices":[]}', b'{"choices":[{"message":{"content":"tok0"}}]}'):
        with pytest.raises(WrongAnswerError):
            check(body, job(stream=False))


def measured(value: float) -> Measured:
    return Measured(value, 0, 0, 0, 0, 0)


def test_a_row_is_judged_by_the_row_it_is_compared_with() -> None:
    plain, tool = (next(row for row in COST if row.key == key) for key in ("plain", "tool-round"))
    assert (tool.times_of, tool.budget) == ("plain", 1.8)
    base = Line(plain, {"gateway": measured(0.5)})
    assert judged(base, None).startswith("OVER")
    assert judged(Line(tool, {"gateway": measured(0.875)}), base) == "1.75 x plain: within"
    assert judged(Line(tool, {"gateway": measured(0.95)}), base) == "1.90 x plain: OVER by 6 %"


def test_a_cluster_is_judged_by_what_was_measured_in_the_same_round() -> None:
    """The machine was three times as slow in the second."""
    rounds = {ONE.key: (1.0, 3.0, 1.0), TWO.key: (1.25, 3.75, 1.2)}
    taken = {key: [Figures(100.0, cpu_ms, 1.0, 1.0) for cpu_ms in each] for key, each in rounds.items()}
    report = Report({TURN.key: taken}, Later(0.0, 0.0, 0, ()), 3)
    assert report.ratio(TURN, "cpu_ms", ONE, TWO) == pytest.approx(0.8)
    assert report.figures[TURN.key][TWO.key].cpu_ms == 1.25

"""What is measured, and how much of it is allowed: the rows of the table, as data.

`budget` is in the unit of the row's kind, or a multiple of another row's figure. The budgets are the
project's promise; a slower machine or a busy one will exceed them, which is why every row stands next to the
bare relay of the same run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bench.load import Endpoint

Kind = Literal["cpu", "delta", "span", "gap"]
UNITS: dict[Kind, str] = {
    "cpu": "CPU seconds per 1,000 requests",
    "delta": "microseconds CPU per delta",
    "span": "milliseconds from a request to its answer's end",
    "gap": "milliseconds between deltas, p99",
}
# A conversation of 8 KB as an OpenAI client sends it: it ends with a user's message.
HISTORY = [
    {"role": "assistant" if number % 2 else "user", "content": f"{number} " + "lorem ipsum " * 94}
    for number in range(7)
]
QUESTION = {"role": "user", "content": "Count from nought."}
HISTORY_BYTES = 8_000
IDLE, WATCHERS = 2_000, 200


@dataclass(frozen=True)
class Row:
    """`session`: none; new = a new user for each request; stored = a user whose 8 KB of history the gateway
    has already; resent = the same, and the client sends it all again, as chat front ends do. With `reads`
    the model asks for a file of the workspace before it answers: two model calls and a tool in one run.
    `relay_ratio` is how many times the relay's instructions it may cost. With `times_of`, the key of another
    row, `budget` is how many times that row's figure it may cost. `endpoint` is the gateway's; the
    relay has only chat completions. With `kept` the answer can be asked for again. `idle` WebSockets are open
    beside it, `watchers` more hear of each run."""

    key: str
    title: str
    kind: Kind
    budget: float
    deltas: int = 20
    gap_us: int = 0
    stream: bool = True
    clients: int = 16
    requests: int = 2000
    session: Literal["none", "new", "stored", "resent"] = "none"
    reads: bool = False
    relay_ratio: float | None = None
    times_of: str | None = None
    endpoint: Endpoint = "/v1/chat/completions"
    kept: bool = False
    idle: int = 0
    watchers: int = 0

    @property
    def model(self) -> str:
        return f"mock-{'read-' if self.reads else ''}{self.deltas}-{self.gap_us}"

    @property
    def model_calls(self) -> int:
        """For one request to a gateway; a relay offers no tools, so its model answers at once."""
        return 2 if self.reads else 1

    @property
    def stagger_s(self) -> float:
        """Paced clients begin spread over one gap, as strangers would; in step they would cost less."""
        return self.gap_us / 1e6 / self.clients


COST = (
    Row("plain", "stateless, one answer", "cpu", 0.40, stream=False, relay_ratio=2.0),
    Row("stream", "stateless, stream of 20 deltas", "cpu", 0.50, relay_ratio=2.0),
    Row(
        "tool-round",
        "stateless, an answer after one file read",
        "cpu",
        1.8,
        stream=False,
        reads=True,
        times_of="plain",
    ),
    Row(
        "responses-plain",
        "/v1/responses, one answer, not kept",
        "cpu",
        1.3,
        stream=False,
        times_of="plain",
        endpoint="/v1/responses",
    ),
    Row(
        "responses-stream",
        "/v1/responses, stream of 20 deltas, not kept",
        "cpu",
        1.3,
        times_of="stream",
        endpoint="/v1/responses",
    ),
    Row("kept", "stateless, one answer, kept on disk", "cpu", 2.5, stream=False, times_of="plain", kept=True),
    Row(
        "responses-kept",
        "/v1/responses, one answer, kept on disk",
        "cpu",
        1.3,
        stream=False,
        times_of="kept",
        endpoint="/v1/responses",
        kept=True,
    ),
    Row("session-plain", "session, one answer", "cpu", 0.60, stream=False, session="new", relay_ratio=2.6),
    Row("session-stream", "session, stream of 20 deltas", "cpu", 0.75, session="new", relay_ratio=2.6),
    Row("history", "session with 8 KB of history, stream", "cpu", 0.75, session="stored"),
    Row("history-resent", "the same, and the client resends it", "cpu", 0.75, session="resent"),
    Row(
        "paced",
        "32 paced streams, 50 deltas 20 ms apart",
        "delta",
        60,
        50,
        20_000,
        clients=32,
        requests=128,
        relay_ratio=1.6,
    ),
    Row(
        "beside-idle",
        f"one answer, beside {IDLE:,} idle WebSockets",
        "cpu",
        1.1,
        stream=False,
        times_of="plain",
        idle=IDLE,
    ),
    Row("fast", "a stream of 500 deltas, 0.4 ms apart", "span", 240, 500, 400, clients=1, requests=9),
    Row(
        "watched",
        f"the same, and {WATCHERS} WebSockets hear it",
        "span",
        1.1,
        500,
        400,
        clients=1,
        requests=9,
        times_of="fast",
        watchers=WATCHERS,
    ),
)


def sustained(seconds: int) -> tuple[Row, ...]:
    """Many streams at once for so long; 1,000 of them only in a long run."""
    rows = [
        Row(
            "streams-250",
            f"250 streams at 50 deltas/s, {seconds} s",
            "gap",
            250,
            deltas=50 * seconds,
            gap_us=20_000,
            clients=250,
            requests=250,
        )
    ]
    if seconds >= 60:
        rows.append(
            Row(
                "streams-1000",
                f"1,000 streams at 10 deltas/s, {seconds} s",
                "gap",
                250,
                deltas=10 * seconds,
                gap_us=100_000,
                clients=1000,
                requests=1000,
            )
        )
    return tuple(rows)

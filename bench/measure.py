"""One measurement: a load against a target, the target's processor time around it, every answer checked."""

from __future__ import annotations

import contextlib
import secrets
import statistics
import subprocess
import sys
from dataclasses import dataclass, field, replace

import msgspec

from bench.gateway_process import TOKEN, Process, get
from bench.load import Job, Result
from bench.mock_model import Stats, pieces
from bench.rows import HISTORY, HISTORY_BYTES, QUESTION, Row
from bench.sockets import listening


@dataclass(frozen=True)
class Target:
    """Something that relays chat completions to the model server. Only a gateway has sessions and agents."""

    name: str
    process: Process
    is_gateway: bool

    def model_field(self, row: Row) -> str:
        return f"openclaw/{row.model}" if self.is_gateway else row.model


@dataclass(frozen=True)
class Measured:
    """`value` is in the unit of the row; `busy` is the share of one processor that the target used."""

    value: float
    requests_per_s: float
    busy: float
    first_delta_p50_ms: float
    gap_p99_ms: float
    gap_max_ms: float
    wrong: list[str] = field(default_factory=list)


def run_load(job: Job) -> Result:
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        input=msgspec.json.encode(job),
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Result)


def model_stats(model: Process) -> Stats:
    return msgspec.json.decode(get(model.port, "/stats").split(b"\r\n\r\n", 1)[1], type=Stats)


def _bytes_per_request(before: Stats, after: Stats) -> float:
    return (after.body_bytes - before.body_bytes) / max(1, after.requests - before.requests)


def job_for(target: Target, row: Row) -> Job:
    messages = [QUESTION]
    # The relay remembers nothing: what the gateway adds from its store, the client has to bring there.
    if row.session == "resent" or (row.session == "stored" and not target.is_gateway):
        reply = {"role": "assistant", "content": "".join(pieces(row.deltas))}
        messages = [*HISTORY, reply, QUESTION]
    return Job(
        port=target.process.port,
        token=TOKEN,
        model=target.model_field(row),
        stream=row.stream,
        requests=row.requests,
        clients=row.clients,
        messages=messages,
        expected=pieces(row.deltas),
        user="" if row.session == "none" else f"bench-{secrets.token_hex(6)}",
        stagger_s=row.stagger_s,
        endpoint=row.endpoint if target.is_gateway else "/v1/chat/completions",
        kept=row.kept,
    )


def measure(target: Target, row: Row, model: Process) -> Measured:
    job = job_for(target, row)
    remembers = row.session in {"stored", "resent"}
    least: float = HISTORY_BYTES
    if remembers and target.is_gateway:
        before = model_stats(model)
        seeded = run_load(msgspec.structs.replace(job, messages=HISTORY))
        if seeded.wrong:
            return Measured(
                0, 0, 0, 0, 0, 0, [f"while the history was laid: {text}" for text in seeded.errors]
            )
        # The agent's prompt and tools, and the history once.
        least = _bytes_per_request(before, model_stats(model))
    wrong = []
    with contextlib.ExitStack() as stack:
        port, heard = target.process.port, None
        if row.idle and target.is_gateway:
            stack.enter_context(listening(port, row.idle, subscribed=False))
        if row.watchers and target.is_gateway:
            heard = stack.enter_context(listening(port, row.watchers, subscribed=True))
        asked, spent = model_stats(model), target.process.cpu_seconds()
        result = run_load(job)
        spent, told = target.process.cpu_seconds() - spent, model_stats(model)
        wanted = row.watchers * row.requests
        if heard is not None and (ends := heard(wanted)) != wanted:
            wrong.append(f"{ends} ends of runs were heard, not {wanted}")
    wrong += [f"{result.wrong} wrong answers: {text}" for text in result.errors]
    expected = row.requests * (row.model_calls if target.is_gateway else 1)
    if (reached := told.requests - asked.requests) != expected:
        wrong.append(f"{reached} requests reached the model, not {expected}")
    body_bytes = _bytes_per_request(asked, told)
    if remembers and not least < body_bytes < least + HISTORY_BYTES:
        wrong.append(f"{body_bytes:.0f} bytes reached the model per request: not the history once")
    per_unit = {
        "cpu": spent / row.requests * 1000,
        "delta": spent / (row.requests * row.deltas) * 1e6,
        "span": result.seconds / row.requests * row.clients * 1000,
        "gap": result.gap_p99,
    }
    return Measured(
        value=per_unit[row.kind],
        requests_per_s=row.requests / result.seconds,
        busy=spent / result.seconds,
        first_delta_p50_ms=result.first_delta_p50,
        gap_p99_ms=result.gap_p99,
        gap_max_ms=result.gap_max,
        wrong=wrong,
    )


def warm_up(target: Target, row: Row, model: Process) -> Measured:
    """Not counted: pools fill, code paths are compiled, the store makes its files."""
    return measure(target, replace(row, requests=min(row.requests, 200)), model)


def median(rounds: list[Measured]) -> Measured:
    """Figure by figure; what was wrong in any round is wrong."""
    wrong = list(dict.fromkeys(text for one in rounds for text in one.wrong))
    value, rate, busy, first, gap = (
        statistics.median(getattr(one, name) for one in rounds)
        for name in ("value", "requests_per_s", "busy", "first_delta_p50_ms", "gap_p99_ms")
    )
    return Measured(value, rate, busy, first, gap, max(one.gap_max_ms for one in rounds), wrong)

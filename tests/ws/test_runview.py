"""A log becomes events: nothing lost, numbered without gaps, told no more often than is useful."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.doors.ws import runview
from openclaw_gateway.doors.ws.runview import Progress, RunView
from openclaw_gateway.wire.error_info import ErrorInfo
from openclaw_gateway.wire.events import (
    Event,
    ModelCalled,
    ReasoningDelta,
    RunEnded,
    RunStarted,
    TextDelta,
    ToolStarted,
    UsageReported,
)
from openclaw_gateway.wire.run import RunResult, Usage

STARTED = RunStarted("r", "main", "agent:main:main", 100)
ERROR = ErrorInfo("it failed", "api_error", "provider_error", 502)


class Client:
    """A view and one client's place in it."""

    def __init__(self, view: RunView, *, is_older: bool = False) -> None:
        self.view = view
        self.place = Progress(is_older=is_older)

    def all(self) -> list[tuple[str, dict[str, Any]]]:
        """Everything that is new to it."""
        said: list[tuple[str, dict[str, Any]]] = []
        while (told := self.view.next(self.place)) is not None:
            said.append((told[0], msgspec.json.decode(told[1])))
        return said


def view(session_key: str | None = "agent:main:main", *, is_older: bool = False) -> Client:
    return Client(RunView("r", "main", session_key, 90), is_older=is_older)


def told(client: Client, events: Sequence[Event], now_ms: int = 1000) -> list[tuple[str, dict[str, Any]]]:
    client.view.fold(events, now_ms)
    return client.all()


def streams(items: list[tuple[str, dict[str, Any]]], stream: str) -> list[dict[str, Any]]:
    return [payload["data"] for name, payload in items if name == "agent" and payload["stream"] == stream]


def test_a_whole_run() -> None:
    result = RunResult("completed", "Hello.", "", "stop", Usage(10, 5, 15, cached_tokens=4))
    log: list[Event] = [
        STARTED,
        ModelCalled("p", "m"),
        ReasoningDelta("hm"),
        TextDelta("Hel"),
        TextDelta("lo."),
        UsageReported(Usage(10, 5, 15)),
        RunEnded(result, 200),
    ]
    run = view()
    items = told(run, log)
    assert [name for name, _ in items] == ["agent"] * 5 + ["chat", "chat"]
    assert streams(items, "lifecycle") == [
        {"phase": "start", "startedAt": 100},
        {"phase": "model", "provider": "p", "model": "m"},
        {"phase": "end", "startedAt": 100, "endedAt": 200, "aborted": False, "stopReason": "stop"},
    ]
    assert streams(items, "thinking") == [{"delta": "hm"}]
    assert streams(items, "assistant") == [{"delta": "Hello."}]
    delta, final = items[-2][1], items[-1][1]
    assert (delta["state"], delta["deltaText"]) == ("delta", "Hello.")
    assert final["state"] == "final"
    assert final["message"]["content"] == [{"type": "text", "text": "Hello."}]
    assert final["usage"] == {"input": 6, "output": 5, "cacheRead": 4, "cacheWrite": 0, "total": 15}
    assert run.view.ended


@pytest.mark.parametrize(
    ("result", "phase", "state"),
    [
        (RunResult("aborted", "par", error=ERROR), {"phase": "end", "aborted": True}, "aborted"),
        (RunResult("failed", error=ERROR), {"phase": "error", "error": "it failed"}, "error"),
        (RunResult("interrupted"), {"phase": "error", "error": "interrupted"}, "error"),
    ],
)
def test_other_ends(result: RunResult, phase: dict[str, Any], state: str) -> None:
    items = told(view(), [STARTED, RunEnded(result, 200)])
    assert phase.items() <= streams(items, "lifecycle")[-1].items()
    assert items[-1][1]["state"] == state


def test_a_run_that_was_refused_has_only_an_end() -> None:
    items = told(view(), [RunEnded(RunResult("failed", error=ERROR), 95)])
    assert streams(items, "lifecycle") == [
        {"phase": "error", "startedAt": 90, "endedAt": 95, "error": "it failed", "code": "provider_error"}
    ]


def test_a_stateless_run_is_nobodys_chat_and_has_no_session_key() -> None:
    items = told(view(None), [STARTED, TextDelta("x"), RunEnded(RunResult("completed", "x"), 200)])
    assert {name for name, _ in items} == {"agent"}
    assert not any("sessionKey" in payload for _, payload in items)


def test_chat_deltas_are_at_least_150_ms_apart_and_the_rest_is_said_when_the_time_has_come() -> None:
    run = view()
    assert [name for name, _ in told(run, [TextDelta("a")], 1000)] == ["agent", "chat"]
    assert run.view.wait_s is None
    assert [name for name, _ in told(run, [TextDelta("b")], 1100)] == ["agent"]
    assert run.view.wait_s == 0.15
    [(name, payload)] = told(run, [], 1150)
    assert (name, payload["deltaText"]) == ("chat", "b")


def test_the_longer_the_text_the_longer_the_pause() -> None:
    run = view()
    told(run, [TextDelta("x" * 1_000)])
    assert run.view.pause_s == 0
    told(run, [TextDelta("x" * 39_000)])
    assert run.view.pause_s == pytest.approx(0.1)
    told(run, [TextDelta("x" * 4_000_000)])
    assert run.view.pause_s == 2


DELTAS = st.lists(st.builds(TextDelta, st.text(max_size=5)) | st.builds(ReasoningDelta, st.text(max_size=5)))


def test_in_version_3_the_text_so_far_is_repeated_at_most_every_150_ms() -> None:
    run = view(None, is_older=True)
    assert streams(told(run, [ReasoningDelta("hm"), TextDelta("a")], 1000), "assistant") == [
        {"text": "a", "delta": "a"}
    ]
    assert told(run, [TextDelta("b"), ReasoningDelta("?")], 1100) == []
    assert run.view.wait_s == 0.15
    late = told(run, [], 1150)
    assert streams(late, "thinking") == [{"text": "hm?", "delta": "?"}]
    assert streams(late, "assistant") == [{"text": "ab", "delta": "b"}]
    assert run.view.wait_s is None
    assert told(run, [TextDelta("c")], 1200) == []
    first, second = told(run, [ToolStarted("c", "t", "{}")], 1210)
    assert first[1]["data"] == {"text": "abc", "delta": "c"}, "before what comes behind it"
    assert second[1]["stream"] == "tool"
    newer = Client(run.view)
    assert streams(newer.all(), "assistant") == [{"delta": "ab"}, {"delta": "c"}]


@pytest.mark.parametrize("is_older", [False, True])
@given(batches=st.lists(DELTAS), gaps=st.lists(st.integers(0, 400)))
def test_whatever_the_batches_nothing_is_lost(
    batches: list[list[Event]], gaps: list[int], is_older: bool
) -> None:
    run = view(is_older=is_older)
    text = "".join(event.text for batch in batches for event in batch if isinstance(event, TextDelta))
    items = told(run, [STARTED])
    now_ms = 1000
    for index, batch in enumerate(batches):
        now_ms += gaps[index] if index < len(gaps) else 10
        items += told(run, batch, now_ms)
    items += told(run, [RunEnded(RunResult("completed", text), now_ms)], now_ms)
    said = streams(items, "assistant")
    assert "".join(data["delta"] for data in said) == text
    assert not said or said[-1].get("text") == (text if is_older else None)
    chat = [payload for name, payload in items if name == "chat"]
    assert "".join(payload.get("deltaText", "") for payload in chat) == text
    assert chat[-1]["state"] == "final"
    numbers = [payload["seq"] for name, payload in items if name == "agent"]
    assert numbers == sorted(set(numbers))


def test_who_is_behind_is_told_the_rest_in_one_event_and_in_order() -> None:
    quick, slow = view(), view()
    slow.view = quick.view
    words = (TextDelta(word) for word in "abcde")
    log: tuple[Event, ...] = (
        STARTED,
        ModelCalled("p", "m"),
        *islice(words, 3),
        ToolStarted("c", "t", "{}"),
        *words,
    )
    said = [item for number, event in enumerate(log) for item in told(quick, [event], 1000 + number)]
    assert [data["delta"] for data in streams(said, "assistant")] == ["a", "b", "c", "d", "e"]
    late = [payload for name, payload in slow.all() if name == "agent"]
    assert [payload["stream"] for payload in late] == [
        "lifecycle",
        "lifecycle",
        "assistant",
        "tool",
        "assistant",
    ]
    assert [payload["seq"] for payload in late] == [1, 2, 5, 6, 8]
    texts = [payload["data"] for payload in late if payload["stream"] == "assistant"]
    assert texts == [{"delta": "abc"}, {"delta": "de"}]
    assert slow.place.told == quick.place.told == quick.view.size


def test_what_all_are_told_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded = []
    encode = runview._encode

    def counting(payload: object) -> bytes:
        encoded.append(payload)
        return encode(payload)

    monkeypatch.setattr(runview, "_encode", counting)
    first = view()
    clients = [first, *(Client(first.view) for _ in range(99))]
    for number in range(10):
        first.view.fold([TextDelta("x")], 1000 + 1000 * number)
        said = [client.all() for client in clients]
        assert all(each == said[0] for each in said)
    # Two heads, and how the agent's events end; a delta of the agent and of the chat each time.
    assert len(encoded) == 3 + 2 * 10


def test_a_lost_log_is_said_and_how_the_run_ended() -> None:
    client = view()
    told(client, [STARTED, TextDelta("par")])
    client.view.lose(2000)
    [(_, gap)] = client.all()
    assert (gap["stream"], gap["data"]) == ("error", {"reason": "events lost"})
    items = told(client, [RunEnded(RunResult("completed", "partial, then whole"), 200)])
    assert items[-1][1]["message"]["content"][0]["text"] == "partial, then whole"


def test_an_id_that_looks_like_the_number_is_only_an_id() -> None:
    odd = 'x","seq":0,"y'
    client = Client(RunView(odd, "main", odd, 90), is_older=True)
    items = told(client, [STARTED, TextDelta("a")])
    assert [(payload["runId"], payload["sessionKey"], payload["seq"]) for _, payload in items] == [
        (odd, odd, 1),
        (odd, odd, 2),
        (odd, odd, 2),
    ]


@given(st.lists(DELTAS), st.lists(st.booleans()))
def test_whenever_a_client_looks_it_hears_everything_once(
    batches: list[list[Event]], looks: list[bool]
) -> None:
    client = view()
    items = []
    for index, batch in enumerate(batches):
        client.view.fold(batch, 1000 + 100 * index)
        if index < len(looks) and looks[index]:
            items += client.all()
    text = "".join(event.text for batch in batches for event in batch if isinstance(event, TextDelta))
    items += told(client, [RunEnded(RunResult("completed", text), 1)], 10**6)
    said = streams(items, "assistant")
    assert "".join(data["delta"] for data in said) == text
    numbers = [payload["seq"] for name, payload in items if name == "agent"]
    assert numbers == sorted(set(numbers))
    assert client.place.told == client.view.size


STEPS = st.builds(ToolStarted, st.just("c"), st.just("t"), st.just("{}"))
LOGS = st.lists(
    st.builds(TextDelta, st.text(max_size=3)) | st.builds(ReasoningDelta, st.text(max_size=3)) | STEPS
)


@pytest.mark.parametrize("is_older", [False, True])
@given(log=LOGS, looks=st.sets(st.integers(0, 20)), cut=st.integers(0, 30), again=st.sets(st.integers(0, 20)))
def test_who_comes_back_hears_every_event_once_however_the_log_came(
    is_older: bool, log: list[Event], looks: set[int], cut: int, again: set[int]
) -> None:
    """By another view, which reads the log in other parts: as after all who looked have left."""
    log = [STARTED, *log, RunEnded(RunResult("completed", "x"), 200)]
    before = agents(in_parts(view(is_older=is_older), log, looks))[:cut]
    behind = before[-1]["seq"] if before else 0
    back = view(is_older=is_older)
    back.place = Progress(is_older=is_older, behind=behind, replaces=True)
    items = in_parts(back, log, again)
    heard = before + agents(items)
    whole = agents(in_parts(view(is_older=is_older), log, set()))
    for stream in ("assistant", "thinking"):
        assert said(heard, stream) == said(whole, stream)
    steps = [each["data"] for each in heard if each["stream"] not in ("assistant", "thinking")]
    assert steps == [each["data"] for each in whole if each["stream"] not in ("assistant", "thinking")]
    assert [each["seq"] for each in heard] == sorted({each["seq"] for each in heard})
    assert heard[-1]["seq"] == whole[-1]["seq"]
    assert back.place.told == back.view.size
    chats = [payload for name, payload in items if name == "chat" and payload["state"] == "delta"]
    assert [each.get("replace", False) for each in chats] == [number == 0 for number in range(len(chats))]
    assert not chats or "".join(each["deltaText"] for each in chats) == said(whole, "assistant")


def in_parts(client: Client, log: Sequence[Event], ends: set[int]) -> list[tuple[str, dict[str, Any]]]:
    """What a client is told of a log that comes in parts."""
    items: list[tuple[str, dict[str, Any]]] = []
    part: list[Event] = []
    for index, event in enumerate(log):
        part.append(event)
        if index in ends or index == len(log) - 1:
            items += told(client, part, 1000 + 200 * index)
            part = []
    return items


def agents(items: list[tuple[str, dict[str, Any]]]) -> list[dict[str, Any]]:
    return [payload for name, payload in items if name == "agent"]


def said(events: list[dict[str, Any]], stream: str) -> str:
    return "".join(event["data"]["delta"] for event in events if event["stream"] == stream)


def test_who_comes_back_after_the_log_is_gone_hears_that_and_the_end() -> None:
    back = view()
    back.place = Progress(behind=1_000, replaces=True)
    back.view.lose(2000)
    items = told(back, [RunEnded(RunResult("completed", "whole"), 200)])
    assert items[0][1]["data"] == {"reason": "events lost"}
    assert items[-1][1]["message"]["content"][0]["text"] == "whole"

"""Whole answers as the vendors' documents show them: the same events from a socket and however they are cut.

The streams in `data` were composed after those documents, event by event with all their fields; none was
taken from a vendor's wire.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models.apis.dialect import Parser
from openclaw_gateway.models.dialects import DIALECTS
from openclaw_gateway.models.failover import RetryPolicy
from openclaw_gateway.models.sse import SseSplitter
from openclaw_gateway.models.vendor_errors import Vendor
from openclaw_gateway.testing.model_server import ModelServer, sends
from openclaw_gateway.wire.events import (
    Event,
    ModelCalled,
    ModelFailed,
    ReasoningDelta,
    Sealed,
    TextDelta,
    ToolCallArguments,
    ToolCallStarted,
    UsageReported,
)
from openclaw_gateway.wire.messages import ToolCall
from openclaw_gateway.wire.run import FinishReason, Usage
from tests.models.calls import Outcome, apart, caller, run, target

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Meant:
    """What a recording means. `failure` is the reason of the error it ends with."""

    api: str
    events: tuple[Event, ...]
    finish: FinishReason = "stop"
    calls: tuple[ToolCall, ...] = ()
    failure: str | None = None


RECORDINGS = {
    "openai_completions_tools": Meant(
        "openai-completions",
        (
            ToolCallStarted(0, "call_DdmO9pD3xa9XTPNJ32zg2hcA", "weather"),
            ToolCallArguments(0, '{"city":'),
            ToolCallArguments(0, '"東京"}'),
            ToolCallStarted(1, "call_b", "time"),
            ToolCallArguments(1, "{}"),
            UsageReported(Usage(120, 90, 210, 64, 40)),
        ),
        "tool_calls",
        (
            ToolCall("call_DdmO9pD3xa9XTPNJ32zg2hcA", "weather", '{"city":"東京"}'),
            ToolCall("call_b", "time", "{}"),
        ),
    ),
    "openai_completions_deepseek": Meant(
        "openai-completions",
        (ReasoningDelta("Hm"), TextDelta("Yes 🙂"), UsageReported(Usage(7, 5, 12, 0, 2))),
    ),
    "anthropic_messages_tools": Meant(
        "anthropic-messages",
        (
            ReasoningDelta("The user wants "),
            ReasoningDelta("the weather é 天気."),
            Sealed("reasoning", Raw(b'{"signature":"EqQBCgIYAhIM1gbcDa9GJwZA2b3h"}')),
            Sealed("reasoning", Raw(b'{"data":"EmwKAhgBEgy3va3pzix"}')),
            TextDelta("Let me"),
            TextDelta(" look."),
            ToolCallStarted(0, "toolu_01T1x1fJ34qAmk2tNTrN7Up6", "weather"),
            ToolCallArguments(0, '{"city": "Os'),
            ToolCallArguments(0, 'lo"}'),
            ToolCallStarted(1, "toolu_01A09q90qw90lq917835lq9", "time"),
            ToolCallArguments(1, "{}"),
            UsageReported(Usage(2560, 89, 2649, 2048, cache_write_tokens=100)),
        ),
        "tool_calls",
        (
            ToolCall("toolu_01T1x1fJ34qAmk2tNTrN7Up6", "weather", '{"city": "Oslo"}'),
            ToolCall("toolu_01A09q90qw90lq917835lq9", "time", "{}"),
        ),
    ),
    "anthropic_messages_cut_short": Meant(
        "anthropic-messages", (TextDelta("Once upon"), UsageReported(Usage(10, 64, 74))), "length"
    ),
    "anthropic_messages_overloaded": Meant("anthropic-messages", (TextDelta("Once"),), failure="overloaded"),
    "openai_responses_tools": Meant(
        "openai-responses",
        (
            ReasoningDelta("**Checking**"),
            ReasoningDelta("\n\n"),
            ReasoningDelta("Ask a tool é 道具"),
            Sealed("reasoning", Raw(b'{"id":"rs_68","encrypted_content":"gAAAAABo_whole"}')),
            TextDelta("Let me"),
            TextDelta(" look."),
            ToolCallStarted(0, "call_Mx", "weather"),
            ToolCallArguments(0, '{"city":'),
            ToolCallArguments(0, '"Oslo"}'),
            ToolCallStarted(1, "call_My", "time"),
            ToolCallArguments(1, "{}"),
            UsageReported(Usage(75, 120, 195, 50, 64)),
        ),
        "tool_calls",
        (ToolCall("call_Mx", "weather", '{"city":"Oslo"}'), ToolCall("call_My", "time", "{}")),
    ),
    "openai_responses_incomplete": Meant(
        "openai-responses", (TextDelta("Once upon"), UsageReported(Usage(7, 16, 23))), "length"
    ),
    "openai_responses_failed": Meant("openai-responses", (TextDelta("Once"),), failure="rate_limit"),
    "openai_responses_error": Meant("openai-responses", (), failure="server_error"),
    "google_generative_ai_tools": Meant(
        "google-generative-ai",
        (
            ReasoningDelta("**Thinking** about 天気"),
            TextDelta("Let me look."),
            ToolCallStarted(0, "fc_1", "weather"),
            ToolCallArguments(0, '{"city":"Oslo"}'),
            ToolCallStarted(1, "fc_2", "time"),
            ToolCallArguments(1, "{}"),
            Sealed("text", Raw(b'{"thoughtSignature":"EuUBCuIB"}')),
            UsageReported(Usage(61, 53, 114, 32, 29)),
        ),
        "tool_calls",
        (
            ToolCall("fc_1", "weather", '{"city":"Oslo"}', Raw(b'{"thoughtSignature":"EjQKMgEM"}')),
            ToolCall("fc_2", "time", "{}"),
        ),
    ),
    "google_generative_ai_blocked": Meant(
        "google-generative-ai", (UsageReported(Usage(9, 0, 9)),), "content_filter"
    ),
    "google_generative_ai_long": Meant(
        "google-generative-ai",
        (TextDelta("Once"), TextDelta(" upon"), UsageReported(Usage(5, 2, 7))),
        "length",
    ),
    "google_generative_ai_error": Meant("google-generative-ai", (TextDelta("Once"),), failure="overloaded"),
}


def recorded(name: str) -> bytes:
    return (DATA / f"{name}.sse").read_bytes()


def heard(api: str, pieces: Sequence[bytes]) -> tuple[Parser, list[Event]]:
    """What comes of the bytes, as a connection would deliver them."""
    splitter, parser = SseSplitter("acme"), DIALECTS[api].parser(Vendor("acme"))
    events: list[Event] = []
    for piece in pieces:
        if not (parser.done or parser.failure):
            events += parser.feed(splitter.feed(piece))
    if not (parser.done or parser.failure):
        events += parser.feed(splitter.finish())
    return parser, apart(events if parser.failure else events + parser.ending())


def test_every_recording_is_read() -> None:
    assert {path.stem for path in DATA.glob("*.sse")} == set(RECORDINGS)
    # Ollama's answers are no event streams.
    assert {meant.api for meant in RECORDINGS.values()} == set(DIALECTS) - {"ollama"}


@given(st.sampled_from(sorted(RECORDINGS)), st.data())
def test_any_cut_gives_the_same_events(name: str, data: Any) -> None:
    raw, meant = recorded(name), RECORDINGS[name]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    if data.draw(st.booleans()):
        raw = raw.replace(b"\n", b"\r\n")
    pieces = [raw[start:end] for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    parser, events = heard(meant.api, pieces)
    assert tuple(events) == meant.events
    assert (parser.failure.reason if parser.failure else None) == meant.failure
    if meant.failure is None:
        assert parser.finished
        assert (parser.finish_reason, parser.tool_calls) == (meant.finish, meant.calls)


@pytest.mark.parametrize("split", [None, 1, 17])
@pytest.mark.parametrize("name", sorted(RECORDINGS))
async def test_from_a_socket(models: ModelServer, name: str, split: int | None) -> None:
    meant, outcome = RECORDINGS[name], Outcome()
    models.enqueue(sends(recorded(name), split=split))
    async with caller(policy=RetryPolicy(waits_s=())) as calls:
        to = target(models, api=meant.api)
        if meant.failure is None:
            await run(calls, to, outcome)
        else:
            with pytest.raises(ProviderError) as caught:
                await run(calls, to, outcome)
            assert caught.value.reason == meant.failure
    said = [event for event in outcome.events if not isinstance(event, ModelCalled | ModelFailed)]
    assert tuple(said) == meant.events
    if meant.failure is None:
        assert outcome.finish_reason == meant.finish
        assert outcome.tool_calls == meant.calls


@pytest.mark.parametrize("api", sorted(DIALECTS))
@given(st.lists(st.binary(max_size=80), max_size=5))
def test_whatever_comes_is_events_or_a_failure(api: str, payloads: list[bytes]) -> None:
    parser = DIALECTS[api].parser(Vendor("acme"))
    parser.feed(payloads)
    whole = DIALECTS[api].parser(Vendor("acme"))
    whole.whole(b"".join(payloads))
    assert whole.done or whole.failure is not None

"""A call goes on to what may help, and only while nobody has seen a word of the answer."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import structlog
from structlog.testing import LogCapture

from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import fallback
from openclaw_gateway.models.call import ModelCaller
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.fallback import FallbackCall, FallbackCaller
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import Endpoint, ModelTarget
from openclaw_gateway.testing.model_server import (
    Chunk,
    Cut,
    Hang,
    ModelServer,
    Reasoning,
    Reply,
    fails,
    says,
    sends,
)
from openclaw_gateway.wire.events import Event, ModelCalled, ModelFailed, ReasoningDelta, TextDelta
from tests.models.calls import HI, upstream

KEYS = ("second-private-key", "third-private-key")
CUT_AT_ONCE = sends(Cut())
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "look", "arguments": "{"}}
CALL_BEGUN = Chunk({"choices": [{"index": 0, "delta": {"tool_calls": [CALL]}}]})


class Clock:
    """Time that only passes when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


class House:
    """A FallbackCaller in front of a scripted server, and what its calls brought."""

    def __init__(self, models: ModelServer, calls: FallbackCaller, clock: Clock) -> None:
        self.models = models
        self.calls = calls
        self.clock = clock
        self.events: list[Event] = []
        self.call: FallbackCall | None = None
        self.more_keys: tuple[str, ...] = ()

    def target(self, model: str, provider: str = "acme") -> ModelTarget:
        url = self.models.base_url
        further = tuple(Endpoint(provider, url, key) for key in self.more_keys)
        return ModelTarget(Endpoint(provider, url, "first-private-key", further=further), model)

    async def run(self, *targets: ModelTarget) -> FallbackCall:
        self.call = call = FallbackCall(targets, ModelRequest("", HI), self.events.extend)
        await self.calls.make(call)
        return call

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def failures(self) -> list[tuple[str, int, str, bool]]:
        """Of each failed attempt: model, attempt, code, whether it is tried again."""
        return [
            (event.model, event.attempt, event.code, event.retry_in_s is not None)
            for event in self.events
            if isinstance(event, ModelFailed)
        ]

    def asked(self) -> list[str]:
        return [request.model for request in self.models.requests]

    def keys(self) -> list[str]:
        return [
            request.headers["Authorization"].removeprefix("Bearer ").removesuffix("-private-key")
            for request in self.models.requests
        ]


@pytest.fixture
async def house(models: ModelServer) -> AsyncIterator[House]:
    clock = Clock()
    async with upstream() as client:
        calls = FallbackCaller(ModelCaller(client), Cooldowns(), clock, sleep=clock.sleep)
        yield House(models, calls, clock)


@pytest.fixture
def keyed(house: House) -> House:
    """The same where every provider has three keys."""
    house.more_keys = KEYS
    return house


async def test_one_model_that_answers(house: House) -> None:
    house.models.script("a", says(Reasoning("hm"), "Hi", finish="length"))
    call = await house.run(house.target("a"))
    assert [type(event).__name__ for event in house.events] == [
        "ModelCalled",
        "ReasoningDelta",
        "TextDelta",
        "UsageReported",
    ]
    assert (call.finish_reason, call.target.model, call.tool_calls) == ("length", "a", ())


HELPS = [
    fails(400),
    fails(400, "Your credit balance is too low to access the API."),
    fails(401),
    fails(402),
    fails(403),
    fails(404),
    fails(429),
    fails(429, retry_after="3600"),
    fails(500),
    fails(503),
    fails(302),
    sends(b"<html>", content_type="text/html"),
    CUT_AT_ONCE,
    says(Chunk({"error": {"message": "no", "code": "overloaded"}})),
]


@pytest.mark.parametrize("reply", HELPS)
async def test_another_model_answers_where_that_helps(house: House, reply: Reply) -> None:
    house.models.script("a", reply)
    house.models.script("b", says("fine"))
    call = await house.run(house.target("a"), house.target("b"))
    assert house.text == "fine"
    assert call.target.model == "b"
    assert house.failures[-1][0] == "a"
    assert not house.failures[-1][3]
    assert house.clock.now <= 0.3


@pytest.mark.parametrize("reply", [fails(413), fails(400, "x", code="context_length_exceeded")])
async def test_what_is_too_long_is_for_the_run_to_shorten(house: House, reply: Reply) -> None:
    house.models.script("a", reply)
    with pytest.raises(ProviderError) as caught:
        await house.run(house.target("a"), house.target("b"))
    assert caught.value.reason == "context_overflow"
    assert house.asked() == ["a"]
    assert len(house.failures) == 1
    assert house.call is not None
    assert not house.call.has_spoken


async def test_what_only_the_next_model_finds_too_long_is_said_to_the_run(house: House) -> None:
    house.models.script("a", fails(401))
    house.models.script("b", fails(400, "x", code="context_length_exceeded"))
    with pytest.raises(ProviderError) as caught:
        await house.run(house.target("a"), house.target("b", "other"))
    assert caught.value.reason == "context_overflow"


@pytest.mark.promise("fallbacks", "error.provider_stream_cut")
@pytest.mark.parametrize("seen", ["Hel", Reasoning("hm"), CALL_BEGUN])
async def test_never_after_the_reader_has_seen_something(house: House, seen: str | Reasoning | Chunk) -> None:
    house.models.script("a", says(seen, Cut()))
    with pytest.raises(ProviderError) as caught:
        await house.run(house.target("a"), house.target("b"))
    assert caught.value.reason == "cut"
    assert house.call is not None
    assert house.call.has_spoken
    assert house.asked() == ["a"]
    assert house.failures == [("a", 1, "provider_stream_cut", False)]


async def test_a_retry_is_an_attempt_with_a_number(house: House) -> None:
    house.models.script("a", fails(503), fails(503), says("fine"))
    await house.run(house.target("a"))
    assert house.text == "fine"
    assert house.failures == [("a", 1, "provider_overloaded", True), ("a", 2, "provider_overloaded", True)]
    attempts = [event.attempt for event in house.events if isinstance(event, ModelCalled)]
    assert attempts == [1, 2, 3]


async def test_one_quick_retry_where_another_model_waits(house: House) -> None:
    house.models.script("a", fails(503))
    house.models.script("b", fails(503), says("fine"))
    await house.run(house.target("a"), house.target("b"))
    assert house.asked() == ["a", "a", "b", "b"]
    assert house.text == "fine"
    assert house.clock.now <= 0.3 + 0.5


async def test_the_only_models_error_is_passed_on(house: House) -> None:
    house.models.script("a", fails(429, "slow down", retry_after="60"))
    with pytest.raises(ProviderError) as caught:
        await house.run(house.target("a"))
    assert "slow down" in caught.value.message
    assert "attempts" not in caught.value.message
    assert caught.value.retry_after == 60
    assert house.clock.now == 0


async def test_a_request_that_every_model_refuses_is_the_clients_fault(house: House) -> None:
    house.models.script("a", fails(400, "temperature is too high"))
    house.models.script("b", fails(400, "no"))
    with pytest.raises(ProviderError, match="temperature is too high") as caught:
        await house.run(house.target("a"), house.target("b"))
    assert (caught.value.http_status, caught.value.retryable) == (400, False)
    assert house.asked() == ["a", "b"]


async def test_an_error_that_cannot_pass_stays_so_when_all_fail(house: House) -> None:
    endpoint = Endpoint("acme", house.models.base_url.replace("http://", "https://"), "first-private-key")
    house.models.script("b", fails(401))
    with pytest.raises(ProviderError) as caught:
        await house.run(ModelTarget(endpoint, "a"), house.target("b"))
    assert (caught.value.reason, caught.value.retryable) == ("unreachable", False)


async def test_another_key_after_a_retry_that_was_refused(keyed: House) -> None:
    keyed.models.enqueue(fails(503), fails(401), says("fine"))
    await keyed.run(keyed.target("a"))
    assert keyed.keys() == ["first", "first", "second"]
    assert keyed.text == "fine"


async def test_when_all_fail_the_first_ones_error_names_them_all(house: House) -> None:
    house.models.script("a", fails(429, "slow down", retry_after="60"))
    house.models.script("b", fails(401))
    house.models.script("c", fails(500))
    with pytest.raises(ProviderError) as caught:
        await house.run(house.target("a"), house.target("b", "other"), house.target("c"))
    error = caught.value
    assert (error.http_status, error.code, error.retry_after) == (429, "provider_rate_limited", 60)
    assert error.message.endswith(
        "acme/a: provider_rate_limited; other/b: provider_auth_failed; acme/c: provider_error."
    )
    assert len(house.failures) == 5
    assert house.clock.now < 10


async def test_waiting_ends_after_ten_seconds_in_all(house: House) -> None:
    targets = [house.target(f"m{n}") for n in range(20)]
    for target in targets:
        house.models.script(target.model, fails(503, retry_after="1"))
    with pytest.raises(ProviderError):
        await house.run(*targets)
    assert house.clock.now < 10
    assert len(set(house.asked())) == 8


async def test_leaving_closes_the_connection(house: House) -> None:
    house.models.script("a", fails(401))
    house.models.script("b", says("Hel", Hang()))
    async with asyncio.timeout(5) as deadline:

        def leave(events: list[Event]) -> None:
            if any(isinstance(event, TextDelta | ReasoningDelta) for event in events):
                deadline.reschedule(0.0)

        call = FallbackCall((house.target("a"), house.target("b")), ModelRequest("", HI), leave)
        with pytest.raises(asyncio.CancelledError):
            await house.calls.make(call)
    await house.models.wait_aborted(1)


@pytest.mark.promise("further-keys")
async def test_another_key_where_the_key_is_refused(keyed: House) -> None:
    keyed.models.enqueue(fails(401), fails(429), says("fine"))
    call = await keyed.run(keyed.target("a"), keyed.target("b"))
    assert keyed.keys() == ["first", "second", "third"]
    assert keyed.asked() == ["a", "a", "a"]
    assert call.target.model == "a"
    await keyed.run(keyed.target("a"))
    assert keyed.keys()[3:] == ["third"]


@pytest.mark.parametrize("reply", [fails(404), fails(400), fails(422)])
async def test_no_other_key_where_the_model_is_at_fault(keyed: House, reply: Reply) -> None:
    keyed.models.enqueue(reply, says("fine"))
    await keyed.run(keyed.target("a"), keyed.target("b"))
    assert keyed.keys() == ["first", "first"]
    assert keyed.asked() == ["a", "b"]


async def test_a_key_that_rested_is_used_again(keyed: House) -> None:
    keyed.models.enqueue(fails(429), fails(429), fails(429, retry_after="9000"))
    with pytest.raises(ProviderError) as caught:
        await keyed.run(keyed.target("a"))
    assert caught.value.message.count("acme/a: provider_rate_limited") == 3
    await keyed.run(keyed.target("a"))
    keyed.clock.now += 40
    await keyed.run(keyed.target("a"))
    assert keyed.keys()[-2:] == ["first", "first"]


async def test_a_resting_provider_is_asked_last(house: House) -> None:
    targets = (house.target("a"), house.target("b"), house.target("c", "other"))
    house.models.enqueue(fails(402), says("fine"), says("fine"))
    await house.run(*targets)
    assert house.asked() == ["a", "c"]
    await house.run(*targets)
    assert house.asked() == ["a", "c", "c"]
    house.models.enqueue(fails(500), fails(500))
    await house.run(*targets)
    assert house.asked()[3:] == ["c", "c", "a"]


async def test_the_log_says_what_failed_and_when_it_is_tried_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = LogCapture()
    logger = structlog.wrap_logger(None, processors=[lines], wrapper_class=structlog.BoundLogger)
    monkeypatch.setattr(fallback, "log", logger)
    house.models.script("a", fails(503), fails(401))
    with pytest.raises(ProviderError):
        await house.run(house.target("a"))
    first, second = [line for line in lines.entries if line["event"] == "model.call_failed"]
    assert (first["attempt"], first["status"]) == (1, 503)
    assert first["retry_in_s"] == pytest.approx(house.clock.now, abs=0.001)
    assert (second["attempt"], second["status"], second["retry_in_s"]) == (2, 401, None)

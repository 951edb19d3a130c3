"""Model calls over real sockets, against the scripted server: answers, their ends, and retries."""

import asyncio
import gzip
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from openclaw_gateway.config.schema import Limits
from openclaw_gateway.errors import ProviderError
from openclaw_gateway.models import model_answer
from openclaw_gateway.models.failover import RetryPolicy
from openclaw_gateway.models.fallback import FallbackCall
from openclaw_gateway.models.family import Family
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import LOCAL, Endpoint, ModelTarget
from openclaw_gateway.testing.model_server import (
    Chunk,
    Cut,
    Flush,
    Hang,
    Hold,
    ModelServer,
    Raw,
    Reasoning,
    Reply,
    fails,
    hangs,
    says,
    sends,
)
from openclaw_gateway.wire.events import Event, ModelCalled, ReasoningDelta, TextDelta, UsageReported
from openclaw_gateway.wire.run import Usage
from tests.models.calls import HI, Outcome, caller, run, target

QUICK = Limits(upstream_first_byte_s=0.05, upstream_silence_s=0.05)


async def test_events_in_order(models: ModelServer) -> None:
    models.script("m", says(Reasoning("hm"), "Hel", "lo", usage=Usage(3, 2, 5, 1, 1), finish="length"))
    async with caller() as calls:
        outcome = await run(calls, target(models))
    assert outcome.events == [
        ModelCalled("acme", "m", 1),
        ReasoningDelta("hm"),
        TextDelta("Hel"),
        TextDelta("lo"),
        UsageReported(Usage(3, 2, 5, 1, 1)),
    ]
    assert outcome.batches[0] == [ModelCalled("acme", "m", 1)]
    assert outcome.finish_reason == "length"
    (request,) = models.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["Authorization"] == "Bearer hunter2hunter2"
    assert request.headers["Accept-Encoding"] == "identity"
    assert request.headers["User-Agent"].startswith("openclaw-gateway/")
    assert "Cookie" not in request.headers


async def test_what_one_read_brings_comes_together_and_at_once(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("a", "b", Hold(gate), "c", "d"))
    heard: asyncio.Queue[list[Event]] = asyncio.Queue()
    async with caller() as calls, asyncio.TaskGroup() as tasks:
        tasks.create_task(calls.make(FallbackCall((target(models),), ModelRequest("", HI), heard.put_nowait)))
        await heard.get()
        assert await heard.get() == [TextDelta("ab", ("a", "b"))]
        gate.set()
        assert (await heard.get())[0] == TextDelta("cd", ("c", "d"))


async def test_what_the_hearer_raises_ends_the_call_wherever_it_hears(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("a", Hold(gate), "b", Hang()))

    def hear(events: list[Event]) -> None:
        if events == [TextDelta("a")]:
            gate.set()
        if events == [TextDelta("b")]:
            # One that would pass for a fault of the provider.
            raise ConnectionResetError("not mine")

    async with caller() as calls:
        with pytest.raises(ConnectionResetError, match="not mine"):
            await calls.make(FallbackCall((target(models),), ModelRequest("", HI), hear))
        await models.wait_aborted(1)


async def test_what_the_hearer_wants_is_waited_for_before_more_is_read(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("a", Hold(gate), "b"))
    heard: list[Event] = []
    waits: list[int] = []

    async def pause() -> None:
        waits.append(len(heard))
        gate.set()
        await asyncio.sleep(0.05)
        waits.append(len(heard))

    def hear(events: list[Event]) -> Callable[[], Awaitable[None]] | None:
        heard.extend(events)
        return pause if events == [TextDelta("a")] else None

    async with caller() as calls:
        await calls.make(FallbackCall((target(models),), ModelRequest("", HI), hear))
    assert waits == [2, 2]
    assert TextDelta("b") in heard


@pytest.mark.parametrize("split", [1, 2, 7, 100])
async def test_pieces_of_any_size(models: ModelServer, split: int) -> None:
    models.script("m", says("é", "\U0001f600", "x" * 300, split=split))
    async with caller() as calls:
        outcome = await run(calls, target(models))
    assert outcome.texts == ["é", "\U0001f600", "x" * 300]


FINISHED = Chunk({"choices": [{"delta": {}, "finish_reason": "stop"}]})


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (says("a", "b", as_json=True), "ab"),
        (says("a", "b", finish=None), "ab"),
        (says("a", "b", done=False), "ab"),
        (says("a", "b", FINISHED, Cut()), "ab"),
        (says("a", "b", FINISHED, Raw(b'data: {"choices":[],"usage":{"prom'), finish=None, done=False), "ab"),
        (says("a", "b", FINISHED, Raw(b"data: garbage\n\n"), finish=None), "ab"),
        (says("a", "b", FINISHED, Flush(), Raw(b"data: garbage\n\n"), Hang()), "ab"),
        (
            sends(
                b'data: {"choices":[{"delta":{"content":"a"}}]}\r\n\r\n: x\r\ndata: [DONE]', content_type=""
            ),
            "a",
        ),
        (
            sends(
                gzip.compress(b'data: {"choices":[{"delta":{"content":"ab"}}]}\n\ndata: [DONE]\n\n'),
                headers={"Content-Encoding": "gzip"},
            ),
            "ab",
        ),
    ],
)
async def test_endings_that_are_good_enough(models: ModelServer, reply: Reply, text: str) -> None:
    models.script("m", reply)
    async with caller() as calls:
        outcome = await run(calls, target(models))
    assert "".join(outcome.texts) == text
    assert outcome.finish_reason == "stop"
    assert outcome.attempts == 1


async def test_an_answer_is_over_at_done_even_if_the_connection_stays(models: ModelServer) -> None:
    models.script("m", says("a", Raw(b"data: [DONE]\n\n"), Hang(), finish=None))
    async with caller() as calls:
        assert (await run(calls, target(models))).texts == ["a"]


async def test_nobody_waits_for_an_ending_that_does_not_come(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_answer, "_TAIL_S", 0.01)
    models.script("m", says("a", Chunk({"choices": [{"delta": {}, "finish_reason": "length"}]}), Hang()))
    async with caller() as calls:
        outcome = await run(calls, target(models))
    assert (outcome.texts, outcome.finish_reason) == (["a"], "length")
    await models.wait_aborted(1)


@pytest.mark.parametrize(
    ("reply", "reason", "texts"),
    [
        (says("a", Cut()), "cut", ["a"]),
        (says("a", finish=None, done=False), "cut", ["a"]),
        (sends(b'data: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: {"choi'), "cut", ["a"]),
        (says("a", Chunk({"error": {"message": "no", "type": "overloaded_error"}})), "overloaded", ["a"]),
        (says("a", FINISHED, Chunk({"error": {"message": "no"}})), "server_error", ["a"]),
        (says("a", Raw(b"data: garbage\n\n")), "bad_response", ["a"]),
        (says("a", Raw(b"data: " + b"x" * (9 << 20))), "bad_response", ["a"]),
        (sends(b"<html></html>", content_type="text/html"), "bad_response", []),
        (sends(b"{}", content_type="application/json"), "bad_response", []),
        (sends(b"", status=302, headers={"Location": "/v2/chat/completions"}), "bad_response", []),
    ],
)
async def test_bad_endings(models: ModelServer, reply: Reply, reason: str, texts: list[str]) -> None:
    models.script("m", reply)
    outcome = Outcome()
    async with caller() as calls:
        with pytest.raises(ProviderError) as caught:
            await run(calls, target(models), outcome)
    assert caught.value.reason == reason
    assert outcome.texts == texts
    assert outcome.attempts == 1
    assert "acme" in caught.value.message


async def test_a_refusal_is_passed_on_without_the_key(models: ModelServer) -> None:
    models.script("m", fails(401, "Incorrect API key provided: hunter2hunter2", code="invalid_api_key"))
    async with caller() as calls:
        with pytest.raises(ProviderError, match=r"acme answered 401: Incorrect .*apiKey") as caught:
            await run(calls, target(models))
    assert "hunter2" not in caught.value.message
    assert len(models.requests) == 1


async def test_what_may_pass_is_tried_again(models: ModelServer) -> None:
    models.script("m", fails(503), hangs(), says("ok"))
    models.script("m", fails(503), says(Flush(), Cut()), says("ok"))
    async with caller() as calls:
        outcome = await run(calls, target(models))
    called = [event for event in outcome.events if isinstance(event, ModelCalled)]
    assert [event.attempt for event in called] == [1, 2, 3]
    assert outcome.texts == ["ok"]


async def test_the_third_failure_is_the_last(models: ModelServer) -> None:
    models.script("m", fails(500, "one"), fails(503, "two"), fails(429, "three", retry_after="0"), says("ok"))
    async with caller() as calls:
        with pytest.raises(ProviderError, match="three") as caught:
            await run(calls, target(models))
    assert caught.value.retry_after == 0
    assert len(models.requests) == 3


async def test_a_long_retry_after_is_passed_on_instead_of_kept(models: ModelServer) -> None:
    models.script("m", fails(429, "slow down", retry_after="30"), says("ok"))
    async with caller(policy=RetryPolicy()) as calls:
        with pytest.raises(ProviderError, match="slow down") as caught:
            await run(calls, target(models))
    assert (caught.value.retry_after, caught.value.http_status) == (30, 429)
    assert len(models.requests) == 1


async def test_stream_options_are_given_up_where_they_are_refused(models: ModelServer) -> None:
    models.script("m", says("ok", refuses_stream_options=True))
    async with caller() as calls:
        assert (await run(calls, target(models))).attempts == 1
        await run(calls, target(models))
    assert ["stream_options" in request.body for request in models.requests] == [True, False, False]


async def test_an_error_that_only_quotes_the_request_costs_nobody_the_usage(models: ModelServer) -> None:
    quoting = {"detail": [{"msg": "bad temperature", "input": {"stream_options": {"include_usage": True}}}]}
    models.script("m", fails(422, body=msgspec.json.encode(quoting)))
    async with caller() as calls:
        with pytest.raises(ProviderError, match="bad temperature"):
            await run(calls, target(models))
        models.script("m", says("ok"))
        assert isinstance((await run(calls, target(models))).events[-1], UsageReported)


async def test_a_400_for_another_reason_is_not_asked_twice(models: ModelServer) -> None:
    models.script("m", fails(400, "stream_options are fine, temperature is not"))
    async with caller() as calls:
        with pytest.raises(ProviderError):
            await run(calls, target(models, family=Family(usage_in_stream=False)))
    assert len(models.requests) == 1


@pytest.mark.promise(
    "limit.upstreamFirstByteSeconds", "limit.upstreamSilenceSeconds", "error.provider_timeout"
)
@pytest.mark.parametrize(
    ("reply", "limit"),
    [
        (hangs(), "upstreamFirstByteSeconds"),
        (says(Flush(), Hang()), "upstreamSilenceSeconds"),
        (says("a", Hang()), "upstreamSilenceSeconds"),
    ],
)
async def test_silence_has_an_end(models: ModelServer, reply: Reply, limit: str) -> None:
    models.script("m", reply)
    async with caller(QUICK, RetryPolicy(waits_s=())) as calls:
        with pytest.raises(ProviderError) as caught:
            await run(calls, target(models))
    assert (caught.value.reason, caught.value.http_status) == ("timeout", 504)
    assert f"models.providers.acme.timeoutSeconds, for all providers in gateway.limits.{limit}" in str(
        caught.value
    )
    await models.wait_aborted(1)


@pytest.mark.promise("provider-patience")
async def test_a_provider_may_have_its_own_patience(models: ModelServer) -> None:
    models.script("m", hangs())
    endpoint = Endpoint("acme", models.base_url, timeout_s=0.05)
    async with caller(policy=RetryPolicy(waits_s=())) as calls:
        with pytest.raises(ProviderError, match="sent nothing for too long"):
            await run(calls, ModelTarget(endpoint, "m"))


@pytest.mark.parametrize("reply", [hangs(), says(Flush(), Hang()), says("a", Hang())])
async def test_cancelling_closes_the_connection_at_once(models: ModelServer, reply: Reply) -> None:
    models.script("m", reply)
    async with caller() as calls:
        task = asyncio.create_task(run(calls, target(models)))
        await models.wait_requests(1)
        task.cancel()
        await models.wait_aborted(1)
        with pytest.raises(asyncio.CancelledError):
            await task
        # Nothing of it is left in the pool: the next call works and has a connection of its own.
        models.script("m", says("ok"))
        assert (await run(calls, target(models))).texts == ["ok"]
    assert models.requests[0].port != models.requests[1].port


async def test_leaving_early_closes_the_connection(models: ModelServer) -> None:
    models.script("m", says("a", Hang()))
    async with caller() as calls:
        said = asyncio.Event()

        def hear(events: list[Event]) -> None:
            if events == [TextDelta("a")]:
                said.set()

        call = FallbackCall((target(models),), ModelRequest("", HI), hear)
        making = asyncio.create_task(calls.make(call))
        await said.wait()
        making.cancel()
        await models.wait_aborted(1)
        with pytest.raises(asyncio.CancelledError):
            await making


async def test_connections_are_used_again(models: ModelServer) -> None:
    models.script("m", says("ok"), fails(400), says("ok", split=3))
    async with caller() as calls:
        to = target(models)
        for _ in range(6):
            try:
                await run(calls, to)
            except ProviderError as error:
                assert error.reason == "format"
            # The end of an answer that came after [DONE] is read in the background.
            await asyncio.gather(*(t for t in asyncio.all_tasks() if t.get_name() == "upstream-drain"))
        assert models.connections == 1
    assert len({request.port for request in models.requests}) == 1


async def test_many_calls_leave_nothing_behind(models: ModelServer) -> None:
    models.script("m", says("a", Hang()))
    async with caller() as calls:
        to = target(models)
        tasks = [asyncio.create_task(run(calls, to)) for _ in range(50)]
        await models.wait_requests(50)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await models.wait_aborted(50)
    await models.wait_idle()
    assert [task for task in asyncio.all_tasks() if task.get_name().startswith("upstream")] == []


@pytest.mark.promise("limit.maxUpstreamResponseBytes")
async def test_an_answer_beyond_the_cap_is_dropped(models: ModelServer) -> None:
    events = b'data: {"choices":[{"delta":{"content":"0123456789"}}]}\n\n' * 100
    models.script("m", sends(events * 10))
    async with caller(Limits(max_upstream_response_bytes=2 * len(events))) as calls:
        with pytest.raises(ProviderError, match="maxUpstreamResponseBytes") as caught:
            await run(calls, target(models))
    assert caught.value.http_status == 502


@pytest.mark.promise("limit.maxUpstreamResponseBytes", "CVE-2026-100542")
async def test_a_gzip_bomb_meets_the_same_cap(models: ModelServer) -> None:
    bomb = gzip.compress(b": " + b"\n" * (64 << 20))
    models.script("m", sends(bomb, headers={"Content-Encoding": "gzip"}))
    async with caller(Limits(max_upstream_response_bytes=1 << 20)) as calls:
        with pytest.raises(ProviderError, match="maxUpstreamResponseBytes"):
            await run(calls, target(models))


async def test_a_line_without_end_is_cut_at_the_bound(models: ModelServer) -> None:
    piece = Raw(b"x" * (1 << 20))
    models.script("m", sends(*[step for _ in range(100) for step in (piece, Flush())]))
    async with caller() as calls:
        with pytest.raises(ProviderError, match="more than 8 MB"):
            await run(calls, target(models))
    await models.wait_aborted(1)


async def test_large_requests_are_sent_whole(models: ModelServer) -> None:
    models.script("m", says("ok"))
    text = "0123456789" * 200_000
    async with caller() as calls:
        await run(calls, target(models), messages=[type(HI[0])(text)])
    assert models.requests[0].messages[0]["content"] == text


async def test_the_embedded_model_is_asked_where_it_is(models: ModelServer) -> None:
    models.script("m", says("ok"))
    to = ModelTarget(Endpoint(LOCAL, ""), "m")

    async def where() -> Endpoint:
        return Endpoint(LOCAL, models.base_url, "key-of-the-child")

    async with caller() as calls:
        with pytest.raises(ProviderError, match="not available"):
            await run(calls, to)
    async with caller(local=where) as calls:
        assert (await run(calls, to)).texts == ["ok"]
    assert models.requests[0].headers["Authorization"] == "Bearer key-of-the-child"

"""The embedded model for real: llama.cpp in a child process, through the ordinary dialect.

Slow parts are shared by few tests. No text of the model is expected: only that there is some.
"""

import asyncio
import math
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Raw

from openclaw_gateway.config.schema import Config
from openclaw_gateway.config.secrets.profiles import Stores
from openclaw_gateway.config.secrets.sources import Secrets
from openclaw_gateway.errors import InvalidRequest, ProviderError
from openclaw_gateway.models.catalog import Catalog
from openclaw_gateway.models.cooldown import Cooldowns
from openclaw_gateway.models.defaults import LOCAL_REF
from openclaw_gateway.models.embeddings.choice import EmbeddingChoice
from openclaw_gateway.models.embeddings.embedder import Embedder
from openclaw_gateway.models.endpoints import Endpoints
from openclaw_gateway.models.fallback import FallbackCall
from openclaw_gateway.models.http import UpstreamClient
from openclaw_gateway.models.keys import Keys, Outside
from openclaw_gateway.models.local import LocalModel
from openclaw_gateway.models.local_child import Orders, Ready
from openclaw_gateway.models.request import ModelRequest
from openclaw_gateway.models.target import ModelTarget
from openclaw_gateway.wire.embedding import EmbeddingRequest
from openclaw_gateway.wire.events import Event, TextDelta, UsageReported
from openclaw_gateway.wire.messages import Message, ToolCall, ToolMessage, UserMessage, assistant
from openclaw_gateway.wire.run import NamedTool, Sampling, ToolChoice, ToolSpec
from tests.models.calls import HI, Outcome, caller, run

MISSING = LocalModel.from_environment({}).unavailable()
embedded = pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
SHORT = Sampling(max_tokens=8, temperature=0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def local() -> AsyncIterator[LocalModel]:
    local = LocalModel.from_environment({})
    try:
        yield local
    finally:
        await local.stop()


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def visible(pid: int) -> bytes:
    """What other processes of the user can read about one."""
    return b"".join(Path(f"/proc/{pid}/{what}").read_bytes() for what in ("environ", "cmdline"))


@embedded
async def test_answers_and_comes_back_after_it_was_killed(
    local: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-the-user")
    to = Catalog(Config(), {}).resolve(LOCAL_REF)
    assert local.pid is None
    async with caller(local=local.endpoint) as calls:
        first = await run(calls, to, sampling=SHORT)
        assert "".join(first.texts).strip()
        assert first.finish_reason == "length"
        pid = local.pid
        assert pid is not None
        if sys.platform == "linux":
            told = visible(pid)
            assert b"local_child" in told
            assert b"sk-of-the-user" not in told
            assert ((await local.endpoint()).api_key or "").encode() not in told
        os.kill(pid, signal.SIGKILL)
        again = await run(calls, to, sampling=SHORT)
        assert again.texts == first.texts
        assert local.pid not in (None, pid)
        both = await asyncio.gather(run(calls, to, sampling=SHORT), run(calls, to, sampling=SHORT))
        assert [outcome.attempts for outcome in both] == [1, 1]
    last = local.pid
    assert last is not None
    await local.stop()
    assert gone(last)
    await local.stop()


WEATHER = ToolSpec(
    "get_weather",
    "The weather of a city.",
    Raw(b'{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}'),
)
TIME = ToolSpec(
    "get_time",
    "The time of a zone.",
    Raw(b'{"type":"object","properties":{"zone":{"type":"string"}},"required":["zone"]}'),
)


@embedded
@pytest.mark.parametrize("api", ["openai-completions", "openai-responses", "anthropic-messages"])
async def test_a_server_nobody_here_wrote_speaks_these(local: LocalModel, api: str) -> None:
    """llama.cpp's own implementations of the three APIs, a result of a tool in the conversation."""
    to = ModelTarget(await local.endpoint(), "smollm2", api=api)
    call = ToolCall("call_1", "get_weather", '{"city":"Oslo"}')
    conversation: list[Message] = [
        UserMessage("What is the weather in Oslo?"),
        assistant("", (call,)),
        ToolMessage("call_1", "Sunny, 20 degrees."),
    ]
    async with caller(local=local.endpoint) as calls:
        for messages in ([*HI], conversation):
            outcome = await run(calls, to, messages=messages, sampling=SHORT, tools=(WEATHER,))
            assert outcome.texts
            assert outcome.attempts == 1
            usage = outcome.events[-1]
            assert isinstance(usage, UsageReported)
            assert usage.usage.prompt_tokens > 5
            # One of the three takes no smaller limit than 16.
            assert 0 < usage.usage.completion_tokens <= 16


@embedded
async def test_calls_what_it_must(local: LocalModel) -> None:
    to = Catalog(Config(), {}).resolve(LOCAL_REF)
    asked = [UserMessage("What is the weather in Oslo?")]
    async with caller(local=local.endpoint) as calls:
        choices: tuple[ToolChoice, ...] = (NamedTool("get_weather"), "required")
        for choice in choices:
            outcome = await run(
                calls,
                to,
                messages=asked,
                sampling=Sampling(max_tokens=60, temperature=0.0),
                tools=(WEATHER, TIME),
                tool_choice=choice,
            )
            assert outcome.finish_reason == "tool_calls"
            (made,) = outcome.tool_calls
            assert isinstance(msgspec.json.decode(made.arguments), dict)
            assert made.name in {"get_weather", "get_time"}
            assert outcome.texts == []


@embedded
async def test_dies_in_mid_answer(local: LocalModel) -> None:
    to = Catalog(Config(), {}).resolve(LOCAL_REF)
    outcome = Outcome()
    async with caller(local=local.endpoint) as calls:

        def hear(events: list[Event]) -> None:
            outcome.batches.append(events)
            if isinstance(events[0], TextDelta) and local.pid is not None:
                os.kill(local.pid, signal.SIGKILL)

        asked = ModelRequest("", HI, Sampling(max_tokens=500, temperature=0.0))
        with pytest.raises(ProviderError) as caught:
            await calls.make(FallbackCall((to,), asked, hear))
    assert caught.value.reason == "cut"
    assert outcome.texts
    assert outcome.attempts == 1


@embedded
async def test_refuses_strangers_and_too_long_prompts(local: LocalModel) -> None:
    to = Catalog(Config(), {}).resolve(LOCAL_REF)
    async with caller(local=local.endpoint) as calls:
        with pytest.raises(ProviderError) as caught:
            await run(calls, to, messages=[type(HI[0])("word " * 5000)])
        assert caught.value.reason == "context_overflow"
        endpoint = await local.endpoint()
        stranger = type(endpoint)(endpoint.provider, endpoint.base_url, "another key")
        with pytest.raises(ProviderError) as caught:
            await run(calls, type(to)(stranger, to.model))
        assert caught.value.reason == "auth"


@embedded
def test_a_child_dies_with_its_parent() -> None:
    """The parent is killed the hard way; the child has only its stdin to notice."""
    parent = (
        "import asyncio\n"
        "from openclaw_gateway.models.local import LocalModel\n"
        "async def main():\n"
        "    local = LocalModel.from_environment({})\n"
        "    await local.endpoint()\n"
        "    print('child', local.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        pid = next(int(line.split()[1]) for line in process.stdout if line.startswith(b"child"))
        handle = os.pidfd_open(pid) if sys.platform == "linux" else None
        process.kill()
        if handle is not None:
            try:
                assert _exits(handle)
            finally:
                os.close(handle)


def _exits(handle: int) -> bool:
    """Whether the process behind a pidfd ends within ten seconds."""
    return bool(select.select([handle], [], [], 10)[0])


def test_the_child_goes_when_nobody_orders_anything() -> None:
    command = [sys.executable, "-P", "-m", "openclaw_gateway.models.local_child"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=True)
    assert done.stdout == b""


@embedded
async def test_one_that_cannot_start_says_so_at_once_and_is_left_alone_for_a_while(tmp_path: Path) -> None:
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"not a model")
    clock = Clock()
    local = LocalModel(broken, monotonic=clock)
    for expected, retry_after in (
        ("could not be started", None),
        ("could not be started", None),
        ("keeps failing", 1.0),
    ):
        with pytest.raises(ProviderError, match=expected) as caught:
            await local.endpoint()
        assert (caught.value.reason, caught.value.retryable) == ("unreachable", False)
        assert caught.value.retry_after == retry_after
    clock.now += 1.0
    with pytest.raises(ProviderError, match="could not be started"):
        await local.endpoint()
    assert local.pid is None
    await local.stop()


@embedded
async def test_stopping_ends_a_start_under_way(local: LocalModel) -> None:
    waiting = asyncio.create_task(local.endpoint())
    await asyncio.sleep(0)
    await local.stop()
    with pytest.raises(ProviderError, match="being stopped"):
        await waiting
    assert local.pid is None


@embedded
async def test_who_leaves_does_not_stop_the_start_for_others(local: LocalModel) -> None:
    first, second = (asyncio.create_task(local.endpoint()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).base_url.startswith("http://127.0.0.1:")
    assert first.cancelled()


def test_where_the_model_file_is(tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    missing = LocalModel.from_environment({"CLAWDBOT_LOCAL_MODEL": str(file)}).unavailable()
    assert missing is not None
    if MISSING is None:
        assert "OPENCLAW_LOCAL_MODEL" in missing
        file.write_bytes(b"")
        assert LocalModel.from_environment({"OPENCLAW_LOCAL_MODEL": str(file)}).unavailable() is None
        assert "OPENCLAW_LOCAL_MODEL" in (LocalModel(None).unavailable() or "")


def test_the_words_between_parent_and_child() -> None:
    orders = Orders("/m.gguf", "key")
    assert msgspec.json.decode(msgspec.json.encode(orders), type=Orders) == orders
    assert (orders.threads, orders.context, orders.parallel, orders.batch) == (1, 4096, 2, 256)
    assert Ready("http://127.0.0.1:1/v1").base_url


@embedded
async def test_it_makes_vectors_in_a_child_of_its_own(local: LocalModel, tmp_path: Path) -> None:
    """Of length 1 and always the same; a text that is too long is said to be."""
    vectors = local.for_vectors()
    client = UpstreamClient()
    config = Config()
    endpoints = Endpoints(config, {}, Keys(config, {}))
    outside = Outside({}, Secrets(config.secrets, {}, tmp_path), Stores(), 0)
    choice = EmbeddingChoice(config, endpoints, outside, {}, embedded=True)
    try:
        embedder = Embedder(client, Cooldowns(), vectors.endpoint)
        embedding = choice.of("main")
        texts = EmbeddingRequest(("a cat", "a kitten", "a cat"))
        made = await embedder.embed(embedding, texts, msgspec.json.encode)
        first, other, again = (msgspec.json.decode(each, type=list[float]) for each in made.vectors)
        assert math.hypot(*first) == pytest.approx(1)
        assert first == pytest.approx(again)
        assert first != pytest.approx(other)
        assert made.prompt_tokens > 3
        with pytest.raises(ProviderError) as failed:
            await embedder.embed(embedding, EmbeddingRequest(("word " * 3000,)), msgspec.json.encode)
        assert failed.value.code == "context_length_exceeded"
        with pytest.raises(InvalidRequest):
            await embedder.embed(embedding, EmbeddingRequest(("a",), 64), msgspec.json.encode)
        assert local.pid is None
    finally:
        await client.close()
        await vectors.stop()

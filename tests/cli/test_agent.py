"""`agent`: through the gateway and in process; what is printed, what is remembered, what is refused."""

import asyncio
import os
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import (
    Hold,
    ModelServer,
    Reasoning,
    fails,
    hangs,
    says,
)
from openclaw_gateway.wire.run import Usage
from tests.cli.conftest import DEADLINE_S, Done, Program

Way = list[str]


@pytest.fixture(params=["gateway", "local"])
async def way(request: pytest.FixtureRequest, configured: Program) -> Way:
    """The words that choose the way to the agent; every promise here holds for both."""
    if request.param == "local":
        return ["--local"]
    await configured.gateway()
    return []


async def _say(program: Program, way: Way, *words: str, stdin: str | None = None) -> Done:
    return await program.run("agent", *way, *words, stdin=stdin)


async def test_prints_the_answer_and_a_line_end(configured: Program, models: ModelServer, way: Way) -> None:
    models.script("m", says(Reasoning("hm"), "Hel", "lo"))
    done = await _say(configured, way, "-m", "hi")
    assert (done.code, done.out) == (0, "Hello\n")
    assert "hm" not in done.err
    models.script("m", says("Hello\n"))
    assert (await _say(configured, way, "-m", "hi")).out == "Hello\n"


@pytest.mark.promise("terminal")
async def test_text_comes_as_the_model_says_it(configured: Program, models: ModelServer, way: Way) -> None:
    gate = asyncio.Event()
    models.script("m", says("first ", Hold(gate), "second"))
    started = await configured.start("agent", *way, "-m", "hi")
    await started.says("first ")
    assert "second" not in started.out
    gate.set()
    assert (await started.ends()).out == "first second\n"


async def test_remembers_the_main_session_and_others_by_key(
    configured: Program, models: ModelServer, way: Way
) -> None:
    models.script("m", says("One."), says("Two."), says("Three."), says("Four."))
    for text, *more in (["a"], ["b"], ["c", "--session-key", "other"], ["d", "--session-id", "other"]):
        assert (await _say(configured, way, "-m", text, *more)).code == 0
    said = [[m["content"] for m in request.messages if m["role"] != "system"] for request in models.requests]
    assert said == [["a"], ["a", "One.", "b"], ["c"], ["c", "Three.", "d"]]


@pytest.mark.promise("terminal-json")
async def test_json_is_one_object(configured: Program, models: ModelServer, way: Way) -> None:
    models.script("m", says("Hello.", usage=Usage(10, 5, 15, cached_tokens=4)))
    done = await _say(configured, way, "-m", "hi", "--json")
    assert (done.code, done.err if way == [] else "") == (0, "")
    answer = done.json
    result: dict[str, Any] = answer["result"]
    assert (answer["status"], answer["summary"]) == ("ok", "completed")
    assert result["payloads"] == [{"text": "Hello.", "mediaUrl": None}]
    meta = result["meta"]
    assert meta["durationMs"] >= 0
    assert (meta["aborted"], meta["stopReason"]) == (False, "stop")
    assert (meta["agentMeta"]["provider"], meta["agentMeta"]["model"]) == ("mock", "m")
    usage = {"input": 6, "output": 5, "cacheRead": 4, "cacheWrite": 0, "total": 15}
    assert meta["agentMeta"]["usage"] == usage


async def test_json_names_the_model_that_answered(program: Program, models: ModelServer) -> None:
    models.script("first", fails(401))
    models.script("second", says("I can help."))
    model = {"primary": "mock/first", "fallbacks": ["mock/second"]}
    program.configure(model_config(models.base_url, {"agents": {"defaults": {"model": model}}}))
    local = await program.run("agent", "--local", "-m", "hi", "--json")
    await program.gateway()
    for done in (local, await program.run("agent", "-m", "hi", "--json")):
        meta = done.json["result"]["meta"]["agentMeta"]
        assert (meta["provider"], meta["model"]) == ("mock", "second")


async def test_the_message_may_come_from_stdin_or_a_file(
    configured: Program, models: ModelServer, way: Way, tmp_path: Path
) -> None:
    file = tmp_path / "message.txt"
    file.write_text("from a file\n")
    await _say(configured, way, "-m", "-", "--session-key", "a", stdin="from\nstdin\n")
    await _say(configured, way, "--message-file", str(file), "--session-key", "b")
    assert [request.messages[-1]["content"] for request in models.requests] == ["from\nstdin", "from a file"]


async def test_refusals_are_the_same(configured: Program, models: ModelServer, way: Way) -> None:
    unknown = await _say(configured, way, "-m", "hi", "--agent", "nosuch")
    assert (unknown.code, unknown.out) == (1, "")
    assert 'Unknown agent id "nosuch"' in unknown.err
    for words, code in (
        (["--agent", "nosuch"], "agent_not_found"),
        (["--session-key", "cron:x"], "session_key_reserved"),
        (["--session-key", "agent:nosuch:x"], "agent_not_found"),
    ):
        done = await _say(configured, way, "-m", "hi", "--json", *words)
        assert done.code == 1
        assert (done.json["ok"], done.json["error"]["code"]) == (False, code)
    assert models.requests == []


@pytest.mark.promise("error-is-no-text", "error.provider_auth_failed")
async def test_a_provider_that_fails_is_an_error_and_no_text(
    configured: Program, models: ModelServer, way: Way
) -> None:
    models.script("m", fails(401, "no such key"))
    done = await _say(configured, way, "-m", "hi")
    assert (done.code, done.out) == (1, "")
    assert done.err.splitlines()[-1].startswith("Error: ")
    done = await _say(configured, way, "-m", "hi", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "provider_auth_failed")
    assert done.json["runId"]


async def test_timeout_ends_the_run(configured: Program, models: ModelServer, way: Way) -> None:
    models.script("m", hangs())
    done = await _say(configured, way, "-m", "hi", "--timeout", "1", "--json")
    assert (done.code, done.json["error"]["code"]) == (1, "run_timeout")
    await models.wait_aborted(1)


@pytest.mark.promise("agent-interrupted")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_an_interruption_aborts_the_run(
    configured: Program, models: ModelServer, way: Way, number: signal.Signals
) -> None:
    models.script("m", says("partial ", Hold(asyncio.Event())))
    started = await configured.start("agent", *way, "-m", "hi")
    await started.says("partial ")
    started.signal(number)
    done = await started.ends()
    assert (done.code, done.out) == (130, "partial \n")
    assert "Traceback" not in done.err
    await models.wait_aborted(1)
    models.script("m", says("again"))
    assert (await _say(configured, way, "-m", "more")).code == 0
    assert [m["content"] for m in models.requests[-1].messages if m["role"] != "system"] == [
        "hi",
        "partial ",
        "more",
    ]


@pytest.mark.promise("agent-interrupted")
async def test_a_reader_that_leaves_aborts_the_run(
    configured: Program, models: ModelServer, way: Way
) -> None:
    gate = asyncio.Event()
    models.script("m", says("partial ", Hold(gate), "more", Hold(asyncio.Event())))
    ours, configured.stdout = os.pipe()
    started = await configured.start("agent", *way, "-m", "hi")
    os.close(configured.stdout)
    async with asyncio.timeout(DEADLINE_S):
        assert await asyncio.to_thread(os.read, ours, 100) == b"partial "
        os.close(ours)
        gate.set()
        await models.wait_aborted(1)
    done = await started.ends()
    assert done.code == 1
    assert "Traceback" not in done.err


@pytest.mark.promise("terminal-local")
async def test_local_refuses_beside_a_gateway(configured: Program, models: ModelServer) -> None:
    gateway = await configured.gateway()
    done = await configured.run("agent", "--local", "-m", "hi")
    assert (done.code, done.out) == (1, "")
    assert f"(pid {gateway.pid})" in done.err
    assert "without --local" in done.err
    assert models.requests == []


async def test_without_a_gateway_nothing_is_executed(configured: Program, models: ModelServer) -> None:
    done = await configured.run("agent", "-m", "hi", OPENCLAW_GATEWAY_PORT="1")
    assert (done.code, done.out) == (1, "")
    assert "--local" in done.err
    assert "127.0.0.1:1." in done.err
    assert models.requests == []


async def test_a_wrong_or_missing_secret_says_what_to_do(program: Program, models: ModelServer) -> None:
    config = model_config(models.base_url, model="m")
    del config["gateway"]["auth"]
    program.configure(config)
    gateway = await program.gateway()
    done = await program.run("agent", "-m", "hi")
    assert (done.code, done.out) == (1, "")
    assert "--token" in done.err
    done = await program.run("agent", "-m", "hi", "--token", "a-wrong-one-altogether")
    assert done.code == 1
    assert "does not accept" in done.err
    for words in ("sessions list", "usage", "approvals pending", "gateway call health"):
        other = await program.run(*words.split(), "--token", "a-wrong-one-altogether")
        assert (other.code, other.err) == (1, done.err), words
    done = await program.run("agent", "-m", "hi", "--token", gateway.row("token"))
    assert done.code == 0
    done = await program.run("agent", "-m", "hi", OPENCLAW_GATEWAY_TOKEN=gateway.row("token"))
    assert done.code == 0
    url = gateway.row("gateway")
    done = await program.run("agent", "-m", "hi", "--url", url, OPENCLAW_GATEWAY_TOKEN=gateway.row("token"))
    assert done.code == 1, "a secret of this machine is not sent to an address that was named"
    done = await program.run("agent", "-m", "hi", "--url", url, "--token", gateway.row("token"))
    assert done.code == 0


async def test_who_is_locked_out_is_told_so_and_for_how_long(program: Program, models: ModelServer) -> None:
    """And the right secret is let in meanwhile."""
    config = model_config(models.base_url, model="m")
    limit = {"maxAttempts": 2, "lockoutMs": 90_000}
    config["gateway"]["auth"]["rateLimit"] = limit
    program.configure(config)
    await program.gateway()
    for _ in range(2):
        done = await program.run("agent", "-m", "hi", "--token", "a-wrong-one-altogether")
        assert "does not accept" in done.err
    wrong = ("agent", "-m", "hi", "--token", "a-wrong-one-altogether")
    done = await program.run(*wrong)
    assert done.code == 1
    found = re.search(r"locked this address out for another (\d+) seconds", done.err.replace("\n", " "))
    assert found is not None, done.err
    assert 0 < int(found[1]) <= 90
    assert "does not accept" not in done.err
    told = (await program.run(*wrong, "--json")).json
    assert (told["error"]["type"], told["error"]["code"]) == ("rate_limited", "rate_limited")
    assert (await program.run("agent", "-m", "hi")).code == 0


async def test_a_wrong_command_line_is_a_usage_error(configured: Program) -> None:
    lines: list[list[str]] = [
        [],
        ["-m", "  "],
        ["-m", "-"],
        ["-m", "a", "--message-file", "b"],
        ["-m", "a", "--session-key", "b", "--session-id", "c"],
        ["-m", "a", "--local", "--url", "ws://127.0.0.1:1"],
        ["-m", "a", "--timeout", "0"],
        ["-m", "a", "--agent", ""],
        ["-m", "a", "--session-key", " "],
    ]
    for done in await asyncio.gather(*(configured.run("agent", *words) for words in lines)):
        assert (done.code, done.out) == (2, "")
        assert "agent" in done.err


async def test_a_file_that_is_not_there_and_a_message_that_is_no_text(
    configured: Program, tmp_path: Path
) -> None:
    done = await configured.run("agent", "--message-file", "nosuch.txt")
    assert done.code == 1
    assert "nosuch.txt" in done.err
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    done = await configured.run("agent", "--message-file", str(tmp_path / "binary"), "--json")
    assert done.code == 1
    assert "UTF-8" in done.json["error"]["message"]


async def test_the_older_name_talks_to_its_own_gateway(program: Program, models: ModelServer) -> None:
    home = program.home / ".clawdbot"
    home.mkdir()
    written = program.configure(model_config(models.base_url, model="m"))
    written.rename(home / "clawdbot.json")
    del program.environ["OPENCLAW_STATE_DIR"]
    started = await program.start("gateway", "--port", "0", name="clawdbot")
    await started.says("Ready.")
    port = started.row("gateway").rpartition(":")[2]
    done = await program.run("agent", "-m", "hi", name="clawdbot", CLAWDBOT_GATEWAY_PORT=port)
    assert (done.code, done.out) == (0, "Hello.\n")

"""Going away in the right order: refuse, wait, abort the rest with an honest end, then close."""

import asyncio
from pathlib import Path

import pytest

from openclaw_gateway.doors import listener
from openclaw_gateway.runs import live
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import Hang, Hold, ModelServer, hangs, says
from tests.doors.chat import http, say
from tests.doors.raw import post, wire
from tests.doors.tool_replies import calls
from tests.tools.test_orphans import appears, dies


@pytest.mark.promise("error.draining")
async def test_a_drain_lets_runs_end_while_new_ones_are_refused(models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("mock-echo", says("begun ", Hold(gate), "and ended"))
    async with running_gateway(model_config(models.base_url)) as gateway:
        running = asyncio.create_task(say(gateway, "hi", stream=True, user="ada"))
        await models.wait_requests(1)
        drain = asyncio.create_task(gateway.daemon.drain())
        async with http(gateway) as session:
            while True:
                async with session.get("/ready") as response:
                    if response.status == 503:
                        assert "draining" in (await response.json())["failing"]
                        break
        refused = await say(gateway, "too late")
        assert (refused.status, refused.error["code"]) == (503, "draining")
        assert refused.headers["Retry-After"]
        gate.set()
        answer = await running
        await drain
    text = "".join(f["choices"][0]["delta"].get("content", "") for f in answer.frames[:-1])
    assert text == "begun and ended"
    assert answer.frames[-1] == "[DONE]"


@pytest.mark.promise("limit.drainSeconds", "error.draining")
@pytest.mark.parametrize("stream", [True, False])
async def test_what_does_not_end_in_time_is_aborted_and_told(models: ModelServer, stream: bool) -> None:
    models.script("mock-echo", says("half ", Hang()))
    config = model_config(models.base_url, {"gateway": {"limits": {"drainSeconds": 0.05}}})
    async with running_gateway(config) as gateway:
        running = asyncio.create_task(say(gateway, "hi", stream=stream, user="ada"))
        await models.wait_requests(1)
        await gateway.daemon.drain()
        answer = await running
        await models.wait_aborted(1)
    if stream and answer.status == 200:
        assert answer.frames[-2]["error"]["code"] == "draining"
        assert answer.frames[-1] == "[DONE]"
    else:
        assert (answer.status, answer.error["code"]) == (503, "draining")


async def test_tools_do_not_hold_up_a_drain(
    models: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer is said to its end; what works on, and would be followed by who knows what, is aborted."""
    monkeypatch.setattr(live, "TOOLS_S", 0.05)
    gate = asyncio.Event()
    full = {"tools": {"exec": {"security": "full", "ask": "off"}}}
    config = model_config(models.base_url, full)
    async with running_gateway(config, state_dir=tmp_path) as gateway:
        models.script("mock-echo", says("begun ", Hold(gate), "and ended"))
        saying = asyncio.create_task(say(gateway, "say", user="ada"))
        await models.wait_requests(1)
        models.script("mock-echo", calls(("x", "exec", '{"command": "echo $$ > pid; exec sleep 600"}')))
        working = asyncio.create_task(say(gateway, "work", user="bob"))
        pid = await appears(tmp_path / "workspace" / "pid")
        drain = asyncio.create_task(gateway.daemon.drain())
        answer = await working
        assert (answer.status, answer.error["code"]) == (503, "draining")
        await dies(pid)
        assert not drain.done()
        gate.set()
        assert (await saying).content == "begun and ended"
        await drain


async def test_closing_without_a_drain_leaves_no_run(models: ModelServer) -> None:
    models.script("mock-echo", hangs())
    async with running_gateway(model_config(models.base_url)) as gateway:
        running = asyncio.create_task(say(gateway, "hi"))
        await models.wait_requests(1)
        await gateway.daemon.close()
        answer = await running
    assert (answer.status, answer.error["code"]) == (503, "draining")
    await models.wait_aborted(1)


@pytest.mark.promise("error.draining")
async def test_a_body_that_has_not_come_whole_is_told_of_the_shutdown(
    models: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "_LAST_BYTES_S", 0.05)
    async with running_gateway(model_config(models.base_url)) as gateway, wire(gateway) as raw:
        raw.send(post(gateway, b"", "Expect: 100-continue", length=10))
        assert b" 100 " in await raw.until(b"\r\n\r\n")  # it waits for the body now
        raw.send(b"half")
        await gateway.daemon.close()
        answer = await raw.answer()
    assert (answer.status, answer.code) == (503, "draining")
    assert b"\r\nRetry-After: 5\r\n" in answer.head

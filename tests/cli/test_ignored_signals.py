"""Where Ctrl-C is ignored, as in what a script starts with `&`, the other signals still end a command."""

import asyncio
import signal
import sys

import pytest

from openclaw_gateway.testing.model_server import Hold, ModelServer, says
from tests.cli.conftest import DEADLINE_S, Program

IGNORING = ("/bin/sh", "-c", 'trap \'\' INT; exec "$0" "$@"')


@pytest.mark.promise("agent-interrupted")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("way", ["gateway", "local"])
async def test_an_answer_is_ended_though_an_interrupt_is_ignored(
    configured: Program, models: ModelServer, way: str, number: signal.Signals
) -> None:
    if way == "gateway":
        await configured.gateway()
    models.script("m", says("partial ", Hold(asyncio.Event())))
    words = ("agent", "-m", "hi", *(["--local"] if way == "local" else []))
    process = await asyncio.create_subprocess_exec(
        *(*IGNORING, sys.executable, "-m", "openclaw_gateway", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        env=configured.environ,
        cwd=configured.home,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE_S):
            assert await process.stdout.readexactly(8) == b"partial "
            process.send_signal(number)
            assert await process.wait() == 130
        await models.wait_aborted(1)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()

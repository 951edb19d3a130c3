"""A command that is a fork ends as one that is started: the same words on the same streams, the same code."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.forked import Command
from tests.cli.prepared import Prepared


@pytest.mark.parametrize(
    ("words", "given"),
    [
        (("--version",), ""),
        (("--help",), ""),
        (("no-such-command",), ""),
        (("config", "get", "gateway"), ""),
        (("config", "get", "no.such.key"), ""),
        (("config", "set", "gateway.port", "nothing"), ""),
        (("config", "validate", "--json"), ""),
        (("status", "--json"), ""),
        (("sessions", "list"), ""),
        (("agent", "--local", "-m", "-"), "здравствуй"),
    ],
)
async def test_a_fork_says_what_a_start_says(configured: Program, words: tuple[str, ...], given: str) -> None:
    started = await (await configured.start(*words, stdin=given)).ends()
    forked = await configured.run(*words, stdin=given)
    assert (forked.code, forked.err) == (started.code, started.err)
    assert forked.out == started.out


async def test_what_python_reads_at_its_start_is_for_a_start(configured: Program) -> None:
    prepared = configured.prepared
    assert prepared.starts_so(configured.environ)
    assert prepared.starts_so({**configured.environ, "NO_COLOR": "1"})
    for name in ("LC_ALL", "PYTHONIOENCODING", "SSL_CERT_FILE"):
        assert not prepared.starts_so({**configured.environ, name: "latin-1"})


@pytest.mark.parametrize("comes_late", [False, True])
async def test_who_says_nothing_for_too_long_is_killed(
    configured: Program, prepared: Prepared, comes_late: bool
) -> None:
    words = ("gateway", "run", "--port", "0")
    command = Command("openclaw", words, configured.environ, str(configured.home))
    deadline_s = 0.5
    if comes_late:
        # As on a machine that has much else to do.
        os.kill(prepared._process.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(2 * deadline_s, os.kill, prepared._process.pid, signal.SIGCONT)
    with pytest.raises(TimeoutError):
        await prepared.run(command, b"", deadline_s)
    async with asyncio.timeout(20):
        while _children(prepared):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
    again = Command("openclaw", ("--version",), configured.environ, str(configured.home))
    assert (await prepared.run(again, b"", deadline_s=30.0))[0] == 0


async def test_one_that_a_signal_has_ended_says_so(configured: Program, prepared: Prepared) -> None:
    words = ("gateway", "run", "--port", "0")
    command = Command("openclaw", words, configured.environ, str(configured.home))
    running = asyncio.create_task(prepared.run(command, b"", deadline_s=30.0))
    async with asyncio.timeout(20):
        while not (children := _children(prepared)):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.01)
    os.kill(children[0], signal.SIGKILL)
    assert (await running)[0] == -signal.SIGKILL


def _children(prepared: Prepared) -> list[int]:
    pid = prepared._process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

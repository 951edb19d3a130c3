"""The edge of the program: every error becomes words and a code, and nothing steers a terminal."""

import asyncio
import os
import pty
import signal
import sys

import pytest

from openclaw_gateway.cli.exit_codes import EXIT_CODES
from openclaw_gateway.cli.failure import CommandFailed, report
from openclaw_gateway.cli.harmless import one_line, printable, visible
from openclaw_gateway.cli.invocation import Invocation
from openclaw_gateway.errors import ConfigError, RunTimeout, StartupError
from openclaw_gateway.testing.model_server import ModelServer, Reasoning, says
from tests.cli.conftest import DEADLINE_S, Program


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError(["one", "two"]), 78),
        (StartupError("no", exit_code=69), 69),
        (RunTimeout("slow"), 1),
        (CommandFailed("no", exit_code=130), 130),
        (ValueError("what nobody foresaw"), 70),
    ],
)
def test_every_error_has_words_and_a_documented_code(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(error, Invocation("openclaw")) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert code in EXIT_CODES


def test_a_fault_of_ours_shows_its_trace_only_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    report(ValueError("secret"), Invocation("openclaw"))
    assert "secret" not in capsys.readouterr().err
    report(ValueError("secret"), Invocation("openclaw", debug=True))
    assert "ValueError: secret" in capsys.readouterr().err


def test_json_errors_are_one_object_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    report(CommandFailed("nö", code="c", kind="k", run_id="r"), Invocation("openclaw", json=True))
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out == '{"ok": false, "error": {"type": "k", "code": "c", "message": "nö"}, "runId": "r"}\n'


@pytest.mark.promise("error.usage")
@pytest.mark.parametrize(
    "words",
    [
        ("health", "--bogus", "--json"),
        ("approvals", "allow", "--json"),
        ("config", "get", "--json"),
        ("nosuch", "--json"),
    ],
)
async def test_a_wrong_command_line_is_json_as_well_when_json_is_asked_for(
    program: Program, words: tuple[str, ...]
) -> None:
    done = await program.run(*words)
    assert (done.code, done.err) == (2, "")
    assert done.json["error"]["code"] == "usage"
    assert done.json["error"]["message"]
    plain = await program.run(*words[:-1])
    assert (plain.code, plain.out) == (2, "")
    assert plain.err.startswith("Usage: ")


def test_printable_keeps_text_and_drops_what_steers() -> None:
    assert printable("a\tb\nc \x1b[2Jd\x07\x9be\r\x7f ünï 🙂") == "a\tb\nc [2Jde ünï 🙂"
    assert printable("\u202egnp.exe\u202c \u2066a\u2069 b\u2028c\ud800") == "gnp.exe a b\nc"
    assert one_line(" a\n\t b\u2029c\x1b]0;t\x07") == "a b c]0;t"


def test_of_what_is_to_be_allowed_nothing_is_hidden() -> None:
    assert visible("rm x\x1b[8m; y\u202e\nz") == "rm x\\u001b[8m; y\\u202e\nz"


async def _on_a_terminal(program: Program, *words: str, **environ: str) -> tuple[str, int]:
    """Run a command whose output is a terminal; all that appears on it, and the exit code."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "openclaw_gateway",
        *words,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env={**program.environ, "TERM": "xterm-256color", **environ},
    )
    os.close(theirs)
    seen = b""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while data := await asyncio.to_thread(_read, ours):
                seen += data
            return seen.decode(), await process.wait()
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        os.close(ours)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # what Linux says when the last writer has closed a terminal
        return b""


async def test_on_a_terminal_thoughts_are_seen_and_the_model_cannot_steer_it(
    configured: Program, models: ModelServer
) -> None:
    models.script("m", says(Reasoning("let me see"), "ok\x1b]0;owned\x07 then"))
    seen, code = await _on_a_terminal(configured, "agent", "--local", "-m", "hi")
    assert code == 0
    assert "let me see" in seen
    assert "ok]0;owned then" in seen


async def test_colours_are_for_terminals_that_want_them(configured: Program) -> None:
    assert "\x1b[" in (await _on_a_terminal(configured, "status"))[0]
    assert "\x1b[3" not in (await _on_a_terminal(configured, "config", "get", "x", NO_COLOR="1"))[0]
    assert "\x1b[31m" in (await _on_a_terminal(configured, "config", "get", "x"))[0]
    assert "\x1b[3" not in (await _on_a_terminal(configured, "--no-color", "config", "get", "x"))[0]

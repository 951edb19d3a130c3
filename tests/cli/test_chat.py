"""`chat` in a terminal of its own: what is typed, what is shown, what is stopped and asked."""

import asyncio
import base64
import re
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest
from rich.cells import cell_len

from openclaw_gateway.testing.gateway import model_config
from openclaw_gateway.testing.model_server import Call, Hold, ModelServer, Reasoning, calls, fails, says
from openclaw_gateway.wire.run import Usage
from tests.cli.a_terminal import Screen, in_a_terminal
from tests.cli.conftest import Program
from tests.cli.cut_between import cut_between

# A line may be typed from here on: pasted text is told apart.
READY = "\x1b[?2004h"
_CODES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\r")
_STYLES = re.compile(r"\x1b\[[0-9;]*m")


def encoded(value: object) -> str:
    return msgspec.json.encode(value).decode()


def bare(text: str) -> str:
    return _CODES.sub("", text)


@asynccontextmanager
async def chatting(program: Program, *words: str, columns: int = 100) -> AsyncIterator[Screen]:
    async with in_a_terminal(program, "chat", *words, columns=columns, TERM="xterm-256color") as screen:
        await screen.shows(READY)
        yield screen


async def said(screen: Screen, keys: str) -> str:
    """What is shown from a line that is typed to the next prompt."""
    screen.types(keys)
    return await screen.shows(READY)


@pytest.fixture
async def ready(configured: Program) -> Program:
    await configured.gateway()
    return configured


@pytest.mark.promise("chat")
async def test_says_and_answers_and_leaves(ready: Program, models: ModelServer) -> None:
    models.script("m", says("Hel", "lo **you**."), says("Again."))
    async with chatting(ready) as screen:
        assert "main (mock/m) in agent:main:main." in screen.text
        shown = await said(screen, "hi\r")
        assert "Hello you." in bare(shown)
        assert "\x1b[1myou\x1b[0m" in shown
        assert "Again." in bare(await said(screen, "more\r"))
        screen.types("\x04")
        assert await screen.ends() == 0
    asked = [one["content"] for one in models.requests[1].messages[-3:]]
    assert asked == ["hi", "Hello **you**.", "more"]


async def test_what_has_ended_is_shown_while_the_rest_comes(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("One two **th", Hold(gate), "ree** four\n"))
    async with chatting(ready) as screen:
        screen.types("go\r")
        shown = bare(await screen.shows("two"))
        assert "th" not in shown.partition("One")[2]
        gate.set()
        assert "three four" in bare(await screen.shows(READY))
        # Nothing is written twice.
        assert screen.text.count("two") == 1


async def test_several_lines_are_pasted_or_typed_as_one_message(ready: Program, models: ModelServer) -> None:
    async with chatting(ready) as screen:
        await said(screen, "\x1b[200~one\ntwo\x1b[201~\r")
        await said(screen, "three\x1b\rfour\r")
    assert [request.messages[-1]["content"] for request in models.requests] == ["one\ntwo", "three\nfour"]


async def test_what_was_typed_is_kept_for_its_owner_alone(ready: Program, models: ModelServer) -> None:
    async with chatting(ready) as screen:
        await said(screen, "remember me\r")
        screen.types("\x04")
        await screen.ends()
    kept = ready.state / "gateway" / "chat-history"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    async with chatting(ready) as screen:
        await said(screen, "\x1b[A\r")
    assert models.requests[-1].messages[-1]["content"] == "remember me"


async def test_ctrl_c_stops_the_answer_and_keeps_the_chat(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("I begin ", Hold(gate), "and end"), says("Back."))
    async with chatting(ready) as screen:
        screen.types("go\r")
        await screen.shows("I begin")
        screen.types("\x03")
        assert "Stopped." in bare(await screen.shows(READY))
        assert "Back." in bare(await said(screen, "and now\r"))
        # What is half typed is given up by it as well.
        screen.types("half\x03")
        await screen.shows(READY)
        # Once more, with nothing typed since, leaves.
        screen.types("\x03")
        assert await screen.ends() == 0
    await models.wait_aborted(1)
    assert "half" not in models.requests[-1].messages[-1]["content"]


async def test_tool_calls_are_shown_as_they_happen(program: Program, models: ModelServer) -> None:
    workspace = program.state / "workspace"
    workspace.mkdir()
    (workspace / "a.txt").write_text("seen")
    program.configure(model_config(models.base_url, model="m"))
    models.script(
        "m",
        calls(Call("read", '{"path": "a.txt"}')),
        calls(Call("read", '{"path": "missing.txt"}')),
        says(Reasoning("hm"), "Done."),
    )
    await program.gateway()
    async with chatting(program) as screen:
        shown = bare(await said(screen, "look\r"))
    assert re.search(r"> read a\.txt  ok, \d+\.\d s\n", shown)
    assert re.search(r"> read missing\.txt  failed, \d+\.\d s\n  .*missing\.txt", shown)
    assert shown.index("missing") < shown.index("hm") < shown.index("Done.")


@pytest.mark.parametrize(("key", "made"), [("y", True), ("n", False)])
async def test_whether_a_command_may_run_is_asked_in_place(
    program: Program, models: ModelServer, key: str, made: bool
) -> None:
    (program.state / "workspace").mkdir()
    program.configure(model_config(models.base_url, model="m"))
    models.script("m", calls(Call("exec", '{"command": "touch made"}')), says("Over."))
    await program.gateway()
    async with chatting(program) as screen:
        screen.types("go\r")
        shown = bare(await screen.shows(READY))
        assert "May this run?" in shown
        assert "touch made" in shown
        assert "[y]es, once" in bare(await screen.shows("[n]o"))
        screen.types(f"{key}\r")
        assert "Over." in bare(await screen.shows(READY))
    assert (program.state / "workspace" / "made").exists() is made


async def test_a_question_that_is_answered_elsewhere_goes_away(program: Program, models: ModelServer) -> None:
    (program.state / "workspace").mkdir()
    program.configure(model_config(models.base_url, model="m"))
    models.script("m", calls(Call("exec", '{"command": "touch made"}')), says("Over."))
    await program.gateway()
    async with chatting(program) as screen:
        screen.types("go\r")
        await screen.shows(READY)
        (pending,) = (await program.run("approvals", "pending", "--json")).json["pending"]
        await program.run("approvals", "answer", pending["id"], "deny")
        shown = bare(await screen.shows(READY))
        assert "Answered by cli: deny." in shown
        assert "Over." in shown


async def test_a_question_that_ends_while_another_is_asked_is_asked_no_more(
    program: Program, models: ModelServer
) -> None:
    (program.state / "workspace").mkdir()
    program.configure(model_config(models.base_url, model="m"))
    asks = [calls(Call("exec", encoded({"command": f"touch {name}"}))) for name in ("first", "second")]
    models.script("m", *asks, says("Beside."), says("Over."))
    await program.gateway()
    async with chatting(program) as screen:
        screen.types("go\r")
        await screen.shows(READY)
        beside = asyncio.create_task(program.run("agent", "--session-key", "beside", "go"))
        pending: list[dict[str, str]] = []
        async with asyncio.timeout(30):
            while len(pending) < 2:
                pending = (await program.run("approvals", "pending", "--json")).json["pending"]
        (other,) = (one["id"] for one in pending if "second" in encoded(one))
        await program.run("approvals", "answer", other, "deny")
        assert "Beside." in (await beside).out
        screen.types("n\r")
        shown = bare(await screen.shows(READY))
        assert "Over." in shown
        assert "May this run?" not in shown


async def test_orders_change_conversation_model_and_agent(program: Program, models: ModelServer) -> None:
    entry = {"id": "work", "name": "Worker"}
    agents = {"list": [{"id": "main", "default": True}, entry]}
    more = {"agents": {**agents, "defaults": {"models": {"mock/other": {}}}}}
    program.configure(model_config(models.base_url, more, model="m"))
    models.script("m", says("Yes.", usage=Usage(10, 5, 15)))
    models.script("other", says("Other."))
    await program.gateway()
    async with chatting(program) as screen:
        await said(screen, "one\r")
        assert "15 tokens: 10 in, 5 out" in bare(await said(screen, "/usage\r"))
        assert "* mock/m  (default)" in bare(await said(screen, "/model\r"))
        await said(screen, "/model mock/other\r")
        assert "Other." in bare(await said(screen, "two\r"))
        await said(screen, "/model mock/nosuch\r")
        refused = bare(await said(screen, "lost\r"))
        assert "'mock/nosuch' is not allowed for agent 'main'" in refused
        assert "answered by the agent's own model again" in " ".join(refused.split())
        assert "* mock/m  (default)" in bare(await said(screen, "/model\r"))
        await said(screen, "/model mock/other\r")
        await said(screen, "/model default\r")
        assert "A new conversation." in bare(await said(screen, "/new\r"))
        await said(screen, "three\r")
        listed = bare(await said(screen, "/sessions\r"))
        assert re.search(r"\*  1  .*chat-", listed)
        assert re.search(r"   2  .*main", listed)
        assert "agent:main:main. 4 messages so far." in bare(await said(screen, "/sessions 2\r"))
        shown = bare(await said(screen, "/agent\r"))
        assert "* main" in shown
        assert "  work  Worker  mock/m" in shown
        await said(screen, "/agent work\r")
        assert "Nothing runs in this conversation." in bare(await said(screen, "/abort\r"))
        assert "There is no /nosuch." in bare(await said(screen, "/nosuch\r"))
        assert "agent_not_found" not in bare(shown)
        assert "Unknown agent" in bare(await said(screen, "/agent nosuch\r"))
        screen.types("/quit\r")
        assert await screen.ends() == 0
    told = [
        [one["content"] for one in request.messages if one["role"] == "user"] for request in models.requests
    ]
    assert told == [["one"], ["one", "two"], ["three"]]


async def test_text_of_others_never_controls_the_terminal(program: Program, models: ModelServer) -> None:
    hostile = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil\u2066\r\x08 \x1b]52;c;aGk=\x1b\\ end"
    (program.state / "workspace").mkdir()
    (program.state / "workspace" / "bad.txt").write_text(hostile)
    program.configure(model_config(models.base_url, model="m"))
    models.script(
        "m",
        calls(Call("read", encoded({"path": f"no{hostile}"}))),
        says(
            Reasoning(hostile),
            f"# {hostile}\n",
            f"`{hostile}` [{hostile}](http://x)\n",
            f"| {hostile} |\n|---|\n\n",
        ),
    )
    await program.gateway()
    async with chatting(program) as screen:
        shown = await said(screen, "go\r")
    left = _STYLES.sub("", shown).replace(READY, "")
    after = left[left.index("> read") :]
    assert "end" in after
    assert not set(after.replace("\r\n", "\n")) & set("\x1b\x07\x9b\x08\u202e\u2066\r")


async def test_lines_fit_a_narrow_terminal_and_wide_characters_count_two(
    ready: Program, models: ModelServer
) -> None:
    models.script(
        "m",
        says("漢字かな交じり文の長い段落は幅で折り返される。\n", "- some words that wrap below their dot\n"),
    )
    async with chatting(ready, columns=20) as screen:
        shown = bare(await said(screen, "go\r"))
    answer = shown[shown.index("漢") :].split("\n")
    assert all(cell_len(line) <= 20 for line in answer)
    assert answer[0] == "漢字かな交じり文の長"
    assert "  wrap below their" in answer


async def test_without_a_terminal_lines_are_messages_and_answers_are_plain(
    ready: Program, models: ModelServer
) -> None:
    models.script("m", says("**One**\n", usage=Usage(10, 5, 15)), fails(401), says("Three"))
    done = await ready.run("chat", stdin="a\n/usage\nb\n\nc")
    assert done.out == "**One**\n15 tokens: 10 in, 5 out\nThree\n"
    assert done.code == 1
    assert "\x1b" not in done.out + done.err
    assert "Error: The provider mock answered 401" in done.err
    assert [request.messages[-1]["content"] for request in models.requests] == ["a", "b", "c"]


@pytest.mark.parametrize("way", ["--no-color", "NO_COLOR"])
async def test_no_color_means_no_code(ready: Program, models: ModelServer, way: str) -> None:
    models.script("m", says("# T\n**bold** and `code`\n"))
    words = ["--no-color"] if way == "--no-color" else []
    if not words:
        ready.environ["NO_COLOR"] = "1"
    async with in_a_terminal(ready, *words, "chat", TERM="xterm-256color") as screen:
        await screen.answers("main> ", "go")
        await screen.answers("main> ", "/quit")
        assert await screen.ends() == 0
    assert "T\r\nbold and code\r\n" in screen.text
    assert "\x1b" not in screen.text


async def test_a_dumb_terminal_gets_no_code_at_all(ready: Program, models: ModelServer) -> None:
    models.script("m", says("**x**"))
    async with in_a_terminal(ready, "chat", TERM="dumb") as screen:
        await screen.answers("main> ", "hi")
        await screen.answers("main> ", "/quit")
        assert await screen.ends() == 0
    assert "**x**" in screen.text
    assert "\x1b" not in screen.text


async def test_a_lost_connection_is_said_and_taken_up_where_it_was(
    ready: Program, models: ModelServer, token: str
) -> None:
    gate = asyncio.Event()
    models.script("m", says("before ", Hold(gate), "after\n"))
    async with (
        cut_between(ready) as (url, cut),
        chatting(ready, "--url", url, "--token", token) as screen,
    ):
        screen.types("go\r")
        await screen.shows("before")
        cut()
        assert "Trying to take it up again" in bare(await screen.shows("Connected again."))
        gate.set()
        shown = bare(await screen.shows(READY))
    assert "after" in shown
    assert screen.text.count("before") == 1
    assert len(models.requests) == 1


async def test_what_failed_is_said_and_the_chat_goes_on(ready: Program, models: ModelServer) -> None:
    models.script("m", fails(401), says("Fine."))
    async with chatting(ready) as screen:
        assert "Error: " in bare(await said(screen, "one\r"))
        assert "Fine." in bare(await said(screen, "two\r"))


async def test_a_gateway_that_does_not_run_or_a_wrong_token_is_said(ready: Program, program: Program) -> None:
    port = ready.environ["OPENCLAW_GATEWAY_PORT"]
    done = await program.run("chat", "--url", f"ws://127.0.0.1:{port}", "--token", "wrong", stdin="")
    assert (done.code, "does not accept this token" in done.err) == (1, True)
    done = await program.run("chat", OPENCLAW_STATE_DIR=str(program.home), stdin="")
    assert (done.code, "openclaw gateway run" in done.err) == (1, True)


async def test_a_signal_ends_what_was_asked(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("I begin ", Hold(gate)))
    async with chatting(ready) as screen:
        screen.types("go\r")
        await screen.shows("I begin")
        screen.process.send_signal(signal.SIGTERM)
        assert await screen.ends() == 130
    await models.wait_aborted(1)


async def test_the_place_in_line_is_told(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("first ", Hold(gate), "done"), says("second"))
    async with chatting(ready) as first, chatting(ready) as second:
        first.types("a\r")
        await first.shows("first")
        second.types("b\r")
        await second.shows("one run of this conversation comes first.")
        gate.set()
        assert "second" in bare(await second.shows(READY))


async def test_a_file_goes_with_the_next_message(ready: Program, models: ModelServer) -> None:
    png = bytes.fromhex("89504e470d0a1a0a0000000d4948445200000001000000010806000000")
    (ready.home / "p.png").write_bytes(png)
    (ready.home / "x.bin").write_bytes(b"\x00\x01")
    async with chatting(ready) as screen:
        assert "With the next message: p.png (image/png)" in bare(await said(screen, "/attach p.png\r"))
        assert "is neither an image" in bare(await said(screen, "/attach x.bin\r"))
        assert "Cannot read nosuch" in bare(await said(screen, "/attach nosuch\r"))
        await said(screen, "see\r")
        await said(screen, "/attach p.png\r")
        assert "Nothing goes with" in bare(await said(screen, "/attach none\r"))
        await said(screen, "more\r")
    text, image = models.requests[0].messages[-1]["content"]
    assert text["text"] == "see"
    assert image["image_url"]["url"] == f"data:image/png;base64,{base64.b64encode(png).decode()}"
    assert models.requests[1].messages[-1]["content"] == "more"


def test_other_commands_do_not_wait_for_the_line_editor() -> None:
    for module in ("main", "commands.agent", "commands.chat"):
        seen = f"import sys, openclaw_gateway.cli.{module}; print('prompt_toolkit' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", seen], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout == "False\n"


async def test_what_is_at_work_already_is_shown_on(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("begun elsewhere, ", Hold(gate), "ended here"))
    asking = await ready.start("agent", "-m", "go")
    await asking.says("begun elsewhere")
    async with in_a_terminal(ready, "chat", TERM="xterm-256color") as screen:
        await screen.shows("begun elsewhere")
        gate.set()
        assert "ended here" in bare(await screen.shows(READY))


async def test_a_gateway_that_died_is_found_again_and_its_run_is_said_to_have_ended(
    ready: Program, models: ModelServer
) -> None:
    models.script("m", says("before ", Hold(asyncio.Event())), says("New."))
    del ready.environ["OPENCLAW_GATEWAY_PORT"]
    async with chatting(ready) as screen:
        screen.types("go\r")
        await screen.shows("before")
        ready.started[0].process.kill()
        await screen.shows("Trying to take it up again")
        # On another port, which its lock says.
        await ready.gateway()
        await screen.shows("Connected again.")
        assert "Error: " in bare(await screen.shows(READY))
        assert "New." in bare(await said(screen, "again\r"))
    assert len(models.requests) == 2


async def test_ctrl_c_twice_leaves(ready: Program, models: ModelServer) -> None:
    gate = asyncio.Event()
    models.script("m", says("before ", Hold(gate)))
    async with chatting(ready) as screen:
        screen.types("go\r")
        await screen.shows("before")
        ready.started[0].process.send_signal(signal.SIGSTOP)
        try:
            screen.types("\x03")
            await screen.shows("Ctrl-C again leaves.")
            screen.types("\x03")
            assert await screen.ends() == 130
        finally:
            ready.started[0].process.send_signal(signal.SIGCONT)
            # The gateway has an answer to end, when it is told to.
            gate.set()

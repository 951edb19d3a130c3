"""What holds for every command there is, found by walking the tree: one shape of JSON, no code of a terminal
where none is wanted."""

from collections.abc import Iterator

import click
import msgspec
import pytest

from openclaw_gateway.cli.folder import Folder
from openclaw_gateway.cli.main import _program
from tests.cli.a_terminal import in_a_terminal
from tests.cli.conftest import Program

# What would go on for ever, or touch the services of this machine, is called in a way that is refused.
_REFUSED = ("--no-such-option",)
_ARGUMENTS = {
    "agents remove": _REFUSED,
    "chat": _REFUSED,
    "acp": _REFUSED,
    "agent": ("hi",),
    "gateway call": ("health",),
    "completion": ("bash",),
    "approvals answer": ("x", "allow-once"),
    "setup": ("--yes",),
}
# `config get` and `config schema` print the bare value, as OpenClaw's does; `logs` a line for each line.
_BARE = {"config get", "config schema"}


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, Folder):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _leaves(child, (*path, name))
    else:
        yield " ".join(path), command


LEAVES = dict(_leaves(_program()))


def _words(name: str) -> tuple[str, ...]:
    if name.split(maxsplit=1)[0] == "gateway" and name not in {
        "gateway call",
        "gateway status",
        "gateway health",
    }:
        return (*name.split(), *_REFUSED)
    needed = [each for each in LEAVES[name].params if isinstance(each, click.Argument) and each.required]
    return (*name.split(), *_ARGUMENTS.get(name, ("x",) * len(needed)))


@pytest.mark.promise("json-shape")
@pytest.mark.parametrize("name", LEAVES)
async def test_json_is_one_object_that_says_whether_it_is_ok(configured: Program, name: str) -> None:
    done = await configured.run(*_words(name), "--json")
    if not done.out and done.code == 0:
        return  # nothing to be told, as of a log without lines
    told = msgspec.json.decode(done.out)
    if name in _BARE and done.code == 0:
        return
    assert isinstance(told, dict)
    assert told["ok"] is (done.code == 0), told
    if "error" in told:
        assert {"type", "code", "message"} <= told["error"].keys()
        assert all(told["error"].values())


@pytest.mark.promise("no-color")
@pytest.mark.parametrize("name", LEAVES)
async def test_no_color_is_no_code_at_all(configured: Program, name: str) -> None:
    async with in_a_terminal(configured, "--no-color", *_words(name), TERM="xterm-256color") as screen:
        await screen.ends()
        await screen.read_to_end()
    assert screen.text
    assert "\x1b" not in screen.text


@pytest.mark.promise("no-color")
@pytest.mark.parametrize("how", ["--no-color", "NO_COLOR"])
async def test_a_gateway_in_a_terminal_writes_no_code_either(configured: Program, how: str) -> None:
    words = ("gateway", "run", "--port", "0", "--verbose")
    plain = ("--no-color", *words) if how == "--no-color" else words
    if how == "NO_COLOR":
        configured.environ["NO_COLOR"] = "1"
    async with in_a_terminal(configured, *plain, TERM="xterm-256color") as screen:
        await screen.says("Ready.")
        screen.process.terminate()
        assert await screen.ends() == 0
        await screen.read_to_end()
    assert "gateway.draining" in screen.text
    assert "\x1b" not in screen.text


async def test_a_terminal_that_may_be_coloured_is(configured: Program) -> None:
    async with in_a_terminal(configured, "status", TERM="xterm-256color") as screen:
        await screen.ends()
        await screen.read_to_end()
    assert "\x1b[1m" in screen.text

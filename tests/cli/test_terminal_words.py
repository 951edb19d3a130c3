"""A refusal of the gateway names no method to who typed a command."""

import ast
import re
from pathlib import Path

import pytest

import openclaw_gateway
from openclaw_gateway.cli.running.terminal_words import in_terminal_words
from openclaw_gateway.doors.ws.methods import TABLE
from tests.cli.conftest import Program

_SOURCE = Path(openclaw_gateway.__file__).parent
# Names of methods that are places of the configuration as well.
_BOTH = {"agents.list"}


def _said(folder: str) -> set[str]:
    """Every text of these files that is made into an error or handed to one, variables as {}."""
    found = set()
    for file in (_SOURCE / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Raise) and node.exc is not None:
                for part in ast.walk(node.exc):
                    if isinstance(part, ast.JoinedStr):
                        found.add(
                            "".join(
                                str(p.value) if isinstance(p, ast.Constant) else "{}" for p in part.values
                            )
                        )
                    elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                        found.add(part.value)
    return {text for text in found if " " in text}


@pytest.mark.parametrize("folder", ["doors/ws", "gateway", "runs", "sessions"])
def test_no_refusal_names_a_bare_method(folder: str) -> None:
    methods = [name for name in TABLE if "." in name and name not in _BOTH]
    bare = re.compile(rf"(?<!`openclaw gateway call )\b(?:{'|'.join(map(re.escape, methods))})\b(?!\w|\.\w)")
    assert [text for text in map(in_terminal_words, _said(folder)) if bare.search(text)] == []


def test_the_command_is_named_instead() -> None:
    assert in_terminal_words("There is no such session: see sessions.list.") == (
        "There is no such session: see `openclaw sessions`."
    )
    assert in_terminal_words("see chat.metadata.") == "see `openclaw gateway call chat.metadata`."
    assert in_terminal_words("Set agents.list[0].model.") == "Set agents.list[0].model."
    assert in_terminal_words("invalid sessions.list params: agentId is no agent id") == (
        "The gateway does not take this: agentId is no agent id"
    )


async def test_a_session_that_is_not_there(configured: Program) -> None:
    await configured.gateway()
    for words in (("show",), ("export",), ("reset",), ("delete", "--yes")):
        done = await configured.run("sessions", words[0], "agent:main:none", *words[1:])
        assert done.code != 0
        assert "sessions.list" not in done.err
        assert "`openclaw sessions`" in done.err
    said = await configured.run(
        "gateway", "call", "sessions.delete", "--params", '{"key": "agent:main:none"}'
    )
    assert "`" not in said.err, "who calls a method is told of methods"

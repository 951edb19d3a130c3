"""The recorded session: it can be recorded, and the page is what the recording makes."""

import os
import re
import socket
import sys
from pathlib import Path

import pytest

from openclaw_gateway.models.local import LocalModel
from tests.docs.pages import blocks, pages
from tests.docs.session.recording import Session, page, record

PAGE = pages()["docs/terminal-session.md"]
MISSING = LocalModel.from_environment({}).unavailable()
# What a clone needs before `openclaw` is found in it.
INSTALLED = ["make setup", 'export PATH="$PWD/.venv/bin:$PATH"']
KEPT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH")


def typed(text: str) -> list[list[str]]:
    """The commands of each terminal."""
    return [
        [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
        for block in blocks(text, "console")
    ]


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@pytest.mark.skipif(MISSING is not None, reason=MISSING or "")
def test_a_session_can_be_recorded_and_the_page_is_one(tmp_path: Path) -> None:
    tools, home = tmp_path / "bin", tmp_path / "home"
    tools.mkdir()
    home.mkdir()
    command = tools / "openclaw"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m openclaw_gateway "$@"\n')
    command.chmod(0o700)
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    environ = {**kept, "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    session = record(home, tmp_path, environ, port=free_port(), fresh=False)
    text = page(session, home, tmp_path)
    first, second = typed(text)
    assert typed(PAGE) == [[*INSTALLED, *first], [*INSTALLED[1:], *second]]
    assert text.partition("## ")[0] == PAGE.partition("## ")[0]
    assert str(tmp_path) not in text


@pytest.mark.parametrize(
    "words", ["Ready. Ctrl-C stops it.", "main> /usage", "YOUR_TOKEN", "agent:main:main", "is ready."]
)
def test_the_page_shows_the_whole_way(words: str) -> None:
    assert words in PAGE


def test_nothing_of_a_machine_is_shown() -> None:
    home, checkout = Path("/nonexistent/home"), Path("/nonexistent/clone")
    token = "0123456789abcdef" * 3
    said = f"$ a\r\n{home}/.openclaw is {token} (pid 99, pid=98)\n{checkout}/src\n$ "
    shown = page(Session(said, "$ b\n$ "), home, checkout)
    assert "/home/ada/.openclaw is YOUR_TOKEN (pid 4242, pid=4242)" in shown
    assert "/home/ada/openclaw-gateway/src" in shown
    assert token not in shown
    assert "/nonexistent" not in shown
    assert not re.search(r"[0-9a-f]{48}|/root/|/tmp", PAGE)

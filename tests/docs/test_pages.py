"""Every page of the repository: links lead somewhere, and keys, commands and configurations are real ones.

What pages say of other programs (OpenClaw's own commands and methods) is theirs: those pages are named here.
"""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pyjson5
import pytest

from openclaw_gateway.cli.main import _program
from openclaw_gateway.config.load import load_config
from openclaw_gateway.config.schema import CHAT_SWITCH
from openclaw_gateway.doors.ws.methods import TABLE
from tests.docs.config_keys import ROOTS, is_served, keys_in
from tests.docs.pages import ROOT, anchors, blocks, links, pages, spans

PAGES = pages()
# They tell what OpenClaw's programs and its protocol have.
ABOUT_OTHERS = {"docs/compatibility.md", "CHANGELOG.md"}
OWN = [name for name in PAGES if name not in ABOUT_OTHERS]
PROGRAMS = ("openclaw", "clawdbot", "openclaw-gateway")
# A function, a field of an answer, a key that older files have, and an event of the log.
NOT_KEYS = {"gateway.start", "session.id", "gateway.host", "bus.away"}
# Of our files, in `json` blocks of pages about clients: what begins with one of these is the gateway's.
OURS = {"gateway", "agents", "tools"}


@pytest.mark.parametrize("name", PAGES)
def test_each_block_that_is_opened_is_closed(name: str) -> None:
    fences = [line for line in PAGES[name].splitlines() if line.lstrip().startswith("```")]
    assert len(fences) % 2 == 0
    assert {line.strip() for line in fences[1::2]} <= {"```"}


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name: str) -> None:
    for link in links(PAGES[name]):
        if "://" in link or link.startswith("mailto:"):
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target.read_text("utf-8")), link


def configurations(name: str) -> Iterator[str]:
    for block in blocks(PAGES[name], "json5", "json"):
        if block.language == "json5" or OURS & set(_keys(block.text)):
            yield block.text


def _keys(text: str) -> list[str]:
    found = pyjson5.decode(text.replace("…", "0"))
    return list(found) if isinstance(found, dict) else []


@pytest.mark.parametrize("name", [name for name in PAGES if [*configurations(name)]])
def test_configurations_load(name: str, tmp_path: Path) -> None:
    for text in configurations(name):
        path = tmp_path / "openclaw.json"
        path.write_text(text, "utf-8")
        environ = dict.fromkeys(re.findall(r"\$\{(\w+)\}", text), "a-value-of-some-length")
        loaded = load_config(environ=environ, home=tmp_path, config_path=path)
        assert loaded.unserved == (), text
        assert [notice for notice in loaded.notices if CHAT_SWITCH not in notice] == [], text


@pytest.mark.parametrize("name", OWN)
def test_keys_in_backticks_are_served(name: str) -> None:
    methods = set(TABLE)
    wrong = [
        key
        for span in spans(PAGES[name])
        for key in keys_in(span)
        if key not in methods and not is_served(key)
    ]
    assert [key for key in wrong if key not in NOT_KEYS] == []


def test_what_is_no_key_is_found() -> None:
    assert [*keys_in("gateway.http.{cors,clients}: 1")] == ["gateway.http.cors", "gateway.http.clients"]
    for key in ("gateway.http.cors", "agents.list[].model", "skills.entries.<name>.env"):
        assert is_served(key)
    for key in ("gateway.htp", "agents.list.model", "logging.file.name"):
        assert not is_served(key)
    assert "channels" not in ROOTS


def commands(text: str) -> Iterator[list[str]]:
    """The words of each call of our program that a page shows, in blocks and in backticks."""
    lines = [line for block in blocks(text, "", "sh", "bash") for line in block.text.splitlines()]
    typed = [
        line for block in blocks(text, "console") for line in block.text.splitlines() if line[:2] == "$ "
    ]
    for line in (*lines, *typed, *spans(text)):
        for part in re.split(r"\||&&|;|\$ ", line):
            words = _words(part)
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words and words[0] in PROGRAMS:
                yield words


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text, comments=True)
    except ValueError:  # the quoted text goes on in the next line
        return text.split()


def unknown(words: list[str]) -> str | None:
    """What of the command line is not there: a command, or an option."""
    command: click.Command = _program()
    context = click.Context(command, info_name=words[0])
    options = _options(command)
    rest = iter(words[1:])
    for word in rest:
        if word.startswith("-") and word != "-":
            option, given, _ = word.partition("=")
            if option not in options:
                return option
            if options[option] and not given:
                next(rest, None)
        elif isinstance(command, click.Group):
            found = command.get_command(context, word)
            if found is None:
                # A word in capitals, or dots, stands for what the reader puts there.
                return None if word.isupper() or word.startswith(("…", "<")) else word
            command, context = found, click.Context(found, parent=context, info_name=word)
            options |= _options(command)
    return None


def _options(command: click.Command) -> dict[str, bool]:
    """Each by its names, and whether a value follows."""
    own = {
        name: isinstance(each, click.Option) and not each.is_flag
        for each in command.params
        for name in (*each.opts, *each.secondary_opts)
    }
    default = getattr(command, "_default", None)
    if isinstance(command, click.Group) and default:
        found = command.get_command(click.Context(command), default)
        own |= _options(found) if found else {}
    return own | {"--help": False, "-h": False}


@pytest.mark.parametrize("name", OWN)
def test_commands_are_there(name: str) -> None:
    assert [(words, wrong) for words in commands(PAGES[name]) if (wrong := unknown(words))] == []


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        ("openclaw agent --loud hi", "--loud"),
        ("openclaw tui", "tui"),
        ("openclaw sessions shew main", "shew"),
        ("openclaw gateway --port 1", None),
        ("openclaw config get PATH", None),
    ],
)
def test_what_is_no_command_is_found(line: str, wrong: str | None) -> None:
    assert [unknown(words) for words in commands(f"`{line}`")] == [wrong]

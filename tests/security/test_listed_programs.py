"""The programs of the starter list: no file of the folder they stand in, of a home or of a search path that
agents write to decides what they do, and no variable.

The plants leave a mark when they run; where it can be, the plain program is seen to take the plant first.
"""

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from openclaw_gateway.errors import ToolError
from openclaw_gateway.testing.gateway import model_config, running_gateway
from openclaw_gateway.testing.model_server import ModelServer, says
from openclaw_gateway.tools.builtin import exec as exec_tool
from openclaw_gateway.tools.exec.commands.environment import search_path
from openclaw_gateway.tools.exec.commands.sessions import CommandSessions
from openclaw_gateway.tools.exec.listed.hardening import hardened
from openclaw_gateway.tools.exec.listed.table import NAMES, TABLE
from openclaw_gateway.tools.exec.sandbox import check_sandbox
from openclaw_gateway.tools.exec.shell_words import parse, render
from tests.doors.chat import say
from tests.doors.tool_replies import calls
from tests.security.planted import SECRET, PlantedRoom, configure

Make = Callable[..., PlantedRoom]
# Each listed program, at work in a folder full of plants.
AT_WORK = {
    "basename": "basename a/b",
    "cat": "cat a.txt",
    "cd": "cd sub && pwd",
    "cmp": "cmp a.txt b.txt",
    "comm": "comm a.txt b.txt",
    "command": "command -v ls",
    "cut": "cut -c1 a.txt",
    "date": "date -u",
    "diff": "diff a.txt b.txt",
    "dirname": "dirname a/b",
    "du": "du -sh *",
    "echo": "echo a",
    "egrep": "egrep o a.txt",
    "false": "false",
    "fgrep": "fgrep o a.txt",
    "file": "file a.txt",
    "find": "find . -ls",
    "git": "git log",
    "grep": "grep -rn o .",
    "head": "head -n 1 a.txt",
    "jq": "jq -n 1",
    "ls": "ls -la --color",
    "md5sum": "md5sum a.txt",
    "nl": "nl a.txt",
    "paste": "paste a.txt b.txt",
    "pwd": "pwd",
    "rg": "rg o",
    "sed": "sed -n p a.txt",
    "seq": "seq 2",
    "sha256sum": "sha256sum a.txt",
    "sort": "sort a.txt",
    "stat": "stat a.txt",
    "tac": "tac a.txt",
    "tail": "tail -n 1 a.txt",
    "tr": "cat a.txt | tr o a",
    "true": "true",
    "type": "type -a ls",
    "uname": "uname -a",
    "uniq": "uniq a.txt",
    "wc": "wc -l a.txt",
    "which": "which ls",
    "whoami": "whoami",
}


@pytest.fixture
async def make(tmp_path: Path) -> AsyncIterator[Make]:
    commands = CommandSessions()
    yield lambda **environ: PlantedRoom(tmp_path, commands, environ=environ)
    await commands.close()


def at_home(tmp_path: Path) -> str:
    """The workspace, which is the home too, as it often is in a container."""
    return str(tmp_path / "state" / "workspace")


def plain(*argv: str, cwd: Path, **environ: str) -> str:
    """What the program says without us."""
    asked = subprocess.run(
        argv, cwd=cwd, env={**os.environ, **environ}, capture_output=True, text=True, check=False
    )
    return asked.stdout + asked.stderr


async def said(room: PlantedRoom, command: str, **arguments: Any) -> str:
    try:
        return (await room.result("exec", command=command, **arguments)).text
    except ToolError as error:
        return str(error)


async def all_at_work(room: PlantedRoom) -> str:
    room.write("a.txt", "one\ntwo\n")
    room.write("b.txt", "three\n")
    room.write("sub/c.txt", "four\n")
    texts = [await said(room, command) for command in AT_WORK.values()]
    texts += [await said(room, command, background=True) for command in ("cat a.txt", "ls", "sort a.txt")]
    return "\n".join(texts)


def test_each_listed_program_is_tried() -> None:
    assert set(AT_WORK) == set(NAMES)


@pytest.mark.promise("CVE-2026-100584")
async def test_no_program_that_somebody_put_somewhere_shadows_another(make: Make, tmp_path: Path) -> None:
    """CVE-2026-100584. Among them the shell, and what the commands' keeper uses."""
    everybodys, bin_ = tmp_path / "everybodys", tmp_path / "state" / "workspace" / "bin"
    places = (
        *(".", "", "bin", f"{bin_}", f"{bin_}/../bin", "sub/.."),
        str(tmp_path / "link"),
        str(everybodys),
    )
    room = make(PATH=":".join((*places, os.environ["PATH"])))
    (tmp_path / "link").symlink_to(bin_)
    for name in (*NAMES, "bash", "sh", "dash", "env", "nice", "kill", "bwrap", "gzip"):
        for folder in (room.root, bin_, everybodys, room.root / "sub"):
            room.script(folder / name)
    everybodys.chmod(0o777)
    text = await all_at_work(room)
    assert "two" in text
    assert not room.mark.exists()
    for name in ("ls", "cat", "bash"):
        await said(room, name, workdir="bin")
        assert "Not run" in await room.refused("exec", command=f"./{name}")
        assert "Not run" in await room.refused("exec", command=f"bin/{name}")
    assert not room.mark.exists()


@pytest.mark.promise("CVE-2026-100584")
async def test_the_sandbox_is_not_shadowed_either(make: Make, tmp_path: Path) -> None:
    """CVE-2026-100584."""
    room = make(PATH=f"bin:{at_home(tmp_path)}/bin:{os.environ['PATH']}")
    room.script(room.root / "bin" / "bwrap", more="exit 0")
    agent = msgspec.structs.replace(room.agent, sandbox={"mode": "all", "workspaceAccess": "rw"})
    await check_sandbox(agent, room.services.environ)
    (tool,) = exec_tool.build(room.services, agent)
    with contextlib.suppress(ToolError):
        await tool.run({"command": "pwd"}, room.context())
    assert not room.mark.exists()


@pytest.mark.promise("CVE-2026-100584")
def test_folders_that_everybody_writes_to_are_not_searched(tmp_path: Path) -> None:
    """CVE-2026-100584: nor such as do not exist yet, where anybody could make them."""
    fine, sticky, others = tmp_path / "fine", tmp_path / "sticky", tmp_path / "others"
    for folder, mode in ((fine, 0o755), (sticky, 0o1777), (sticky / "mine", 0o755), (others, 0o777)):
        folder.mkdir()
        folder.chmod(mode)
    (others / "below").mkdir()
    (others / "link").symlink_to(fine)
    (fine / "link").symlink_to(others)
    bad = (sticky, sticky / "none", others, others / "below", others / "none" / "none", others / "link")
    good = (fine, fine / "none", sticky / "mine")
    asked = ":".join(map(str, (*bad, *good, fine / "link")))
    assert search_path(asked, tmp_path / "workspace") == ":".join(map(str, good))
    everything = search_path(asked, tmp_path / "workspace", by_name=False)
    assert everything == asked, "where every program may run, no name decides"


@pytest.mark.promise("CVE-2026-100570", "listed-programs")
async def test_no_file_of_the_folder_or_the_home_runs_anything(make: Make, tmp_path: Path) -> None:
    """CVE-2026-100570, nanobot CVE-2026-90808, -90809, -19243, -19245."""
    room = make(HOME=at_home(tmp_path), XDG_CONFIG_HOME=f"{at_home(tmp_path)}/.config")
    for name in (
        *(".bashrc", ".bash_profile", ".bash_login", ".profile", ".bash_logout", ".shrc", ".env", ".inputrc"),
        *(".zshenv", ".kshrc", ".xprofile", ".lessfilter", ".ripgreprc", ".dircolors", ".grep", ".toprc"),
        *("autorun.sh", "sitecustomize.py", ".pythonrc", ".envrc", "core", ".jqrc", ".gdbinit", ".lesskey"),
    ):
        room.write(name, f"{room.evil}\n").chmod(0o755)
    room.write(".gitconfig", f"[core]\n\tfsmonitor = {room.evil}\n\tpager = {room.evil}\n")
    room.write(".config/git/config", f"[core]\n\tfsmonitor = {room.evil}\n")
    room.write(".ripgreprc", f"--pre={room.evil}\n")
    assert "two" in await all_at_work(room)
    assert not room.mark.exists()
    plain("bash", "-i", "-c", "true", cwd=room.root, HOME=str(room.root))
    assert room.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-100570")
async def test_no_variable_of_the_gateways_runs_anything(make: Make) -> None:
    """CVE-2026-100570, nanobot CVE-2026-90808, -90809, -19243, -19245."""
    room = make()
    evil, file = str(room.evil), str(room.write("rc", f"{room.evil}\n"))
    environ = {
        **dict.fromkeys(("BASH_ENV", "ENV", "ZDOTDIR", "INPUTRC"), file),
        **{f"BASH_FUNC_{name}%%": f"() {{ {evil}; }}" for name in ("ls", "cat", "git", "echo", "cd", "true")},
        **dict.fromkeys(("PAGER", "GIT_PAGER", "LESSOPEN", "LESSCLOSE", "EDITOR", "VISUAL", "BROWSER"), evil),
        **dict.fromkeys(
            ("GIT_EXTERNAL_DIFF", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_ASKPASS", "GIT_EDITOR"), evil
        ),
        "PS4": f"$({evil})",
        "PROMPT_COMMAND": evil,
        "SHELLOPTS": "xtrace",
        "BASHOPTS": "extdebug",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": evil,
        "GIT_CONFIG_PARAMETERS": f"'core.fsmonitor={evil}'",
        "GIT_EXEC_PATH": str(room.evil.parent),
        "RIPGREP_CONFIG_PATH": str(room.write("rgrc", f"--pre={evil}\n")),
        "GIT_TRACE": str(room.mark),
        "GREP_OPTIONS": "-R",
        "SORT_OPTIONS": f"--compress-program={evil}",
        "POSIXLY_CORRECT": "1",
        "HOME": os.environ.get("HOME", "/"),
    }
    room.script(room.evil.parent / "git-log")
    room = make(**environ)
    assert "two" in await all_at_work(room)
    repo = room.repository()
    assert "modified:" in await room.call("exec", command="git status", workdir=repo.name)
    assert not room.mark.exists()
    plain("bash", "-c", "ls", cwd=room.root, **environ)
    assert room.mark.exists(), "the plant is one"


@pytest.mark.promise("CVE-2026-100570")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "../../../tmp/x") for name in ("LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "TZ")),
        *((name, "x/../../../../tmp/x") for name in ("LANG", "LANGUAGE", "LC_ALL", "LC_TIME", "TZ")),
        *((name, "/var/x") for name in ("LANG", "LANGUAGE", "LC_ALL", "TZ")),
        *((name, "x") for name in ("HOME", "BASH_ENV", "OLDPWD", "CDPATH", "LOCPATH", "TZDIR", "GIT_DIR")),
        *(
            (name, "x")
            for name in ("JQ_COLORS", "LS_COLORS", "MAGIC", "GREP_COLORS", "TMPDIR", "_", "EXINIT")
        ),
        *(("TZ", ":/etc/passwd"), ("TZ", "Europe/../../x"), ("LC_ALL", "a;b")),
    ],
)
async def test_a_call_gives_a_listed_program_no_file_by_a_variable(make: Make, name: str, value: str) -> None:
    """CVE-2026-100570, nanobot CVE-2026-90808, -90809, -19243, -19245. A catalogue of messages that somebody
    wrote (LANGUAGE is joined to a folder of the system) would decide how programs format what they print."""
    room = make()
    assert "not taken" in await room.refused("exec", command="ls -la", env={name: value})


async def test_languages_and_time_zones_are_taken(make: Make) -> None:
    room = make()
    harmless = {"LANG": "de_DE.UTF-8", "LANGUAGE": "de:en", "LC_ALL": "C", "TZ": "Europe/Oslo", "CI": "1"}
    assert await room.call("exec", command="date -u +%Z", env=harmless) == "UTC\n[exit code 0]"


@pytest.mark.skipif(shutil.which("jq") is None, reason="there is no jq here")
async def test_jq_has_no_definitions_of_a_home_that_agents_write_to(make: Make, tmp_path: Path) -> None:
    home = at_home(tmp_path)
    room = make(HOME=home)
    room.write(".jq", 'def planted: "planted";\n')
    assert "planted" in plain("jq", "-n", "planted", cwd=room.root, HOME=home).splitlines()[0]
    assert '"planted"' not in await said(room, "jq -n planted")
    assert await room.call("exec", command="jq -n '1 + 1'") == "2\n[exit code 0]"
    room.write("mod/x.jq", "{")
    for program in ('"mod/x" | modulemeta', 'import "mod/x" as x; 1', 'include "mod/x"; 1'):
        assert "Not run" in await room.refused("exec", command=f"jq -n '{program}'")


@pytest.mark.skipif(shutil.which("file") is None, reason="there is no file(1) here")
async def test_file_has_no_magic_of_a_home_that_agents_write_to(make: Make, tmp_path: Path) -> None:
    home = at_home(tmp_path)
    room = make(HOME=home)
    room.write("a", "hello\n")
    room.write(".magic", "0\tstring\thello\tplanted magic\n")
    assert "planted magic" in plain("file", "a", cwd=room.root, HOME=home)
    assert "ASCII text" in await room.call("exec", command="file a")


@pytest.mark.skipif(shutil.which("rg") is None, reason="there is no rg here")
async def test_what_rg_ignores_is_not_shown_in_its_complaints(make: Make) -> None:
    """A link that is a list of names to ignore is followed, and a line that is no pattern was shown."""
    room = make()
    (room.outside / "secret").write_text(f"x[z-a] {SECRET}\n")
    for name in (".ignore", ".gitignore", ".rgignore"):
        (room.root / name).symlink_to(room.outside / "secret")
    room.write("a", "hello\n")
    assert SECRET in plain("rg", "hello", cwd=room.root)
    assert SECRET not in await room.call("exec", command="rg hello")


@pytest.mark.parametrize(
    ("command", "becomes"),
    [
        ("rg -n a", "HOME=/dev/null rg --no-config --no-ignore-messages --no-ignore-global -n a"),
        ("jq .a", "HOME=/dev/null jq .a"),
        ("ls | rg a", "ls"),
        ("cat 'a b'", "cat 'a b'"),
    ],
)
def test_what_is_added(command: str, becomes: str) -> None:
    segment = parse(command)[0]
    assert render((hardened(segment, None),)) == becomes


async def test_a_planted_repository_runs_nothing_through_the_whole_gateway(
    models: ModelServer, tmp_path: Path
) -> None:
    """Hermes CVE-2026-71963, as a client meets it."""
    commands = CommandSessions()
    room = PlantedRoom(tmp_path, commands)
    configure(room.repository(), f"[core]\n\tfsmonitor = {room.evil}\n")
    look = ("x1", "exec", '{"command": "cd repo && git status"}')
    models.script("mock-echo", calls(look), says("Done."))
    environ = {"PATH": os.environ["PATH"]}
    async with running_gateway(
        model_config(models.base_url), state_dir=tmp_path / "state", environ=environ
    ) as gateway:
        await say(gateway, "look")
    (heard,) = [one["content"] for one in models.requests[-1].messages if one["role"] == "tool"]
    assert "core.fsmonitor" in heard
    assert not room.mark.exists()
    await commands.close()


@pytest.mark.parametrize("name", ["grep", "ls"])
def test_the_table_knows_which_long_options_take_the_next_word(name: str) -> None:
    told = subprocess.run([name, "--help"], capture_output=True, text=True, check=False).stdout
    taking = set(re.findall(r"(?<!\S)--([a-z-]+)=[A-Z]", told))
    if not taking:
        pytest.skip("this one does not tell")
    options = TABLE[name]
    known = {*options.longs.split(), *options.takes.split()}
    assert set(options.takes.split()) & taking == known & taking
    assert not set(options.longs.split()) & set(options.takes.split())

"""The environment of a command, as a table; and what is kept of its output."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openclaw_gateway.errors import ToolError
from openclaw_gateway.tools.exec.commands.environment import check_additions, command_environment, search_path
from openclaw_gateway.tools.exec.commands.output import Output

WORKSPACE = Path("/w/space")


@pytest.mark.promise("CVE-2026-100570")
@pytest.mark.promise("pass-env")
def test_what_the_operator_passes_by_name_is_passed(tmp_path: Path) -> None:
    environ = {"GH_TOKEN": "t", "OTHER": "o", "PATH": "/usr/bin", "GIT_PAGER": "evil"}
    made = command_environment(environ, tmp_path, passed=("GH_TOKEN", "PATH", "GIT_PAGER", "NONE"))
    assert made["GH_TOKEN"] == "t"
    assert made["GIT_PAGER"] == "cat"
    assert not {"OTHER", "NONE"} & set(made)


def test_only_what_is_known_is_inherited() -> None:
    environ = {
        "PATH": "/bin",
        "HOME": "/h",
        "LC_ALL": "C",
        "AWS_SECRET": "x",
        "CLAWDBOT_TOKEN": "x",
        "LD_PRELOAD": "x",
    }
    kept = command_environment(environ, WORKSPACE, {"MINE": "1"})
    assert {"PATH", "HOME", "LC_ALL", "MINE"} <= set(kept)
    assert "x" not in kept.values()


@pytest.mark.promise("CVE-2026-100584")
@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/usr/bin:/bin", "/usr/bin:/bin"),
        (".:/bin:", "/bin"),
        ("bin:/bin", "/bin"),
        ("/w/space/bin:/bin:/w/space", "/bin"),
        ("/w/spaces:/bin", "/w/spaces:/bin"),
        ("", "/usr/local/bin:/usr/bin:/bin"),
    ],
)
def test_the_search_path_has_no_folder_of_the_agents(path: str, kept: str) -> None:
    assert search_path(path, WORKSPACE) == kept


@pytest.mark.parametrize(
    ("name", "value", "by_name", "anything"),
    [
        ("LANG", "C.UTF-8", True, True),
        ("TZ", "Europe/Oslo", True, True),
        ("TZ", "/etc/passwd", False, True),
        ("CI", "1", True, True),
        ("MINE", "1", False, True),
        ("LD_LIBRARY_PATH", "x", False, False),
        ("BASH_FUNC_ls%%", "x", False, False),
        ("GIT_CONFIG_COUNT", "9", False, False),
        ("HOME", "/w", False, False),
        ("openclaw_token", "x", False, False),
        ("MINE", "a\0b", False, False),
        ("RIPGREP_CONFIG_PATH", "x", False, False),
    ],
)
def test_additions(name: str, value: str, *, by_name: bool, anything: bool) -> None:
    for only_harmless, taken in ((True, by_name), (False, anything)):
        if taken:
            assert check_additions({name: value}, only_harmless=only_harmless) == {name: value}
        else:
            with pytest.raises(ToolError):
                check_additions({name: value}, only_harmless=only_harmless)


@given(st.lists(st.text("ab\n", max_size=60), max_size=30), st.integers(20, 200), st.integers(1, 40))
def test_output_keeps_its_ends(pieces: list[str], most: int, half: int) -> None:
    output, whole = Output(half), "".join(pieces)
    for piece in pieces:
        output.add(os.fsencode(piece))
    text = output.text(most)
    assert output.total == len(whole)
    if len(whole) <= min(most, half):
        assert text == whole
    elif "left out" in text:
        assert len(text) <= most + 80
        assert text.endswith(whole[-min(most // 2, half) :])
    position = len(whole) // 2
    new = output.since(position, 10_000)
    assert new == whole[position:] or "left out" in new
